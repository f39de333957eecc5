/** The contents of the files of a rehearsal: every page differs from every other. */
import { PAGE_SIZE } from "../../ffi/abi/page.ts";

const PIECE_BYTES = 1 << 20;

/** Gives the bytes of a file, piece by piece. One buffer is used again and again. */
export class Pattern {
  readonly #piece = noise(PIECE_BYTES);
  readonly #words = new Uint32Array(this.#piece.buffer);

  /** The next bytes of file number `file` from `offset` on, a multiple of a page. At most a piece; valid until the next call. */
  at(file: number, offset: number, size: number): Uint8Array {
    const length = Math.min(PIECE_BYTES, size - offset);
    for (let page = 0; page * PAGE_SIZE < length; page++) {
      const at = page * PAGE_SIZE / 4;
      [this.#words[at], this.#words[at + 1]] = [file, offset / PAGE_SIZE + page];
    }
    return this.#piece.subarray(0, length);
  }
}

/** The same bytes in every boot (xorshift of 32 bits, by Marsaglia). */
function noise(bytes: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(bytes / 4);
  let state = 0x9e3779b9;
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[at] = state;
  }
  return new Uint8Array(words.buffer);
}
