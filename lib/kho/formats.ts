/** KHO's trees and maps of all formats that are known here, by what they say they are. */
import { decode_bitmap_map } from "./bitmap_map.ts";
import { KhoError } from "./error.ts";
import { decode_kho_v1, KHO_V1 } from "./kho_v1.ts";
import { decode_kho_v2, KHO_V2 } from "./kho_v2.ts";
import { decode_kho_v4, format_of, KHO_V4, type KhoV4 } from "./kho_v4.ts";
import { type Memory, PAGE_SIZE } from "./memory.ts";
import { decode_map, type Range } from "./preserved_map.ts";

export interface TreeFormat {
  readonly name: string;
  /** Do blobs have their sizes in the tree? Else each is a device tree in one page. */
  readonly sizes: boolean;
  decode(bytes: Uint8Array): KhoV4;
  /** Pages of the map itself, and what it preserves. */
  map(memory: Memory, address: bigint): { pages: number; ranges: readonly Range[] };
}

function radix(memory: Memory, address: bigint) {
  const { nodes, ranges } = decode_map(memory, address);
  return { pages: nodes.length, ranges };
}

function bitmaps(memory: Memory, address: bigint) {
  const { chunks, ranges } = decode_bitmap_map(memory, address);
  return { pages: chunks.reduce((sum, { bitmaps }) => sum + 1 + bitmaps.length, 0), ranges };
}

const FORMATS: readonly TreeFormat[] = [
  { name: KHO_V4, sizes: true, decode: (bytes) => decode_kho_v4(bytes), map: radix },
  { name: KHO_V2, sizes: false, decode: (bytes) => decode_kho_v2(bytes), map: radix },
  { name: KHO_V1, sizes: false, decode: (bytes) => decode_kho_v1(bytes), map: bitmaps },
];

/** @throws KhoError when it is no tree of KHO, or of a format that is not known here */
export function tree_format(bytes: Uint8Array): TreeFormat {
  const name = format_of(bytes);
  const found = FORMATS.find((format) => format.name === name);
  if (found !== undefined) return found;
  const known = FORMATS.map((format) => format.name).join(", ");
  throw new KhoError("KHO's tree", `its format is "${name}"; known are ${known}`);
}

/** Bytes of a blob: a format without sizes has device trees of one page only. */
export function blob_size({ sizes }: TreeFormat, size: bigint): bigint {
  return sizes ? size : BigInt(PAGE_SIZE);
}
