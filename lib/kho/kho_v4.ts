/**
 * `kho-v4`, the tree of Linux 7.2 and 7.3 (include/linux/kho/abi/kexec_handover.h). Its u64 are in the CPU's byte
 * order, not in the big endian of device trees.
 *
 * | node | properties |
 * |---|---|
 * | / | compatible "kho-v4"; u64 preserved-memory-map: physical address of the map's root (`preserved_map.ts`) |
 * | /NAME, one for each blob | u64 preserved-data: its physical address; u64 blob-size: bytes |
 */
import { decode_kho_tree, encode_kho_tree, type KhoTree, ROOT_STRINGS, string_block } from "./kho_tree.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";

export const KHO_V4 = "kho-v4";
export const V4_BLOB = { address: "preserved-data", size: "blob-size" };

/**
 * Reads a tree of this format. `format` is the name that a made-up kernel gives it.
 *
 * @throws KhoError also for another format
 */
export function decode_kho_v4(bytes: Uint8Array, format: string = KHO_V4): KhoTree {
  return decode_kho_tree(bytes, format, V4_BLOB);
}

export function encode_kho_v4(kho: KhoTree, format: string = KHO_V4): Uint8Array {
  return encode_kho_tree(kho, format, V4_BLOB);
}

/**
 * The page that is handed over. It is zero after the tree, except at its very end: there libfdt collected the names of
 * the root's properties before it moved them into the tree. No kernel reads these bytes, but every capture has them.
 */
export function encode_kho_v4_page(kho: KhoTree, format: string = KHO_V4): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const left = string_block(ROOT_STRINGS);
  page.set(left, PAGE_SIZE - left.length);
  page.set(encode_kho_v4(kho, format));
  return page;
}
