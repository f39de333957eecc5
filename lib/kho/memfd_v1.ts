/**
 * `memfd-v1`, a preserved memfd of Linux 6.19 (include/linux/kho/abi/memfd.h): `memfd-v2` without seals and flags.
 *
 * | struct | layout |
 * |---|---|
 * | memfd_luo_ser, 40 bytes | u64 pos @0; u64 size @8; u64 nr_folios @16; kho_vmalloc folios @24 (`vmalloc.ts`) |
 *
 * The list of folios is that of `memfd-v2`.
 */
import { encode_folios, type MemfdV2, read_folios } from "./memfd_v2.ts";
import { type Memory, read, type WritableMemory } from "./memory.ts";
import { u64, words } from "./struct.ts";
import { encode_area, encode_descriptor, write_area } from "./vmalloc.ts";

export const MEMFD_V1 = "memfd-v1";
const MEMFD_V1_SIZE = 40;

export type MemfdV1 = Omit<MemfdV2, "seals" | "flags">;

/** @throws KhoError naming `thing` */
export function decode_memfd_v1(memory: Memory, address: bigint, thing: string): MemfdV1 {
  const bytes = read(memory, address, MEMFD_V1_SIZE, thing);
  return { position: u64(bytes, 0), size: u64(bytes, 8), ...read_folios(memory, bytes, 16, thing) };
}

/** The struct at its address, the list of folios and its chunks; not the file's contents. */
export function encode_memfd_v1(memory: WritableMemory, address: bigint, memfd: MemfdV1): void {
  const bytes = new Uint8Array(MEMFD_V1_SIZE);
  bytes.set(words(memfd.position, memfd.size, BigInt(memfd.folios.length)));
  bytes.set(encode_descriptor(memfd.area), 24);
  memory.write(address, bytes);
  encode_area(memory, memfd.area);
  write_area(memory, memfd.area, encode_folios(memfd.folios));
}
