/** The formats of KHO's tree and map that are known here, selected by the name in the tree. */
import { decode_bitmap_map } from "./bitmap_map.ts";
import { KhoError } from "./kho_error.ts";
import { format_of, type KhoTree, string_block, strings_of } from "./kho_tree.ts";
import { decode_kho_v1, KHO_V1, V1_BLOB } from "./kho_v1.ts";
import { decode_kho_v2, KHO_V2, V2_BLOB } from "./kho_v2.ts";
import { decode_kho_v4, KHO_V4, V4_BLOB } from "./kho_v4.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import type { Memory } from "./kept_memory.ts";
import { decode_map, type Range } from "./preserved_map.ts";
import { u32_big } from "./struct_fields.ts";

export interface TreeFormat {
  readonly name: string;
  /** True when the tree says how large each blob is. Else each blob is a device tree in one page. */
  readonly sizes: boolean;
  decode(bytes: Uint8Array): KhoTree;
  /** Reads the map: the number of its own pages, and the ranges that it preserves. */
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

/** The format of a tree. @throws KhoError when the bytes are not a tree of KHO, or of an unknown format */
export function tree_format(bytes: Uint8Array): TreeFormat {
  const name = format_of(bytes);
  const found = FORMATS.find((format) => format.name === name);
  if (found !== undefined) return found;
  const known = FORMATS.map((format) => format.name).join(", ");
  throw new KhoError("KHO's tree", `its format is "${name}"; known are ${known}`);
}

/** Bytes of a blob. In a format without sizes every blob is a device tree of one page. */
export function blob_size({ sizes }: TreeFormat, size: bigint): bigint {
  return sizes ? size : BigInt(PAGE_SIZE);
}

/**
 * Completes the outgoing tree that debugfs shows. debugfs cuts the file to the length that the tree had at first, with
 * `kexec-metadata` only; when LUO has added its blob, the end of the strings is missing. The strings are always the
 * same, so they can be added. Other bytes are returned unchanged.
 */
export function complete_tree(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 40) return bytes;
  const known = [V4_BLOB, V2_BLOB, V1_BLOB].map(strings_of);
  return known.map((names) => complete(bytes, string_block(names))).find((whole) => whole !== bytes) ?? bytes;
}

function complete(bytes: Uint8Array, strings: Uint8Array): Uint8Array {
  const [total, start, length] = [4, 12, 32].map((at) => u32_big(bytes, at));
  if (start === undefined || total !== start + strings.length || length !== strings.length) return bytes;
  const there = bytes.subarray(start);
  if (bytes.length < start || there.some((byte, index) => byte !== strings[index])) return bytes;
  const whole = new Uint8Array(total);
  whole.set(bytes);
  whole.set(strings, start);
  return whole;
}
