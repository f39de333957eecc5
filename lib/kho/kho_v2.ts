/**
 * `kho-v2`, the tree of kernels between Linux 6.19 (`kho_v1.ts`) and 7.2 (include/linux/kho/abi/kexec_handover.h of
 * early 2026). It has the map of `kho-v4`, but no sizes of blobs: each blob is a device tree, which contains its own
 * size.
 */
import { decode_kho_tree, encode_kho_tree, type KhoTree } from "./kho_tree.ts";

export const KHO_V2 = "kho-v2";
export const V2_BLOB = { address: "preserved-data" };

/** Reads a tree of this format. @throws KhoError also for another format */
export function decode_kho_v2(bytes: Uint8Array, format = KHO_V2): KhoTree {
  return decode_kho_tree(bytes, format, V2_BLOB);
}

export function encode_kho_v2(kho: KhoTree, format = KHO_V2): Uint8Array {
  return encode_kho_tree(kho, format, V2_BLOB);
}
