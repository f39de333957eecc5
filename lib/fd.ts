/** An owned file descriptor. */
import { ProcessKilled, type SystemCalls } from "./system_calls.ts";
import { check } from "./error.ts";

/**
 * A file descriptor of one process, closed when its scope ends unless `release` gave it away. A session lives as long as its
 * fd: keep the `Fd`, not the bare number.
 */
export class Fd implements Disposable {
  #number: number;

  /** Owns the fd `number` from now on. */
  constructor(readonly sys: SystemCalls, number: number) {
    this.#number = number;
  }

  /** The number, for a system call. Throws after the fd was closed or released. */
  get number(): number {
    if (this.#number < 0) throw new TypeError("This file descriptor is closed or was given away");
    return this.#number;
  }

  /** Whether the fd was closed or released. */
  get closed(): boolean {
    return this.#number < 0;
  }

  /** Gives the number away: the caller must close it. */
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

  /** Closes the fd. After the end of the process the kernel has closed it already. */
  [Symbol.dispose](): void {
    try {
      this.close();
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
    }
  }
}
