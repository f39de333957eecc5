/**
 * Unpacks .lzma files (CONFIG_KERNEL_LZMA; the format is described in lzma-specification.txt of the LZMA SDK). The packages for it
 * hold what they unpack as numbers in an array, and believe the size of the dictionary that the file claims.
 */
import { ImageError } from "./image_error.ts";
import { type Sink, tooLarge } from "./sink.ts";

const HEADER_SIZE = 13;
const UNKNOWN_SIZE = 2n ** 64n - 1n;
const TOP = 2 ** 24;
const HALF = 1024;

function damaged(): ImageError {
  return new ImageError("damaged", "its lzma data is damaged");
}

/** @throws ImageError `damaged`, `too_large`, `too_slow` */
export function unpackLzma(packed: Uint8Array, sink: Sink): void {
  const properties = packed[0] ?? 255;
  if (packed.length < HEADER_SIZE + 5 || properties >= 225) throw damaged();
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const size = view.getBigUint64(5, true);
  if (size !== UNKNOWN_SIZE && size > BigInt(sink.budget.bytes)) throw tooLarge();
  const decoder = new Decoder(new RangeDecoder(packed, HEADER_SIZE), properties, sink);
  decoder.run(size === UNKNOWN_SIZE ? undefined : Number(size));
}

type Probabilities = Uint16Array;

function probabilities(count: number): Probabilities {
  return new Uint16Array(count).fill(HALF);
}

class RangeDecoder {
  #range = 0xffffffff;
  #code = 0;

  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
    // The first byte is always 0.
    for (let i = 0; i < 5; i++) this.#code = ((this.#code << 8) | (this.bytes[this.at++] ?? 0)) >>> 0;
  }

  #fill(): void {
    if (this.#range >= TOP) return;
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw damaged();
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | byte) >>> 0;
  }

  bit(probs: Probabilities, index: number): 0 | 1 {
    const prob = probs[index] ?? HALF;
    const bound = (this.#range >>> 11) * prob;
    if (this.#code < bound) {
      this.#range = bound;
      probs[index] = prob + ((2048 - prob) >> 5);
      this.#fill();
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    probs[index] = prob - (prob >> 5);
    this.#fill();
    return 1;
  }

  /** Bits of equal probability, the highest first. */
  direct(count: number): number {
    let result = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      const one = this.#code >= this.#range;
      if (one) this.#code -= this.#range;
      result = result * 2 + (one ? 1 : 0);
      this.#fill();
    }
    return result;
  }

  tree(probs: Probabilities, bits: number, offset = 0): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = node * 2 + this.bit(probs, offset + node);
    return node - (1 << bits);
  }

  /** The lowest bit first. */
  reverseTree(probs: Probabilities, bits: number, offset = 0): number {
    let node = 1;
    let result = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probs, offset + node);
      node = node * 2 + bit;
      result += bit << i;
    }
    return result;
  }
}

/** How many bytes a match copies, without the 2 that it has at least. */
class LengthDecoder {
  readonly #choice = probabilities(2);
  readonly #low = probabilities(16 << 3);
  readonly #middle = probabilities(16 << 3);
  readonly #high = probabilities(256);

