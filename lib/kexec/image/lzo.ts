/** Unpacks lzop files, which CONFIG_KERNEL_LZO uses (lib/decompress_unlzo.c, lib/lzo/lzo1x_decompress_safe.c). */
import { ImageError } from "./image_error.ts";
import { joined } from "./join.ts";

const MAGIC_SIZE = 9;
/** Files from this version of lzop on have a level and a longer date. */
const LONGER_HEADER = 0x0940;
const HAS_FILTER = 0x800;
/** The most bytes that a block unpacks to: lzop makes blocks of 256 KiB. */
const BLOCK_MAX = 8 << 20;

function damaged(): ImageError {
  return new ImageError("damaged", "its lzo data is damaged");
}

/** @throws ImageError `damaged`, `too_large` */
export function unpackLzo(packed: Uint8Array, limit: number): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  try {
    return unpackBlocks(packed, view, limit);
  } catch (error) {
    // DataView throws a RangeError for an offset after the end.
    throw error instanceof RangeError ? damaged() : error;
  }
}

function unpackBlocks(packed: Uint8Array, view: DataView, limit: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  let total = 0;
  for (let at = headerEnd(view);;) {
    const unpacked = view.getUint32(at);
    if (unpacked === 0) return joined(blocks);
    const size = view.getUint32(at + 4);
    // Sizes, then one checksum.
    at += 12;
    if (unpacked > BLOCK_MAX || size > unpacked || size > packed.length - at) throw damaged();
    total += unpacked;
    if (total > limit) throw new ImageError("too_large", `it unpacks to more than ${limit} bytes`);
    const block = packed.subarray(at, at += size);
    blocks.push(size === unpacked ? block : unpackBlock(block, unpacked));
  }
}

/** Magic; versions and method; flags; mode and date; the file's name; a checksum. */
function headerEnd(view: DataView): number {
  const longer = view.getUint16(MAGIC_SIZE) >= LONGER_HEADER;
  const flags = MAGIC_SIZE + (longer ? 8 : 7);
  const name = flags + ((view.getUint32(flags) & HAS_FILTER) !== 0 ? 8 : 4) + (longer ? 12 : 8);
  return name + 1 + view.getUint8(name) + 4;
}

/** One copy from what was unpacked before, and how many literals follow it. */
interface Match {
  readonly back: number;
  readonly length: number;
  readonly literals: number;
}

/** LZO1X. The meaning of a small instruction depends on the literals before it: none, one to three, or a run. */
class Lzo1x {
  at = 0;
  end = 0;
  readonly out: Uint8Array;

  readonly packed: Uint8Array;

  constructor(packed: Uint8Array, size: number) {
    this.packed = packed;
    this.out = new Uint8Array(size);
  }

  byte(): number {
    const value = this.packed[this.at++];
    if (value === undefined) throw damaged();
    return value;
  }

  /** A length that does not fit its instruction: each byte of 0 adds 255, the next one ends it. */
  longLength(base: number): number {
    let length = base;
    for (;;) {
      const byte = this.byte();
      if (byte !== 0) return length + byte;
      length += 255;
    }
  }

  literals(count: number): void {
    if (this.at + count > this.packed.length || this.end + count > this.out.length) throw damaged();
    this.out.set(this.packed.subarray(this.at, this.at += count), this.end);
    this.end += count;
  }

  copy({ back, length }: Match): void {
    if (back > this.end || this.end + length > this.out.length) throw damaged();
    for (let i = 0; i < length; i++, this.end++) this.out[this.end] = this.out[this.end - back] ?? 0;
  }

  /** The next instruction; undefined at the end of the stream. `run`: the instruction before was a run of literals. */
  match(instruction: number, run: boolean): Match | undefined {
    if (instruction >= 64) {
      const back = 1 + ((instruction >> 2) & 7) + (this.byte() << 3);
      return { back, length: (instruction >> 5) + 1, literals: instruction & 3 };
    }
    if (instruction >= 16) return this.longMatch(instruction);
    const back = (run ? 0x801 : 1) + (instruction >> 2) + (this.byte() << 2);
    return { back, length: run ? 3 : 2, literals: instruction & 3 };
  }

  longMatch(instruction: number): Match | undefined {
    const near = instruction >= 32;
    const mask = near ? 31 : 7;
    const short = instruction & mask;
    const length = short === 0 ? this.longLength(mask + 2) : short + 2;
    const distance = this.byte() | (this.byte() << 8);
    const literals = distance & 3;
    if (near) return { back: 1 + (distance >> 2), length, literals };
    const far = ((instruction & 8) << 11) + (distance >> 2);
    return far === 0 ? undefined : { back: far + 0x4000, length, literals };
  }
}

function unpackBlock(packed: Uint8Array, size: number): Uint8Array {
  const lzo = new Lzo1x(packed, size);
  // 4 stands for a run of literals: four or more.
  let before = 0;
  const first = packed[0] ?? 0;
  if (first > 17) {
    lzo.at = 1;
    lzo.literals(first - 17);
    before = Math.min(first - 17, 4);
  }
  for (;;) {
    const instruction = lzo.byte();
    if (instruction < 16 && before === 0) {
      lzo.literals(instruction === 0 ? lzo.longLength(18) : instruction + 3);
      before = 4;
      continue;
    }
    const match = lzo.match(instruction, before === 4);
    if (match === undefined) break;
    lzo.copy(match);
    lzo.literals(match.literals);
    before = match.literals;
  }
  if (lzo.end !== size) throw damaged();
  return lzo.out;
}
