/** An owned file descriptor. */
import { ProcessKilled, type SystemCalls } from "./system_calls.ts";
import { check, type Operation } from "./error.ts";
import { errnoName } from "../ffi/abi/errno.ts";
import { OwnedNumber } from "./owned_number.ts";

/**
 * A file descriptor of one process, closed when its scope ends unless `release` gave it away. A session lives as long as its
 * fd: keep the `Fd`, not the bare number.
 */
export class Fd extends OwnedNumber implements Disposable {
  /** The process that has the file descriptor. */
  readonly sys: SystemCalls;

  /**
   * Owns the fd `number` from now on.
   *
   * @throws RangeError `number` is no file descriptor. For the answer of a system call, use `Fd.of`.
   */
  constructor(sys: SystemCalls, number: number) {
    if (!Number.isInteger(number) || number < 0) {
      const errno = Number.isInteger(number) ? ` but the errno ${errnoName(number)}: use Fd.of` : "";
      throw new RangeError(`${number} is no file descriptor${errno}`);
    }
    super(number);
    this.sys = sys;
  }

  /**
   * The file descriptor that a system call answered: `Fd.of(sys, sys.memfd_create("state", 0), "memfd_create")`. `subject` is the
   * object of the operation, for the error's message.
   *
   * @throws LuoError the errno that the system call answered
   */
  static of(sys: SystemCalls, answer: number, operation: Operation, subject = "a file"): Fd {
    return new Fd(sys, check(answer, operation, subject));
  }

  /**
   * The number, for a system call of `sys`. The same number is another file, or none, in another process or kernel.
   *
   * @throws TypeError the file descriptor belongs to another process or kernel, or is closed
   */
  numberIn(sys: SystemCalls): number {
    if (sys !== this.sys) {
      throw new TypeError("This file descriptor belongs to another process, or to another kernel");
    }
    return this.number;
  }

  /** Closes now. A second call does nothing. */
  close(): void {
    if (this.closed) return;
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
