/**
 * `kho-v1`, the tree of Linux 6.16 to 6.19 and of the series of patches (kernel/liveupdate/kexec_handover.c; the header
 * include/linux/kho/abi/kexec_handover.h came in January 2026, after 6.19, with the same format). Written from the
 * sources; not tried on a running kernel. All integers are in the CPU's byte order.
 *
 * | node | properties |
 * |---|---|
 * | / | compatible "kho-v1"; u64 preserved-memory-map: address of the first chunk (`bitmap_map.ts`), 0 for none |
 * | /NAME, one for each blob | u64 fdt: physical address of a device tree |
 */
import { decode_kho_tree, encode_kho_tree, type KhoTree } from "./kho_tree.ts";

export const KHO_V1 = "kho-v1";
export const V1_BLOB = { address: "fdt" };

/** Reads a tree of this format. @throws KhoError also for another format */
export function decode_kho_v1(bytes: Uint8Array, format: string = KHO_V1): KhoTree {
  return decode_kho_tree(bytes, format, V1_BLOB);
}

/**
 * Writes the tree as 6.19 does, which adds blobs to a finished tree. The series wrote the tree in sequence, with other
 * offsets of names.
 */
export function encode_kho_v1(kho: KhoTree, format: string = KHO_V1): Uint8Array {
  return encode_kho_tree(kho, format, V1_BLOB);
}
