/**
 * `memfd-v1`, a preserved memfd without its seals. Two formats have this name: that of Linux 6.19
 * (include/linux/kho/abi/memfd.h) and that of version 6 of the series (include/linux/liveupdate/abi/memfd.h there).
 * Written from the sources; not tried on a running kernel. A file's `data` in LUO is the address of:
 *
 * | | 6.19: struct memfd_luo_ser, packed, 40 bytes | series v6: a device tree of one page |
 * |---|---|---|
 * | position, size | u64 pos @0; u64 size @8 | / u64 pos; u64 size |
 * | folios, kho_vmalloc (`vmalloc.ts`) | u64 nr_folios @16; folios @24 | / u64 nr_folios; folios (none for size 0) |
 * | one folio (`folio_list.ts`) | pfn in the low bits | pfn in the high bits |
 */
import { decode_fdt, is_fdt, property } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { decode_folio_list, encode_folio_list, type FolioList, type PfnPlace } from "./folio_list.ts";
import { u64_of } from "./kho_tree.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read, type WritableMemory } from "./kept_memory.ts";
import { u64, words } from "./struct_fields.ts";
import { decode_descriptor, encode_descriptor, VMALLOC_SIZE, type VmallocDescriptor } from "./vmalloc.ts";

export const MEMFD_V1 = "memfd-v1";
export const MEMFD_V1_SIZE = 40;
const NO_LIST: VmallocDescriptor = { first: 0n, total_pages: 0, flags: 0, order: 0 };

/** Which of the two formats. */
export type MemfdV1Form = "6.19" | "series v6";

/** The values before the folios, in both forms. */
export interface MemfdV1Head {
  readonly form: MemfdV1Form;
  readonly position: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Entries in the list of folios. */
  readonly count: bigint;
  readonly descriptor: VmallocDescriptor;
}

export interface MemfdV1 extends Omit<MemfdV1Head, "count" | "descriptor">, FolioList {}

export function pfn_place(form: MemfdV1Form): PfnPlace {
  return form === "6.19" ? "low" : "high";
}

/** Reads either form; the first bytes tell which. @throws KhoError naming `thing` */
export function decode_memfd_v1(memory: Memory, address: bigint, thing: string): MemfdV1 {
  const { count, descriptor, ...head } = decode_head(memory, address, thing);
  return { ...head, ...decode_folio_list(memory, descriptor, count, pfn_place(head.form), thing) };
}

/** Reads the values before the folios. @throws KhoError naming `thing` */
export function decode_head(memory: Memory, address: bigint, thing: string): MemfdV1Head {
  const bytes = read(memory, address, MEMFD_V1_SIZE, thing);
  if (is_fdt(bytes)) return decode_tree(read(memory, address, PAGE_SIZE, thing), thing);
  return {
    form: "6.19",
    position: u64(bytes, 0),
    size: u64(bytes, 8),
    count: u64(bytes, 16),
    descriptor: decode_descriptor(bytes.subarray(24, 24 + VMALLOC_SIZE), thing),
  };
}

function decode_tree(bytes: Uint8Array, thing: string): MemfdV1Head {
  const { root } = decode_fdt(bytes, thing);
  const size = u64_of(root, "size", thing);
  const folios = property(root, "folios");
  return {
    form: "series v6",
    position: u64_of(root, "pos", thing),
    size,
    count: size === 0n ? 0n : u64_of(root, "nr_folios", thing),
    descriptor: folios === undefined ? NO_LIST : decode_descriptor(folios, thing),
  };
}

/** Writes the struct or tree, the list of folios and its chunks, but not the contents of the file. */
export function encode_memfd_v1(memory: WritableMemory, address: bigint, memfd: MemfdV1): void {
  const count = BigInt(memfd.folios.length);
  memory.write(address, encode_head({ ...memfd, count, descriptor: memfd.area }));
  encode_folio_list(memory, memfd, pfn_place(memfd.form));
}

/** The struct, or the tree as libfdt's sequential writing leaves it. */
export function encode_head({ form, position, size, count, descriptor }: MemfdV1Head): Uint8Array {
  if (form === "6.19") {
    const bytes = new Uint8Array(MEMFD_V1_SIZE);
    bytes.set(words(position, size, count));
    bytes.set(encode_descriptor(descriptor), 24);
    return bytes;
  }
  const list = size === 0n ? [] : [
    { name: "nr_folios", value: words(count) },
    { name: "folios", value: encode_descriptor(descriptor) },
  ];
  const properties = [{ name: "pos", value: words(position) }, { name: "size", value: words(size) }, ...list];
  return encode_fdt({
    strings: properties.map(({ name }) => name).reverse(),
    root: { name: "", properties, children: [] },
  });
}
