/**
 * `memfd-v1`, a preserved memfd before seals were kept. Two formats have this name: that of Linux 6.19
 * (include/linux/kho/abi/memfd.h) and that of version 6 of the series (include/linux/liveupdate/abi/memfd.h there). From the
 * sources, never seen running. A file's `data` in LUO is the address of:
 *
 * | | 6.19: struct memfd_luo_ser, packed, 40 bytes | series v6: a device tree of one page |
 * |---|---|---|
 * | position, size | u64 pos @0; u64 size @8 | / u64 pos; u64 size |
 * | folios | u64 nr_folios @16; kho_vmalloc folios @24 (`vmalloc.ts`) | / u64 nr_folios; kho_vmalloc folios: both missing when the size is 0 |
 * | one folio, 16 bytes | u64: pfn in the low 52 bits, flags in the high 12; u64 index | u64: flags in the low 12 bits, pfn in the high 52; u64 index |
 */
import { KhoError } from "./error.ts";
import { decode_fdt, is_fdt, property } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { u64_of } from "./kho_tree.ts";
import { type Folio, PFN_BITS } from "./memfd_v2.ts";
import { type Memory, PAGE_SIZE, read, type WritableMemory } from "./memory.ts";
import { u64, words } from "./struct.ts";
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

export const MEMFD_V1 = "memfd-v1";
export const MEMFD_V1_SIZE = 40;
const FOLIO_SIZE = 16;
/** Bits of the flags below the pfn in the series. */
const FLAG_BITS = 12n;
const NO_AREA: VmallocArea = { first: 0n, total_pages: 0, flags: 0, order: 0, chunks: [] };

export interface MemfdV1 {
  /** Whose format this is. */
  readonly form: "6.19" | "series v6";
  readonly position: bigint;
  /** Bytes. */
  readonly size: bigint;
  readonly folios: readonly Folio[];
  readonly area: VmallocArea;
}

/** What comes before the folios, in either form. */
export interface MemfdV1Head {
  readonly form: MemfdV1["form"];
  readonly position: bigint;
  readonly size: bigint;
  readonly count: bigint;
  readonly descriptor: Uint8Array;
}

/** Which form it is shows in its first bytes. @throws KhoError naming `thing` */
export function decode_memfd_v1(memory: Memory, address: bigint, thing: string): MemfdV1 {
  const { form, position, size, count, descriptor } = decode_head(memory, address, thing);
  const list = `the folios of ${thing}`;
  const area = decode_area(memory, decode_descriptor(descriptor, thing), list);
  if (count > BigInt(area.total_pages * (PAGE_SIZE / FOLIO_SIZE))) {
    throw new KhoError(thing, `${count} folios listed in ${area.total_pages} pages`);
  }
  const bytes = read_area(memory, area, Number(count) * FOLIO_SIZE, list);
  const folios = Array.from({ length: Number(count) }, (_, index) => ({
    ...unpack(u64(bytes, index * FOLIO_SIZE), form),
    index: u64(bytes, index * FOLIO_SIZE + 8),
  }));
  return { form, position, size, folios, area };
}

/** @throws KhoError naming `thing` */
export function decode_head(memory: Memory, address: bigint, thing: string): MemfdV1Head {
  const bytes = read(memory, address, MEMFD_V1_SIZE, thing);
  if (is_fdt(bytes)) return decode_tree(read(memory, address, PAGE_SIZE, thing), thing);
  return {
    form: "6.19",
    position: u64(bytes, 0),
    size: u64(bytes, 8),
    count: u64(bytes, 16),
    descriptor: bytes.subarray(24, 24 + VMALLOC_SIZE),
  };
}

function decode_tree(bytes: Uint8Array, thing: string): MemfdV1Head {
  const { root } = decode_fdt(bytes, thing);
  const size = u64_of(root, "size", thing);
  return {
    form: "series v6",
    position: u64_of(root, "pos", thing),
    size,
    count: size === 0n ? 0n : u64_of(root, "nr_folios", thing),
    descriptor: property(root, "folios") ?? encode_descriptor(NO_AREA),
  };
}

function unpack(word: bigint, form: MemfdV1["form"]): Omit<Folio, "index"> {
  return form === "6.19"
    ? { pfn: BigInt.asUintN(Number(PFN_BITS), word), flags: Number(word >> PFN_BITS) }
    : { pfn: word >> FLAG_BITS, flags: Number(BigInt.asUintN(Number(FLAG_BITS), word)) };
}

/** The struct or tree at its address, the list of folios and its chunks; not the file's contents. */
export function encode_memfd_v1(pages: WritableMemory, address: bigint, memfd: MemfdV1): void {
  const { form, position, size, folios, area } = memfd;
  const count = BigInt(folios.length);
  pages.write(address, encode_head({ form, position, size, count, descriptor: encode_descriptor(area) }));
  encode_area(pages, area);
  const shifted = form === "6.19"
    ? ({ pfn, flags }: Folio) => BigInt(flags) << PFN_BITS | pfn
    : ({ pfn, flags }: Folio) => pfn << FLAG_BITS | BigInt(flags);
  const list = new BigUint64Array(folios.flatMap((folio) => [shifted(folio), folio.index]));
  write_area(pages, area, new Uint8Array(list.buffer));
}

/** The struct, or the tree as libfdt's sequential writing leaves it. */
export function encode_head({ form, position, size, count, descriptor }: MemfdV1Head): Uint8Array {
  if (form === "6.19") {
    const bytes = new Uint8Array(MEMFD_V1_SIZE);
    bytes.set(words(position, size, count));
    bytes.set(descriptor, 24);
    return bytes;
  }
  const list = size === 0n ? [] : [
    { name: "nr_folios", value: words(count) },
    { name: "folios", value: descriptor },
  ];
  const properties = [{ name: "pos", value: words(position) }, { name: "size", value: words(size) }, ...list];
  return encode_fdt({
    strings: properties.map(({ name }) => name).reverse(),
    root: { name: "", properties, children: [] },
  });
}
