/** Unpacks lz4's legacy frames, which `lz4 -l` writes and CONFIG_KERNEL_LZ4 uses (lib/decompress_unlz4.c). */
import { ImageError } from "./image_error.ts";
import type { Sink } from "./sink.ts";

const MAGIC = 0x184c2102;
/** The most bytes that one block unpacks to (LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE). */
const BLOCK_MAX = 8 << 20;

/** The rest of a length that begins with 15: bytes are added up to the first that is not 255. */
class Reader {
  at = 0;

  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw damaged();
    return value;
  }

  length(nibble: number): number {
    let length = nibble;
    if (nibble < 15) return length;
    for (let more = 255; more === 255;) length += more = this.byte();
    return length;
  }
}

function damaged(): ImageError {
  return new ImageError("damaged", "its lz4 data is damaged");
}

/** @throws ImageError `damaged`, `too_large`, `too_slow` */
export function unpackLz4(packed: Uint8Array, sink: Sink): void {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const out = new Uint8Array(BLOCK_MAX);
  for (let at = 4; at + 4 <= packed.length;) {
    const size = view.getUint32(at, true);
    at += 4;
    // Frames may follow each other, each with its magic.
    if (size === MAGIC) continue;
    if (size === 0 || size > packed.length - at) throw damaged();
    sink.budget.checkTime();
    sink.push(unpackBlock(packed.subarray(at, at + size), out));
    at += size;
  }
}

/** A block is a list of literals, each but the last followed by a copy from what was unpacked before. */
function unpackBlock(packed: Uint8Array, out: Uint8Array): Uint8Array {
  const reader = new Reader(packed);
  let end = 0;
  for (;;) {
    const token = reader.byte();
    const literals = reader.length(token >> 4);
    if (reader.at + literals > packed.length || end + literals > BLOCK_MAX) throw damaged();
    out.set(packed.subarray(reader.at, reader.at += literals), end);
    end += literals;
    if (reader.at === packed.length) return out.subarray(0, end);
    const back = reader.byte() | (reader.byte() << 8);
    const length = reader.length(token & 15) + 4;
    if (back === 0 || back > end || end + length > BLOCK_MAX) throw damaged();
    copyBack(out, end, back, length);
    end += length;
  }
}

/** Source and target may overlap: `back` bytes then repeat. */
function copyBack(out: Uint8Array, end: number, back: number, length: number): void {
  if (back >= length) return void out.copyWithin(end, end - back, end - back + length);
  for (let i = 0; i < length; i++) out[end + i] = out[end - back + i] ?? 0;
}
