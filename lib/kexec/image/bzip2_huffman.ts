/** The Huffman codes of bzip2. */
import { type Bits, damaged } from "./bzip2_bits.ts";

/** Bits of the longest code. */
const LENGTH_MAX = 20;
/** Codes of at most so many bits are found in one step. */
const FAST_BITS = 10;

export interface Table {
  /** By the next `FAST_BITS` bits: symbol and length of the code (5 bits), 0 for longer codes. */
  readonly fast: Uint16Array;
  /** For each length, the first code of `LENGTH_MAX` bits that is longer than it. */
  readonly ends: Int32Array;
  /** A code minus this number is the index of its symbol. */
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
}

/** Canonical Huffman codes, given by the length of each symbol's code. */
export function readTable(bits: Bits, symbolCount: number): Table {
  const lengths: number[] = [];
  let length = bits.bits(5);
  for (let i = 0; i < symbolCount; i++) {
    for (;;) {
      if (length < 1 || length > LENGTH_MAX) throw damaged();
      if (bits.bit() === 0) break;
      length += bits.bit() === 0 ? 1 : -1;
    }
    lengths.push(length);
  }
  const table = {
    fast: new Uint16Array(1 << FAST_BITS),
    ends: new Int32Array(LENGTH_MAX + 1),
    offsets: new Int32Array(LENGTH_MAX + 1),
    symbols: new Uint16Array(symbolCount),
  };
  let [code, index] = [0, 0];
  for (let size = 1; size <= LENGTH_MAX; size++) {
    table.offsets[size] = code - index;
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      if (lengths[symbol] !== size) continue;
      table.symbols[index++] = symbol;
      const shift = FAST_BITS - size;
      if (shift >= 0) table.fast.fill((symbol << 5) | size, code << shift, (code + 1) << shift);
      code++;
    }
    table.ends[size] = code << (LENGTH_MAX - size);
    code *= 2;
  }
  return table;
}

/** The symbol of the next code. @throws ImageError `damaged` */
export function readSymbol(bits: Bits, { fast, ends, offsets, symbols }: Table): number {
  const next = bits.peek(LENGTH_MAX);
  const entry = fast[next >> (LENGTH_MAX - FAST_BITS)] ?? 0;
  if (entry !== 0) {
    bits.take(entry & 31);
    return entry >> 5;
  }
  for (let length = FAST_BITS + 1; length <= LENGTH_MAX; length++) {
    if (next >= (ends[length] ?? 0)) continue;
    const symbol = symbols[(next >> (LENGTH_MAX - length)) - (offsets[length] ?? 0)];
    if (symbol === undefined) break;
    bits.take(length);
    return symbol;
  }
  throw damaged();
}
