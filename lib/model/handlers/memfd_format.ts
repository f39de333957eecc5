/**
 * A preserved memfd as the next kernel reads it, in this kernel's memory: struct memfd_luo_ser and the list of its folios
 * (mm/memfd_luo.c; layout in `lib/kho/memfd_v2.ts`, `memfd_v1.ts`). The list is written page by page, not entry by entry: there are many.
 */
import { FOLIO_SIZE, type PfnPlace } from "../../kho/folio_list.ts";
import * as v1 from "../../kho/memfd_v1.ts";
import * as v2 from "../../kho/memfd_v2.ts";
import type { VmallocDescriptor } from "../../kho/vmalloc.ts";
import type { Run } from "../fs/page_cache.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";

/** MEMFD_LUO_FOLIO_DIRTY | MEMFD_LUO_FOLIO_UPTODATE: every page, whatever it was. */
const FLAGS = 3;
const PER_PAGE = PAGE_SIZE / FOLIO_SIZE;

export interface MemfdHeader {
  readonly position: bigint;
  readonly size: bigint;
  readonly seals: number;
  /** Entries in the list of folios. */
  readonly count: number;
  readonly folios: VmallocDescriptor;
}

/** How a release writes it. */
export interface MemfdFormat {
  /** Bytes to allocate. */
  readonly size: number;
  readonly pfn: PfnPlace;
  encode(header: MemfdHeader): Uint8Array;
  /** @throws KhoError for what cannot be one */
  decode(memory: Physical, address: bigint): MemfdHeader;
}

export const NO_FOLIOS: VmallocDescriptor = { first: 0n, total_pages: 0, flags: 0, order: 0 };

/** What the structs have of it: unsigned, and counts of 64 bits. */
function raw({ position, size, seals, count, folios }: MemfdHeader) {
  return {
    position: BigInt.asUintN(64, position),
    size: BigInt.asUintN(64, size),
    seals,
    count: BigInt(count),
    descriptor: folios,
  };
}

function cooked(head: v1.MemfdV1Head | v2.MemfdV2Head): MemfdHeader {
  return {
    position: BigInt.asIntN(64, head.position),
    size: BigInt.asIntN(64, head.size),
    seals: "seals" in head ? head.seals : 0,
    count: Number(head.count),
    folios: head.descriptor,
  };
}

export const MEMFD_V2: MemfdFormat = {
  size: v2.MEMFD_V2_SIZE,
  pfn: "low",
  encode: (header) => v2.encode_head({ ...raw(header), flags: 0 }),
  decode: (memory, address) => cooked(v2.decode_head(memory, address, "a memfd")),
};

/** No seals; of the series a device tree, of 6.19 a struct. */
export function memfd_v1(form: v1.MemfdV1Form): MemfdFormat {
  return {
    size: form === "6.19" ? v1.MEMFD_V1_SIZE : PAGE_SIZE,
    pfn: v1.pfn_place(form),
    encode: (header) => v1.encode_head({ ...raw(header), form }),
    decode: (memory, address) => cooked(v1.decode_head(memory, address, "a memfd")),
  };
}

/** Pages for a list of so many folios. */
export function list_pages(folios: number): number {
  return Math.ceil(folios / PER_PAGE);
}

/** One entry for each page of the runs, into the pages of the list. */
export function write_folios(
  ram: Ram,
  list: readonly number[],
  runs: readonly Run[],
  pfn: PfnPlace,
): void {
  let [at, entries] = [0, new Uint32Array(0)];
  for (const { index, extent } of runs) {
    for (let page = 0; page < extent.count; page++, at++) {
      if (at % PER_PAGE === 0) entries = list_words(ram, list, at);
      const frame = extent.base + page;
      if (pfn === "low") put(entries, at % PER_PAGE * 4, frame, FLAGS << 20);
      else put(entries, at % PER_PAGE * 4, frame * 4096 + FLAGS, 0);
      put(entries, at % PER_PAGE * 4 + 2, index + page, 0);
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
  pfn: PfnPlace,
): Iterable<{ readonly frame: number; readonly index: number }> {
  let entries = new Uint32Array(0);
  for (let at = 0; at < Math.min(count, list.length * PER_PAGE); at++) {
    if (at % PER_PAGE === 0) entries = list_words(ram, list, at);
    const word = at % PER_PAGE * 4;
    const [low, high] = [entries[word] ?? 0, entries[word + 1] ?? 0];
    const frame = pfn === "low"
      ? low + (high & 0xfffff) * 2 ** 32
      : Math.floor((low + high * 2 ** 32) / 4096);
    const index = (entries[word + 2] ?? 0) + (entries[word + 3] ?? 0) * 2 ** 32;
    if (frame !== 0) yield { frame, index };
  }
}
