/**
 * Unpacks bzip2 files (CONFIG_KERNEL_BZIP2) as lib/decompress_bunzip2.c does. The package for it is CommonJS and calls a function for
 * every byte.
 */
import { Bits, damaged } from "./bzip2_bits.ts";
import { readSymbol, readTable } from "./bzip2_huffman.ts";
import type { Sink } from "./sink.ts";

const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
/** Symbols of one Huffman table. */
const GROUP = 50;
/** Bytes of a block, for each level. */
const BLOCK_UNIT = 100_000;
const RUN_A = 0;
const RUN_B = 1;

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
