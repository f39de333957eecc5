/** Descriptors of the files that outgoing sessions hold, to see whether each still has the size that it had when it was preserved. */
import { F_DUPFD_CLOEXEC, F_SEAL_GROW, F_SEAL_SHRINK } from "../../ffi/abi/fcntl.ts";
import { Fd } from "../fd.ts";
import type { SystemCalls } from "../system_calls.ts";
import type { FileInfo, SessionInfo } from "./protocol.ts";
import type { Objection } from "./refusal.ts";

const FIXED_SIZE = F_SEAL_GROW | F_SEAL_SHRINK;

/**
 * Linux freezes the size of a preserved file. The model cannot do that to a file of its host. No call of LUO tells the size, so the
 * agent keeps a descriptor of each file until its session ends.
 */
export class PreservedFds implements Disposable {
  /** The descriptors, by session and token. */
  readonly #fds = new Map<string, Map<string, Fd>>();

  #resized = new Map<FileInfo, number>();
  /** On the clock of `performance.now()`. */
  #validUntil = 0;

  constructor(readonly sys: SystemCalls) {}

  /**
   * Keeps a duplicate of `fd`, unless seals fix the size and the session's files are not given out again; `always`: it is needed for
   * something else. Without a free descriptor the file is not watched.
   */
  keep({ name, keep }: SessionInfo, { token, seals }: FileInfo, fd: Fd, always = false): void {
    if ((seals & FIXED_SIZE) === FIXED_SIZE && !keep && !always) return;
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
   * The sessions with `sizeNow` in each file whose size has changed. Asking costs a system call a file, so that without `fresh` an answer
   * is used again for ten times as long as asking took: a status after every change must not ask about 10,000 files each time.
   */
  withSizesNow(sessions: readonly SessionInfo[], { fresh = false } = {}): SessionInfo[] {
    const start = performance.now();
    if (fresh || start >= this.#validUntil) {
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

/** The files that would come over the kexec with another size than they have now. */
export function resizedFiles(sessions: readonly SessionInfo[]): Objection[] {
  return sessions.flatMap(({ name: session, files }) =>
    files.flatMap(({ token, label, size, sizeNow }) => {
      if (sizeNow === undefined) return [];
      const file = `file ${token}${label === undefined ? "" : ` (${label})`} of session "${session}"`;
      const what = sizeNow > size
        ? `the next kernel would get the first ${size}`
        : `the next kernel would get zeros after those, up to ${size}`;
      const reason = `${file} had ${size} bytes when it was preserved and has ${sizeNow} now: ${what}`;
      return [{ code: "file_resized" as const, session, token, reason }];
    })
  );
}
