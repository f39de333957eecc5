/** Unpacks lzop files as lib/decompress_unlzo.c and lib/lzo/lzo1x_decompress_safe.c do (CONFIG_KERNEL_LZO). */
import { ImageError } from "./image_error.ts";
import type { Sink } from "./sink.ts";

const MAGIC_SIZE = 9;
/** From this version of lzop on the header has a level and the upper half of a time. */
const VERSION_LEVEL = 0x0940;
const HAS_FILTER = 0x800;
/** ADLER32_D and CRC32_D: a check of the unpacked block. ADLER32_C and CRC32_C: one of the packed block. */
const CHECKS_UNPACKED = [0x1, 0x100];
const CHECKS_PACKED = [0x2, 0x200];
/** LZO_BLOCK_SIZE: bytes that a block unpacks to at most. */
const BLOCK_MAX = 256 << 10;

function damaged(): ImageError {
  return new ImageError("damaged", "its lzo data is damaged");
}

/** Reads big-endian numbers and bytes. @throws ImageError `damaged` after the end */
class Reader {
  readonly #view: DataView;
  at = 0;

  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  skip(count: number): number {
    const at = this.at;
    this.at += count;
    if (this.at > this.bytes.length) throw damaged();
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.skip(1));
  }

  /** Little-endian: a distance. */
  le16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  u16(): number {
    return this.#view.getUint16(this.skip(2));
  }

  u32(): number {
    return this.#view.getUint32(this.skip(4));
  }

  take(count: number): Uint8Array {
    const at = this.skip(count);
    return this.bytes.subarray(at, at + count);
  }

  /** A length: `short` if it is not 0, else `base` and a run of 0 bytes, each for 255, up to another byte. */
  length(short: number, base: number): number {
    if (short !== 0) return short;
    let length = base;
    for (;;) {
      const byte = this.u8();
      if (byte !== 0) return length + byte;
      length += 255;
    }
  }
}

/** @throws ImageError `damaged`, `too_large`, `too_slow` */
export function unpackLzo(packed: Uint8Array, sink: Sink): void {
  const reader = new Reader(packed);
  const flags = readHeader(reader);
  const checks = (kinds: readonly number[]) => 4 * kinds.filter((bit) => (flags & bit) !== 0).length;
  for (let size = reader.u32(); size !== 0; size = reader.u32()) {
    const packedSize = reader.u32();
    if (size > BLOCK_MAX || packedSize > size) throw damaged();
    reader.skip(checks(CHECKS_UNPACKED) + (packedSize < size ? checks(CHECKS_PACKED) : 0));
    const block = reader.take(packedSize);
    if (packedSize === size) sink.push(block);
    else unpackBlock(new Reader(block), size, sink);
  }
}

function readHeader(reader: Reader): number {
  reader.skip(MAGIC_SIZE);
  const version = reader.u16();
  // The library's version, the version needed, the method, and the level.
  reader.skip(version >= VERSION_LEVEL ? 6 : 5);
  const flags = reader.u32();
  reader.skip((flags & HAS_FILTER ? 4 : 0) + (version >= VERSION_LEVEL ? 12 : 8));
  // The file's name, and a check of the header.
  reader.skip(reader.u8() + 4);
  return flags;
}

/** Copies within one block. */
class Block {
  readonly #start: number;
  readonly #out: Uint8Array;
  #at: number;

  readonly size: number;

  constructor(size: number, sink: Sink) {
    this.size = size;
    this.#out = sink.room(size);
    this.#start = this.#at = sink.length;
  }

  get done(): number {
    return this.#at - this.#start;
  }

  literals(bytes: Uint8Array): void {
    if (this.done + bytes.length > this.size) throw damaged();
    this.#out.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Source and target may overlap: bytes then repeat. */
  back(distance: number, length: number): void {
    if (distance > this.done || this.done + length > this.size) throw damaged();
    const out = this.#out;
    for (let i = 0; i < length; i++, this.#at++) out[this.#at] = out[this.#at - distance] ?? 0;
  }
}

/** The instructions of LZO1X (Documentation/staging/lzo.rst). `literals`: how many the last instruction had, 4 for more than 3. */
function unpackBlock(reader: Reader, size: number, sink: Sink): void {
  const block = new Block(size, sink);
  let literals = 0;
  const copy = (count: number) => {
    block.literals(reader.take(count));
    literals = Math.min(count, 4);
  };
  if ((reader.bytes[0] ?? 0) > 17) copy(reader.u8() - 17);
  for (;;) {
    const code = reader.u8();
    if (code < 16 && literals === 0) {
      copy(reader.length(code, 15) + 3);
      continue;
    }
    const match = readMatch(reader, code, literals);
    if (match === undefined) break;
    block.back(match.distance, match.length);
    copy(match.literals);
  }
  if (block.done !== size) throw damaged();
  sink.advance(size);
}

interface Match {
  readonly distance: number;
  readonly length: number;
  /** Bytes that follow the match as they are. */
  readonly literals: number;
}

/** Undefined: the end of the block. */
function readMatch(reader: Reader, code: number, before: number): Match | undefined {
  if (code < 16) {
    const distance = (code >> 2) + (reader.u8() << 2) + 1;
    if (before < 4) return { distance, length: 2, literals: code & 3 };
    return { distance: distance + 0x800, length: 3, literals: code & 3 };
  }
  if (code >= 64) {
    const distance = ((code >> 2) & 7) + (reader.u8() << 3) + 1;
    return { distance, length: (code >> 5) + 1, literals: code & 3 };
  }
  if (code >= 32) {
    const length = reader.length(code & 31, 31) + 2;
    const rest = reader.le16();
    return { distance: (rest >> 2) + 1, length, literals: rest & 3 };
  }
  const length = reader.length(code & 7, 7) + 2;
  const rest = reader.le16();
  const distance = ((code & 8) << 11) + (rest >> 2);
  return distance === 0 ? undefined : { distance: distance + 0x4000, length, literals: rest & 3 };
}
