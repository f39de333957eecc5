/** The bits of a bzip2 file. */
import { ImageError } from "./image_error.ts";

export function damaged(): ImageError {
  return new ImageError("damaged", "its bzip2 data is damaged");
}

/** The bits of a file, the highest bit of a byte first. */
export class Bits {
  #at: number;
  /** Bits that are read and not taken, the next one highest of `#count`. */
  #held = 0;
  #count = 0;

  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.#at = at;
  }

  /** The next bits, at most 24, without taking them; zeros after the end. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#held = (this.#held << 8) | (this.bytes[this.#at++] ?? 0);
      this.#count += 8;
    }
    return (this.#held >>> (this.#count - count)) & ((1 << count) - 1);
  }

  take(count: number): void {
    this.#count -= count;
    if (this.#at - (this.#count >> 3) > this.bytes.length) throw damaged();
  }

  bit(): number {
    const bit = this.peek(1);
    this.take(1);
    return bit;
  }

  bits(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left -= 16) {
      const some = Math.min(left, 16);
      value = value * 2 ** some + this.peek(some);
      this.take(some);
    }
    return value;
  }

  /** The next whole byte begins another file, or is the end. */
  rest(): number {
    return this.#at - (this.#count >> 3);
  }
}
