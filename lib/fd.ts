import { ProcessKilled, type SystemCalls } from "./system_calls.ts";
import { check } from "./error.ts";

/**
 * One owned file descriptor of one kernel: closed when its scope ends, unless `release` gave it away.
 * A session's or the device's lifetime *is* this fd's lifetime, so never keep a bare number of one.
 */
export class Fd implements Disposable {
  #number: number;

  constructor(readonly sys: SystemCalls, number: number) {
    this.#number = number;
  }

  /** The number, for a system call. Throws once the fd has been closed or released. */
  get number(): number {
    if (this.#number < 0) throw new TypeError("This file descriptor is closed or was given away");
    return this.#number;
  }

  get closed(): boolean {
    return this.#number < 0;
  }

  /** Gives the number away: from now on closing it is the caller's duty. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  /** Closes now. A second call does nothing. */
  close(): void {
    if (this.#number < 0) return;
    check(this.sys.close(this.release()), "close", "file descriptor");
  }

  /** Closes, unless the whole process is gone: then the kernel has. */
  [Symbol.dispose](): void {
    try {
      this.close();
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
    }
  }
}
