/**
 * `kho-v2`, a tree between Linux 6.19 (`kho_v1.ts`) and 7.2 (include/linux/kho/abi/kexec_handover.h of early 2026): that of
 * `kho-v4`, with its map, without the sizes of blobs. A blob is a device tree, which says its own size.
 */
import { KhoError } from "./error.ts";
import { decode_fdt } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { compatible_of, kho_tree, type KhoV4, u64_of } from "./kho_v4.ts";

export const KHO_V2 = "kho-v2";

/** Sizes are 0: they are not there. @throws KhoError also for another format */
export function decode_kho_v2(bytes: Uint8Array, format = KHO_V2): KhoV4 {
  const { root } = decode_fdt(bytes, "KHO's tree");
  const compatible = compatible_of(root, "KHO's tree");
  if (compatible !== format) {
    throw new KhoError("KHO's tree", `its format is "${compatible}", not "${format}"`);
  }
  const blobs = root.children.map((node) => ({
    name: node.name,
    address: u64_of(node, "preserved-data", `blob ${node.name}`),
    size: 0n,
  }));
  return { map: u64_of(root, "preserved-memory-map", "KHO's tree"), blobs };
}

export function encode_kho_v2(kho: KhoV4, format = KHO_V2): Uint8Array {
  return encode_fdt(kho_tree(kho, format, false));
}
