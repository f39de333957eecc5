/** Ends a wait for fds that goes on in another thread: the wait watches the reading end of a pipe. */
import { O_CLOEXEC, O_NONBLOCK } from "../../ffi/abi/fcntl.ts";
import { close, pipe2, read, write } from "../../ffi/file.ts";
import { check } from "../error.ts";

export class Wakeup implements Disposable {
  readonly #ends = check<[number, number]>(pipe2(O_CLOEXEC | O_NONBLOCK), "pipe2", "a wait");
  #closed = false;

  /** Can be read after `wake`, until `take`. */
  get fd(): number {
    return this.#ends[0];
  }

  /** A full pipe wakes as well. */
  wake(): void {
    if (!this.#closed) write(this.#ends[1], Uint8Array.of(1));
  }

  take(): void {
    read(this.#ends[0], new Uint8Array(64));
  }

  /** No wait may go on. */
  [Symbol.dispose](): void {
    if (!this.#closed) this.#ends.forEach(close);
    this.#closed = true;
  }
}
