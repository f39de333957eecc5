/**
 * The list of a preserved memfd's folios, in a vmalloc area: two u64 for each folio. The first has the page frame
 * number and flags (1 dirty, 2 up to date); the second is the page of the file.
 *
 * | first word | release |
 * |---|---|
 * | pfn in the low 52 bits, flags in the high 12 | Linux since 6.19 (include/linux/kho/abi/memfd.h) |
 * | flags in the low 12 bits, pfn in the high 52 | version 6 of the series before it |
 */
import { KhoError } from "./kho_error.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import type { Memory, WritableMemory } from "./kept_memory.ts";
import { u64 } from "./struct_fields.ts";
import {
  decode_area,
  encode_area,
  read_area,
  type VmallocArea,
  type VmallocDescriptor,
  write_area,
} from "./vmalloc.ts";

/** Bytes of an entry. */
export const FOLIO_SIZE = 16;

/** Which bits of the first word hold the page frame number. */
export type PfnPlace = "low" | "high";

export interface Folio {
  /** Page frame number: physical address / 4096. */
  readonly pfn: bigint;
  /** 1 dirty, 2 up to date. */
  readonly flags: number;
  /** Index of the page in the file. */
  readonly index: bigint;
}

export interface FolioList {
  readonly folios: readonly Folio[];
  readonly area: VmallocArea;
}

/** Reads a list of `count` folios. @throws KhoError naming `thing` when the list is damaged or shorter */
export function decode_folio_list(
  memory: Memory,
  descriptor: VmallocDescriptor,
  count: bigint,
  place: PfnPlace,
  thing: string,
): FolioList {
  const list = `the folios of ${thing}`;
  const area = decode_area(memory, descriptor, list);
  if (count > BigInt(area.total_pages * (PAGE_SIZE / FOLIO_SIZE))) {
    throw new KhoError(thing, `${count} folios listed in ${area.total_pages} pages`);
  }
  const bytes = read_area(memory, area, Number(count) * FOLIO_SIZE, list);
  const folios = Array.from({ length: Number(count) }, (_, index) => ({
    ...unpack(u64(bytes, index * FOLIO_SIZE), place),
    index: u64(bytes, index * FOLIO_SIZE + 8),
  }));
  return { folios, area };
}

function unpack(word: bigint, place: PfnPlace): Omit<Folio, "index"> {
  return place === "low"
    ? { pfn: BigInt.asUintN(52, word), flags: Number(word >> 52n) }
    : { pfn: word >> 12n, flags: Number(word & 0xfffn) };
}

/** Writes the chunks of the area, and the list into its pages. */
export function encode_folio_list(
  memory: WritableMemory,
  { folios, area }: FolioList,
  place: PfnPlace,
): void {
  const list = new BigUint64Array(folios.length * 2);
  folios.forEach(({ pfn, flags, index }, at) => {
    list[at * 2] = place === "low" ? BigInt(flags) << 52n | pfn : pfn << 12n | BigInt(flags);
    list[at * 2 + 1] = index;
  });
  encode_area(memory, area);
  write_area(memory, area, new Uint8Array(list.buffer));
}
