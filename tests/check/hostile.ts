/** Hostile images: copies of good ones, damaged, cut, with sizes that lie, wrapped again and again. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { pack, PACKERS, repack, uki, zboot } from "./images.ts";

/** Numbers that follow from a seed (mulberry32). */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Small images in every packing and wrapping. `image` is a bzImage, `kernel` what is packed in it. */
export async function originals(image: Uint8Array, kernel: Uint8Array): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for (const name of Object.keys(PACKERS)) {
    const packed = await pack(kernel, name);
    if (packed === undefined) continue;
    all.push(repack(image, packed, kernel.length, name !== "gzip" && name !== "none"));
    all.push(await pack(image.subarray(0, 64 << 10), name) ?? packed);
  }
  const [first = image] = all;
  all.push(
    gzipSync(first),
    uki({ ".cmdline": "quiet", ".initrd": "initrd", ".linux": first, ".uname": "7.3.4" }),
    zboot(gzipSync(first), "gzip"),
    gzipSync(uki({ ".linux": zboot(gzipSync(first), "gzip") })),
  );
  return all;
}

/** Values that sizes and offsets are set to. */
const EXTREMES = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, 0x10000000];

export function mutate(image: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Uint8Array.from(image);
  for (let changes = 1 + random(4); changes > 0; changes--) {
    // Half of the changes are in the headers.
    const at = random(2) === 0 ? random(Math.min(bytes.length, 1200)) : random(bytes.length);
    switch (random(6)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        if (at + 4 <= bytes.length) {
          new DataView(bytes.buffer).setUint32(at, EXTREMES[random(EXTREMES.length)] ?? 0, random(2) === 0);
        }
        break;
      case 2:
        bytes.copyWithin(at, random(bytes.length), random(bytes.length));
        break;
      case 3:
        bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length))]));
        break;
      case 4:
        bytes = Uint8Array.from(gzipSync(bytes));
        break;
      default:
        if (at < bytes.length) bytes[at] = random(256);
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

/** A small kernel: the start of a real one, and all strings of it that the reader looks for. */
export function smallKernel(kernel: Uint8Array): Uint8Array {
  const strings = new TextEncoder().encode("\0Linux version 7.3.4-small (a@b)\n\0kho-v4\0luo-v5\0memfd-v2\0");
  return Uint8Array.from(Buffer.concat([kernel.subarray(0, 48 << 10), strings]));
}
