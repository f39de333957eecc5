/** The number of a file descriptor that has one owner: the common part of `Fd` and `HostFd`. */

/** Holds the number until it is released. A subclass closes the file descriptor. */
export class OwnedNumber {
  #number: number;

  /** Owns the file descriptor `number` from now on. */
  constructor(number: number) {
    this.#number = number;
  }

  /** The number, for a system call. Throws after the file descriptor was closed or released. */
  get number(): number {
    if (this.#number < 0) throw new TypeError("This file descriptor is closed or was given away");
    return this.#number;
  }

  /** Whether the file descriptor was closed or released. */
  get closed(): boolean {
    return this.#number < 0;
  }

  /** Gives the number away: the caller must close it. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }
}
