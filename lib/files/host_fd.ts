/** An owned file descriptor of the host. */
import { close } from "../../ffi/file.ts";

/** Closes the descriptor when its scope ends, unless `release` gave it away. */
export class HostFd implements Disposable {
  #number: number;

  /** Owns the descriptor `number` from now on. */
  constructor(number: number) {
    this.#number = number;
  }

  /** The number, for a system call. Throws after the descriptor was closed or released. */
  get number(): number {
    if (this.#number < 0) throw new TypeError("This file descriptor is closed or was given away");
    return this.#number;
  }

  /** Gives the number away: from now on closing it is the caller's duty. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  /** Closes the descriptor, unless it was released. */
  [Symbol.dispose](): void {
    if (this.#number >= 0) close(this.release());
  }
}
