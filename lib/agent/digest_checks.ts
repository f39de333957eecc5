/** Compares the files of kept sessions with their digests after the kexec, a piece at a time, between the requests. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_SEAL_WRITE } from "../../ffi/abi/fcntl.ts";
import { close, pread } from "../../ffi/file.ts";
import type { Fd } from "../fd.ts";
import { type RunningDigest, startDigest } from "../files/digest.ts";
import { ProcessKilled } from "../system_calls.ts";
import type { FileInfo } from "./protocol.ts";

/** The longest piece of work, in bytes: it takes some milliseconds, and a request waits no longer. */
const PIECE_BYTES = 4 << 20;

/**
 * How often verdicts are told: each subscriber gets the whole status then, and with 100,000 files the status takes longer than a check.
 * A verdict that is not "same" is told at once.
 */
const TELL_MS = 1000;

interface Check {
  readonly session: string;
  readonly file: FileInfo;
  readonly fd: Fd;
}

/**
 * The checks that wait. Nothing is lost by a verdict: the bytes are preserved as they came, and `luo file restore` refuses to give
 * them out as whole.
 */
export class DigestChecks implements Disposable {
  on_verdict = () => {};
  readonly #waiting = new Map<FileInfo, Check>();
  #told_ms = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly log: (line: string) => void) {}

  add(session: string, file: FileInfo, fd: Fd): void {
    if (file.digest === undefined) return;
    this.#waiting.set(file, { session, file, fd });
    this.#timer ??= setTimeout(() => void this.#run(), 0);
  }

  /** The file is given out: from now on its contents may change, and a verdict would say nothing about the kexec. */
  drop(file: FileInfo): void {
    this.#waiting.delete(file);
  }

  async #run(): Promise<void> {
    try {
      for (const check of this.#waiting.values()) {
        await this.#check(check);
        this.#waiting.delete(check.file);
        const { verdict } = check.file;
        this.#tell(this.#waiting.size === 0 || verdict === "changed" || verdict === "damaged");
      }
    } catch (error) {
      // The kernel has ended, and the next one's agent begins again.
      if (!(error instanceof ProcessKilled)) throw error;
      this.#waiting.clear();
    }
    this.#timer = undefined;
  }

  async #check(check: Check): Promise<void> {
    const { session, file, fd } = check;
    if (fd.closed) return;
    const host_fd = fd.sys.expose(fd.number);
    if (host_fd < 0) return;
    try {
      const found = await this.#digest(host_fd, () => this.#waiting.get(file) === check);
      if (found === undefined) return;
      if (found === file.digest) file.verdict = "same";
      else file.verdict = (file.seals & F_SEAL_WRITE) === 0 ? "changed" : "damaged";
    } finally {
      close(host_fd);
    }
    if (file.verdict !== "same") {
      this.log(`File ${file.token} of session "${session}" does not have its digest: ${file.verdict}`);
    }
  }

  #tell(now: boolean): void {
    const now_ms = performance.now();
    if (!now && now_ms - this.#told_ms < TELL_MS) return;
    this.#told_ms = now_ms;
    this.on_verdict();
  }

  /** Undefined: the file cannot be read, or `goesOn` says no. */
  async #digest(fd: number, goesOn: () => boolean): Promise<string | undefined> {
    const digest: RunningDigest = await startDigest();
    const buffer = new Uint8Array(PIECE_BYTES);
    while (goesOn()) {
      const bytes = pread(fd, buffer, BigInt(digest.bytes));
      if (bytes === -Errno.EINTR) continue;
      if (bytes < 0) return undefined;
      if (bytes === 0) return digest.text();
      digest.update(buffer.subarray(0, bytes));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
