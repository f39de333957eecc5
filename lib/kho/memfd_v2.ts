/**
 * `memfd-v2`, a preserved memfd of Linux 7.2 and 7.3 (include/linux/kho/abi/memfd.h). A file's `data` in LUO is its
 * address.
 *
 * | struct | layout |
 * |---|---|
 * | memfd_luo_ser, bytes 0 to 23 | u64 pos @0; u64 size @8; u32 seals @16; u32 flags @20: 0 |
 * | memfd_luo_ser, bytes 24 to 47 | u64 nr_folios @24; kho_vmalloc folios @32 (`vmalloc.ts`) |
 *
 * A file of size 0 has no folios and no vmalloc area. Only the preserved-memory map says the order of a folio.
 */
import { decode_folio_list, encode_folio_list, type FolioList } from "./folio_list.ts";
import { type Memory, read, type WritableMemory } from "./kept_memory.ts";
import { u32, u64, view, words } from "./struct_fields.ts";
import { decode_descriptor, encode_descriptor, VMALLOC_SIZE, type VmallocDescriptor } from "./vmalloc.ts";

export const MEMFD_V2 = "memfd-v2";
export const MEMFD_V2_SIZE = 48;

/** struct memfd_luo_ser. */
export interface MemfdV2Head {
  readonly position: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** F_SEAL_ flags of fcntl(2). */
  readonly seals: number;
  readonly flags: number;
  /** Entries in the list of folios. */
  readonly count: bigint;
  readonly descriptor: VmallocDescriptor;
}

export interface MemfdV2 extends Omit<MemfdV2Head, "count" | "descriptor">, FolioList {}

/** Reads the struct and the list of folios. @throws KhoError naming `thing` */
export function decode_memfd_v2(memory: Memory, address: bigint, thing: string): MemfdV2 {
  const { count, descriptor, ...head } = decode_head(memory, address, thing);
  return { ...head, ...decode_folio_list(memory, descriptor, count, "low", thing) };
}

/** Reads the struct. @throws KhoError naming `thing` */
export function decode_head(memory: Memory, address: bigint, thing: string): MemfdV2Head {
  const bytes = read(memory, address, MEMFD_V2_SIZE, thing);
  return {
    position: u64(bytes, 0),
    size: u64(bytes, 8),
    seals: u32(bytes, 16),
    flags: u32(bytes, 20),
    count: u64(bytes, 24),
    descriptor: decode_descriptor(bytes.subarray(32, 32 + VMALLOC_SIZE), thing),
  };
}

/** Writes the struct, the list of folios and its chunks, but not the contents of the file. */
export function encode_memfd_v2(memory: WritableMemory, address: bigint, memfd: MemfdV2): void {
  const count = BigInt(memfd.folios.length);
  memory.write(address, encode_head({ ...memfd, count, descriptor: memfd.area }));
  encode_folio_list(memory, memfd, "low");
}

export function encode_head({ position, size, seals, flags, count, descriptor }: MemfdV2Head): Uint8Array {
  const bytes = new Uint8Array(MEMFD_V2_SIZE);
  bytes.set(words(position, size));
  view(bytes).setUint32(16, seals, true);
  view(bytes).setUint32(20, flags, true);
  bytes.set(words(count), 24);
  bytes.set(encode_descriptor(descriptor), 32);
  return bytes;
}
