/** Descriptors of the files that outgoing sessions hold, to see whether each still has the size that it had when it was preserved. */
import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_DUPFD_CLOEXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
} from "../../ffi/abi/fcntl.ts";
import { fallocate } from "../../ffi/file.ts";
import { Fd } from "../fd.ts";
import { HostFd } from "../files/host_fd.ts";
import type { SystemCalls } from "../system_calls.ts";
import type { FileInfo, SessionInfo } from "./protocol.ts";
import type { Objection } from "./refusal.ts";

const FIXED_SIZE = F_SEAL_GROW | F_SEAL_SHRINK;
/** A frozen file refuses every fallocate(2) (shmem_fallocate() of mm/shmem.c). In another file there is nothing to punch here. */
const FAR_AFTER_THE_END = 1n << 62n;

/**
 * Linux freezes the size of a preserved file. The model cannot do that to a file of its host. No call of LUO tells the size, so the
 * agent keeps a descriptor of each file that is not frozen until its session ends.
 */
export class PreservedFds implements Disposable {
  /** The descriptors, by session and token. */
  readonly #fds = new Map<string, Map<string, Fd>>();

  #resized = new Map<FileInfo, number>();
  /** On the clock of `performance.now()`. */
  #validUntil = 0;

  constructor(readonly sys: SystemCalls) {}

  /**
   * Keeps a duplicate of `fd`, unless the size is fixed and the session's files are not given out again; `always`: it is needed for
   * something else. Without a free descriptor the file is not watched.
   */
  keep({ name, keep }: SessionInfo, { token, seals }: FileInfo, fd: Fd, always = false): void {
    if (!keep && !always && sizeIsFixed(fd, seals)) return;
    const number = this.sys.fcntl(fd.number, F_DUPFD_CLOEXEC, 0);
    if (number >= 0) this.own(name, token, new Fd(this.sys, number));
  }

  /** Keeps `fd` itself, until the session ends. */
  own(session: string, token: string, fd: Fd): void {
    const fds = this.#fds.get(session) ?? new Map<string, Fd>();
    this.#fds.set(session, fds.set(token, fd));
  }

  get(session: string, token: string): Fd | undefined {
    return this.#fds.get(session)?.get(token);
  }

  /** The session has ended: its files may change their size again. */
  drop(session: string): void {
    for (const fd of this.#fds.get(session)?.values() ?? []) fd[Symbol.dispose]();
    this.#fds.delete(session);
  }

  /**
   * The sessions with `sizeNow` in each file whose size has changed. Asking costs a system call a file, so that an answer is used
   * again for ten times as long as asking took: a status after every change must not ask about 10,000 files each time.
   */
  withSizesNow(sessions: readonly SessionInfo[]): SessionInfo[] {
    const start = performance.now();
    if (start >= this.#validUntil) {
      this.#resized = this.#ask(sessions);
      const end = performance.now();
      this.#validUntil = end + 10 * (end - start);
    }
    if (this.#resized.size === 0) return [...sessions];
    return sessions.map((session) => ({
      ...session,
      files: session.files.map((file) => this.#withSizeNow(file)),
    }));
  }

  /** The files that would come over the kexec with another size than they have now. */
  resized(sessions: readonly SessionInfo[]): Objection[] {
    if (this.#fds.size === 0) return [];
    const resized = this.#ask(sessions);
    if (resized.size === 0) return [];
    return sessions.flatMap(({ name, files }) =>
      files.flatMap((file) => {
        const sizeNow = resized.get(file);
        return sizeNow === undefined ? [] : objection(name, file, sizeNow);
      })
    );
  }

  #withSizeNow(file: FileInfo): FileInfo {
    const sizeNow = this.#resized.get(file);
    return sizeNow === undefined ? file : { ...file, sizeNow };
  }

  #ask(sessions: readonly SessionInfo[]): Map<FileInfo, number> {
    const resized = new Map<FileInfo, number>();
    for (const { name, state, files } of sessions) {
      const fds = state === "outgoing" ? this.#fds.get(name) : undefined;
      if (fds === undefined) continue;
      for (const file of files) {
        const fd = fds.get(file.token);
        const stat = fd && this.sys.fstat(fd.number);
        if (typeof stat === "object" && Number(stat.size) !== file.size) resized.set(file, Number(stat.size));
      }
    }
    return resized;
  }

  [Symbol.dispose](): void {
    for (const session of [...this.#fds.keys()]) this.drop(session);
  }
}

/** Whether the size cannot change: seals fix it, or Linux does since the file is preserved. */
function sizeIsFixed({ sys, number }: Fd, seals: number): boolean {
  if ((seals & FIXED_SIZE) === FIXED_SIZE) return true;
  // The host is asked, whose file this may be. With these seals it would refuse as well.
  if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) return false;
  const exposed = sys.expose(number);
  if (exposed < 0) return false;
  using host = new HostFd(exposed);
  const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return fallocate(host.number, mode, FAR_AFTER_THE_END, 1n) === -Errno.EPERM;
}

function objection(session: string, { token, label, size }: FileInfo, sizeNow: number): Objection {
  const file = `file ${token}${label === undefined ? "" : ` (${label})`} of session "${session}"`;
  const what = sizeNow > size
    ? `the next kernel would get the first ${size}`
    : `the next kernel would get zeros after those, up to ${size}`;
  const reason = `${file} had ${size} bytes when it was preserved and has ${sizeNow} now: ${what}`;
  return { code: "file_resized", session, token, reason };
}