  read(range: RangeDecoder, position: number): number {
    if (range.bit(this.#choice, 0) === 0) return range.tree(this.#low, 3, position << 3);
    if (range.bit(this.#choice, 1) === 0) return 8 + range.tree(this.#middle, 3, position << 3);
    return 16 + range.tree(this.#high, 8);
  }
}

const MARK_OF_END = 0xffffffff;

class Decoder {
  readonly #literalContext: number;
  readonly #literalMask: number;
  readonly #positionMask: number;
  readonly #literals: Probabilities;
  readonly #isMatch = probabilities(12 << 4);
  readonly #isRepeat = probabilities(12);
  readonly #isRepeat0 = probabilities(12);
  readonly #isRepeat0Long = probabilities(12 << 4);
  readonly #isRepeat1 = probabilities(12);
  readonly #isRepeat2 = probabilities(12);
  readonly #slots = probabilities(4 << 6);
  readonly #positions = probabilities(128);
  readonly #align = probabilities(16);
  readonly #matchLength = new LengthDecoder();
  readonly #repeatLength = new LengthDecoder();
  readonly #repeats: [number, number, number, number] = [0, 0, 0, 0];
  readonly #start: number;
  #state = 0;

  readonly range: RangeDecoder;
  readonly sink: Sink;

  constructor(range: RangeDecoder, properties: number, sink: Sink) {
    this.range = range;
    this.sink = sink;
    this.#literalContext = properties % 9;
    const rest = Math.floor(properties / 9);
    this.#literalMask = (1 << (rest % 5)) - 1;
    this.#positionMask = (1 << Math.floor(rest / 5)) - 1;
    this.#literals = probabilities(0x300 << (this.#literalContext + (rest % 5)));
    this.#start = sink.length;
  }

  /** Up to so many bytes, or up to the mark of the end. */
  run(size: number | undefined): void {
    const { range, sink } = this;
    for (;;) {
      const done = sink.length - this.#start;
      if (done === size) return;
      const position = done & this.#positionMask;
      if (range.bit(this.#isMatch, (this.#state << 4) + position) === 0) {
        this.#literal(done);
        continue;
      }
      const length = range.bit(this.#isRepeat, this.#state) === 0
        ? this.#match(position)
        : this.#repeat(position);
      if (length === undefined) {
        if (size === undefined) return;
        throw damaged();
      }
      if (size !== undefined && done + length > size) throw damaged();
      this.#copy(done, length);
    }
  }

  #literal(done: number): void {
    const out = this.sink.room(1);
    const at = this.sink.length;
    const before = done === 0 ? 0 : out[at - 1] ?? 0;
    const context = ((done & this.#literalMask) << this.#literalContext) +
      (before >> (8 - this.#literalContext));
    const offset = 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let matched = done > this.#repeats[0] ? out[at - this.#repeats[0] - 1] ?? 0 : 0;
      while (symbol < 0x100) {
        const wanted = (matched >> 7) & 1;
        matched <<= 1;
        const bit = this.range.bit(this.#literals, offset + ((1 + wanted) << 8) + symbol);
        symbol = symbol * 2 + bit;
        if (bit !== wanted) break;
      }
    }
    while (symbol < 0x100) symbol = symbol * 2 + this.range.bit(this.#literals, offset + symbol);
    out[at] = symbol;
    this.sink.advance(1);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** The length of a match with a new distance. Undefined: the mark of the end. */
  #match(position: number): number | undefined {
    const length = this.#matchLength.read(this.range, position);
    const distance = this.#distance(length);
    if (distance === MARK_OF_END) return undefined;
    this.#repeats.copyWithin(1, 0, 3);
    this.#repeats[0] = distance;
    this.#state = this.#state < 7 ? 7 : 10;
    return length + 2;
  }

  #distance(length: number): number {
    const slot = this.range.tree(this.#slots, 6, Math.min(length, 3) << 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return base + this.range.reverseTree(this.#positions, bits, base - slot);
    return base + this.range.direct(bits - 4) * 16 + this.range.reverseTree(this.#align, 4);
  }

  /** The length of a match with one of the last four distances. */
  #repeat(position: number): number {
    const { range } = this;
    const state = this.#state;
    if (range.bit(this.#isRepeat0, state) === 0) {
      if (range.bit(this.#isRepeat0Long, (state << 4) + position) === 0) {
        this.#state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      const which = range.bit(this.#isRepeat1, state) === 0 ? 1 : 2 + range.bit(this.#isRepeat2, state);
      const distance = this.#repeats[which] ?? 0;
      this.#repeats.copyWithin(1, 0, which);
      this.#repeats[0] = distance;
    }
    this.#state = state < 7 ? 8 : 11;
    return this.#repeatLength.read(range, position) + 2;
  }

  #copy(done: number, length: number): void {
    const [distance] = this.#repeats;
    if (distance >= done) throw damaged();
    const out = this.sink.room(length);
    let at = this.sink.length;
    for (let i = 0; i < length; i++, at++) out[at] = out[at - distance - 1] ?? 0;
    this.sink.advance(length);
  }
}
