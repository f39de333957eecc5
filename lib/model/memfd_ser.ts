/**
 * A preserved memfd as the next kernel reads it, in this kernel's memory: struct memfd_luo_ser and the list of its folios
 * (mm/memfd_luo.c; layout in `lib/kho/memfd_v2.ts`). The list is written page by page, not entry by entry: there are many.
 */
import { encode_descriptor, type VmallocArea } from "../kho/vmalloc.ts";
import { decode_descriptor, VMALLOC_SIZE, type VmallocDescriptor } from "../kho/vmalloc.ts";
import type { Run } from "./page_cache.ts";
import { PAGE_SIZE } from "./pages.ts";
import { Physical } from "./physical.ts";
import type { Ram } from "./ram.ts";

/** Where the fields of the struct are, in bytes; memfd-v1 has no seals and flags. */
export interface MemfdLayout {
  readonly size: number;
  readonly seals: number | undefined;
  readonly count: number;
  readonly folios: number;
}

/** Of 6.19: {u64 pos; u64 size; u64 nr_folios; kho_vmalloc folios}. */
export const MEMFD_V1_LAYOUT: MemfdLayout = { size: 40, seals: undefined, count: 16, folios: 24 };

export const MEMFD_V2_LAYOUT: MemfdLayout = { size: 48, seals: 16, count: 24, folios: 32 };

/** MEMFD_LUO_FOLIO_DIRTY | MEMFD_LUO_FOLIO_UPTODATE: every page, whatever it was. */
const FLAGS = 3;
const FOLIO_SIZE = 16;
const PER_PAGE = PAGE_SIZE / FOLIO_SIZE;

export interface MemfdHeader {
  readonly position: bigint;
  readonly size: bigint;
  readonly seals: number;
  /** Entries in the list of folios. */
  readonly count: number;
  readonly folios: VmallocDescriptor;
}

export function write_header(
  ram: Ram,
  address: number,
  layout: MemfdLayout,
  header: Omit<MemfdHeader, "folios"> & { readonly folios: VmallocArea | undefined },
): void {
  const struct = new Physical(ram).struct(address, layout.size);
  struct.setBigInt64(0, header.position, true);
  struct.setBigInt64(8, header.size, true);
  if (layout.seals !== undefined) struct.setUint32(layout.seals, header.seals, true);
  struct.setBigUint64(layout.count, BigInt(header.count), true);
  if (header.folios === undefined) return;
  new Uint8Array(struct.buffer, struct.byteOffset + layout.folios).set(encode_descriptor(header.folios));
}

export function write_position(ram: Ram, address: number, position: bigint): void {
  new Physical(ram).struct(address, 8).setBigInt64(0, position, true);
}

export function read_header(ram: Ram, address: number, layout: MemfdLayout): MemfdHeader {
  const struct = new Physical(ram).struct(address, layout.size);
  const folios = new Uint8Array(struct.buffer, struct.byteOffset + layout.folios, VMALLOC_SIZE);
  return {
    position: struct.getBigInt64(0, true),
    size: struct.getBigInt64(8, true),
    seals: layout.seals === undefined ? 0 : struct.getUint32(layout.seals, true),
    count: Number(struct.getBigUint64(layout.count, true)),
    folios: decode_descriptor(folios, "a memfd"),
  };
}

/** Pages for a list of so many folios. */
export function list_pages(folios: number): number {
  return Math.ceil(folios / PER_PAGE);
}

/** One entry for each page of the runs, into the pages of the list. */
export function write_folios(ram: Ram, list: readonly number[], runs: readonly Run[]): void {
  let [at, words] = [0, new Uint32Array(0)];
  for (const { index, extent } of runs) {
    for (let page = 0; page < extent.count; page++, at++) {
      if (at % PER_PAGE === 0) words = list_words(ram, list, at);
      put(words, at % PER_PAGE * 4, extent.base + page, FLAGS << 20);
      put(words, at % PER_PAGE * 4 + 2, index + page, 0);
    }
  }
}

function list_words(ram: Ram, list: readonly number[], at: number): Uint32Array<ArrayBuffer> {
  const page = ram.page(list[at / PER_PAGE] ?? 0) ?? new Uint8Array(PAGE_SIZE);
  return new Uint32Array(page.buffer, page.byteOffset, PAGE_SIZE / 4);
}

function put(words: Uint32Array, at: number, value: number, high: number): void {
  words[at] = value;
  words[at + 1] = Math.floor(value / 2 ** 32) | high;
}

/** Each entry that has a page: its frame, and its page of the file. */
export function* read_folios(
  ram: Ram,
  list: readonly number[],
  count: number,
): Iterable<{ readonly frame: number; readonly index: number }> {
  let words = new Uint32Array(0);
  for (let at = 0; at < Math.min(count, list.length * PER_PAGE); at++) {
    if (at % PER_PAGE === 0) words = list_words(ram, list, at);
    const word = at % PER_PAGE * 4;
    const frame = (words[word] ?? 0) + ((words[word + 1] ?? 0) & 0xfffff) * 2 ** 32;
    const index = (words[word + 2] ?? 0) + (words[word + 3] ?? 0) * 2 ** 32;
    if (frame !== 0) yield { frame, index };
  }
}
