/**
 * Unpacks bzip2 files (CONFIG_KERNEL_BZIP2) as lib/decompress_bunzip2.c does. The package for it is CommonJS and calls a function for
 * every byte.
 */
import { ImageError } from "./image_error.ts";
import type { Sink } from "./sink.ts";

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
/** Symbols of one Huffman table. */
const GROUP = 50;
const LENGTH_MAX = 20;
/** Bytes of a block, for each level. */
const BLOCK_UNIT = 100_000;
const RUN_A = 0;
const RUN_B = 1;

function damaged(): ImageError {
  return new ImageError("damaged", "its bzip2 data is damaged");
}

class Bits {
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

/** @throws ImageError `damaged`, `too_large`, `too_slow` */
export function unpackBzip2(packed: Uint8Array, sink: Sink): void {
  let block = new Uint32Array(0);
  // Files may follow each other.
  for (let at = 0; at < packed.length;) {
    sink.budget.checkTime();
    const level = (packed[at + 3] ?? 0) - 0x30;
    if (packed[at] !== 0x42 || packed[at + 1] !== 0x5a || packed[at + 2] !== 0x68 || level < 1 || level > 9) {
      // Anything after the first file is padding.
      if (at > 0) return;
      throw damaged();
    }
    const bits = new Bits(packed, at + 4);
    if (block.length !== level * BLOCK_UNIT) block = new Uint32Array(level * BLOCK_UNIT);
    for (let magic = bits.bits(48); magic !== END_MAGIC; magic = bits.bits(48)) {
      if (magic !== BLOCK_MAGIC) throw damaged();
      sink.budget.checkTime();
      const crc = bits.bits(32);
      // "Randomised" blocks are of bzip2 0.9.0 and no kernel.
      if (bits.bit() !== 0) throw damaged();
      const start = bits.bits(24);
      const length = readBlock(bits, block);
      if (start >= length) throw damaged();
      if (writeBlock(block, length, start, sink) !== crc) throw damaged();
    }
    bits.bits(32);
    at = bits.rest();
  }
}

/** Codes of at most so many bits are found in one step. */
const FAST_BITS = 10;

interface Table {
  /** By the next `FAST_BITS` bits: symbol and length of the code (5 bits), 0 for longer codes. */
  readonly fast: Uint16Array;
  /** For each length, the first code of `LENGTH_MAX` bits that is longer than it. */
  readonly ends: Int32Array;
  /** A code minus this number is the index of its symbol. */
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
}

/** The bytes after Burrows-Wheeler, in the low 8 bits. Returns how many there are. */
function readBlock(bits: Bits, block: Uint32Array): number {
  const used = readUsed(bits);
  const tableCount = bits.bits(3);
  const selectors = readSelectors(bits, tableCount);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, used.length + 2));
  const end = used.length + 1;
  let length = 0;
  let [run, weight] = [0, 1];
  for (let count = 0;; count++) {
    const table = tables[selectors[Math.floor(count / GROUP)] ?? -1];
    if (table === undefined) throw damaged();
    const symbol = readSymbol(bits, table);
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight << symbol;
      weight *= 2;
      if (run > block.length) throw damaged();
      continue;
    }
    if (run > 0) {
      if (length + run > block.length) throw damaged();
      block.fill(used[0] ?? 0, length, length += run);
      [run, weight] = [0, 1];
    }
    if (symbol === end) return length;
    if (length === block.length) throw damaged();
    const byte = used[symbol - 1] ?? 0;
    used.copyWithin(1, 0, symbol - 1);
    used[0] = byte;
    block[length++] = byte;
  }
}

/** The bytes that occur, in the order of move-to-front. */
function readUsed(bits: Bits): Uint8Array {
  const groups = bits.bits(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const members = bits.bits(16);
    for (let i = 0; i < 16; i++) if (members & (0x8000 >> i)) used.push(group * 16 + i);
  }
  if (used.length === 0) throw damaged();
  return Uint8Array.from(used);
}

function readSelectors(bits: Bits, tables: number): Uint8Array {
  const order = Array.from({ length: tables }, (_, index) => index);
  const selectors = new Uint8Array(bits.bits(15));
  if (tables < 2 || tables > 6 || selectors.length === 0) throw damaged();
  for (let i = 0; i < selectors.length; i++) {
    let place = 0;
    while (bits.bit() === 1) if (++place >= tables) throw damaged();
    const [table = 0] = order.splice(place, 1);
    order.unshift(table);
    selectors[i] = table;
  }
  return selectors;
}

/** Canonical Huffman codes, given by the length of each symbol's code. */
function readTable(bits: Bits, symbolCount: number): Table {
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

function readSymbol(bits: Bits, { fast, ends, offsets, symbols }: Table): number {
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

/** Undoes Burrows-Wheeler and the runs of 4 to 259 equal bytes. Returns the CRC of what was written. */
function writeBlock(block: Uint32Array, length: number, start: number, sink: Sink): number {
  const next = new Uint32Array(256);
  for (let i = 0; i < length; i++) {
    const byte = (block[i] ?? 0) & 0xff;
    next[byte] = (next[byte] ?? 0) + 1;
  }
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = next[byte] ?? 0;
    next[byte] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const byte = (block[i] ?? 0) & 0xff;
    const at = next[byte] ?? 0;
    next[byte] = at + 1;
    block[at] = (block[at] ?? 0) | (i << 8);
  }
  let crc = 0xffffffff;
  const piece = new Uint8Array(1 << 16);
  let filled = 0;
  let [at, last, equal] = [(block[start] ?? 0) >>> 8, -1, 0];
  for (let i = 0; i < length; i++) {
    if (filled > piece.length - 256) {
      sink.push(piece.subarray(0, filled));
      filled = 0;
    }
    const entry = block[at] ?? 0;
    const byte = entry & 0xff;
    at = entry >>> 8;
    if (equal === 4) {
      for (let k = 0; k < byte; k++) {
        piece[filled++] = last;
        crc = (crc << 8) ^ (CRC[(crc >>> 24) ^ last] ?? 0);
      }
      equal = 0;
      last = -1;
      continue;
    }
    piece[filled++] = byte;
    crc = (crc << 8) ^ (CRC[(crc >>> 24) ^ byte] ?? 0);
    equal = byte === last ? equal + 1 : 1;
    last = byte;
  }
  sink.push(piece.subarray(0, filled));
  return ~crc >>> 0;
}

/** CRC-32 with the highest bit first. */
const CRC = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let i = 0; i < 8; i++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0);
  return value;
});
