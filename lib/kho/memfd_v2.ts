/**
 * `memfd-v2`, a preserved memfd of Linux 7.2 and 7.3 (include/linux/kho/abi/memfd.h). A file's `data` in LUO is its address.
 *
 * | struct | layout |
 * |---|---|
 * | memfd_luo_ser, 48 bytes | u64 pos @0; u64 size @8; u32 seals @16; u32 flags @20: 0; u64 nr_folios @24; kho_vmalloc folios @32 (`vmalloc.ts`) |
 * | memfd_luo_folio_ser, 16 | u64 @0: pfn in the low 52 bits, flags in the high 12 (1 dirty, 2 up to date); u64 index @8: page of the file |
 *
 * A file of size 0 has no folios, and no vmalloc area. A folio's order is not here but in the preserved-memory map.
 */
import { KhoError } from "./error.ts";
import { type Memory, PAGE_SIZE, read, type WritableMemory } from "./memory.ts";
import { exactly, u32, u64, view, words } from "./struct.ts";
import {
  decode_area,
  decode_descriptor,
  encode_area,
  encode_descriptor,
  read_area,
  VMALLOC_SIZE,
  type VmallocArea,
  write_area,
} from "./vmalloc.ts";

export const MEMFD_V2 = "memfd-v2";
export const MEMFD_V2_SIZE = 48;
const FOLIO_SIZE = 16;
/** Of the pfn in a folio's first word; above it are the flags. */
export const PFN_BITS = 52n;

export interface Folio {
  /** Page frame number: physical address / 4096. */
  readonly pfn: bigint;
  /** 1 dirty, 2 up to date. */
  readonly flags: number;
  /** Page of the file. */
  readonly index: bigint;
}

export interface MemfdV2 {
  readonly position: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** F_SEAL_ flags of fcntl(2). */
  readonly seals: number;
  readonly flags: number;
  readonly folios: readonly Folio[];
  readonly area: VmallocArea;
}

/** @throws KhoError naming `thing` */
export function decode_memfd_v2(memory: Memory, address: bigint, thing: string): MemfdV2 {
  const bytes = exactly(read(memory, address, MEMFD_V2_SIZE, thing), MEMFD_V2_SIZE, thing);
  return {
    position: u64(bytes, 0),
    size: u64(bytes, 8),
    seals: u32(bytes, 16),
    flags: u32(bytes, 20),
    ...read_folios(memory, bytes, 24, thing),
  };
}

/**
 * What memfd-v1 has too: from `at` on the number of folios, and the descriptor of their list.
 *
 * @throws KhoError for a list that is shorter
 */
export function read_folios(
  memory: Memory,
  bytes: Uint8Array,
  at: number,
  thing: string,
): { folios: Folio[]; area: VmallocArea } {
  const count = u64(bytes, at);
  const descriptor = decode_descriptor(bytes.subarray(at + 8, at + 8 + VMALLOC_SIZE), thing);
  const area = decode_area(memory, descriptor, `the folios of ${thing}`);
  if (count > BigInt(area.total_pages * (PAGE_SIZE / FOLIO_SIZE))) {
    throw new KhoError(thing, `${count} folios listed in ${area.total_pages} pages`);
  }
  const list = read_area(memory, area, Number(count) * FOLIO_SIZE, `the folios of ${thing}`);
  return { folios: decode_folios(list), area };
}

function decode_folios(list: Uint8Array): Folio[] {
  return Array.from({ length: list.length / FOLIO_SIZE }, (_, index) => {
    const word = u64(list, index * FOLIO_SIZE);
    return {
      pfn: BigInt.asUintN(Number(PFN_BITS), word),
      flags: Number(word >> PFN_BITS),
      index: u64(list, index * FOLIO_SIZE + 8),
    };
  });
}

/** The struct at its address, the list of folios and its chunks; not the file's contents. */
export function encode_memfd_v2(pages: WritableMemory, address: bigint, memfd: MemfdV2): void {
  const bytes = new Uint8Array(MEMFD_V2_SIZE);
  bytes.set(words(memfd.position, memfd.size));
  view(bytes).setUint32(16, memfd.seals, true);
  view(bytes).setUint32(20, memfd.flags, true);
  bytes.set(words(BigInt(memfd.folios.length)), 24);
  bytes.set(encode_descriptor(memfd.area), 32);
  pages.write(address, bytes);
  encode_area(pages, memfd.area);
  write_area(pages, memfd.area, encode_folios(memfd.folios));
}

/** The list of folios, as it lies in the pages of its area. */
export function encode_folios(folios: readonly Folio[]): Uint8Array {
  const list = new BigUint64Array(folios.length * 2);
  folios.forEach(({ pfn, flags, index }, at) => {
    list[at * 2] = BigInt(flags) << PFN_BITS | pfn;
    list[at * 2 + 1] = index;
  });
  return new Uint8Array(list.buffer);
}
