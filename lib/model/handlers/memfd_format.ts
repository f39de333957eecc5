/**
 * The handover data of a memfd in this kernel's memory: struct memfd_luo_ser and the list of its folios
 * (mm/memfd_luo.c; layout in `lib/kho/memfd_v2.ts` and `memfd_v1.ts`). The list can be long, so this file writes it
 * page by page and not entry by entry.
 */
import { FOLIO_SIZE, type PfnPlace } from "../../kho/folio_list.ts";
import * as v1 from "../../kho/memfd_v1.ts";
import * as v2 from "../../kho/memfd_v2.ts";
import type { VmallocDescriptor } from "../../kho/vmalloc.ts";
import type { Run } from "../fs/page_cache.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";

/** MEMFD_LUO_FOLIO_DIRTY | MEMFD_LUO_FOLIO_UPTODATE: Linux sets both for every page. */
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

/** How one release writes the data. */
export interface MemfdFormat {
  /** Bytes of the struct. */
  readonly size: number;
  readonly pfn: PfnPlace;
  encode(header: MemfdHeader): Uint8Array;
  /** @throws KhoError when the bytes are no such struct */
  decode(memory: Physical, address: bigint): MemfdHeader;
}

export const NO_FOLIOS: VmallocDescriptor = { first: 0n, total_pages: 0, flags: 0, order: 0 };

/** The values as the structs hold them: unsigned, with counts of 64 bits. */
function to_struct({ position, size, seals, count, folios }: MemfdHeader) {
  return {
    position: BigInt.asUintN(64, position),
    size: BigInt.asUintN(64, size),
    seals,
    count: BigInt(count),
    descriptor: folios,
  };
}

function from_struct(head: v1.MemfdV1Head | v2.MemfdV2Head): MemfdHeader {
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
  encode: (header) => v2.encode_head({ ...to_struct(header), flags: 0 }),
  decode: (memory, address) => from_struct(v2.decode_head(memory, address, "a memfd")),
};

/** The formats without seals: a device tree in the series, a struct in 6.19. */
export function memfd_v1(form: v1.MemfdV1Form): MemfdFormat {
  return {
    size: form === "6.19" ? v1.MEMFD_V1_SIZE : PAGE_SIZE,
    pfn: v1.pfn_place(form),
    encode: (header) => v1.encode_head({ ...to_struct(header), form }),
    decode: (memory, address) => from_struct(v1.decode_head(memory, address, "a memfd")),
  };
}

/** Number of pages that hold a list of `folios` entries. */
export function list_pages(folios: number): number {
  return Math.ceil(folios / PER_PAGE);
}

/** Writes one entry for each page of the runs into the pages of the list. */
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

/** The entries of the list that have a page: the frame, and the page's index in the file. */
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
