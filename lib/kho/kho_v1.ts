/**
 * `kho-v1`, the tree of Linux 6.16 to 6.19 and of the series of patches (kernel/liveupdate/kexec_handover.c; the header
 * include/linux/kho/abi/kexec_handover.h came in January 2026, after 6.19, with the same format). From the sources, never seen
 * running. All integers are in the CPU's byte order.
 *
 * | node | properties |
 * |---|---|
 * | / | compatible "kho-v1"; u64 preserved-memory-map: physical address of the first chunk (`bitmap_map.ts`), 0 for none |
 * | /NAME, one for each blob | u64 fdt: physical address of a device tree |
 */
import { KhoError } from "./error.ts";
import { decode_fdt } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { compatible_of, type KhoV4, u64_of } from "./kho_v4.ts";
import { words } from "./struct.ts";

export const KHO_V1 = "kho-v1";

/** Sizes are 0: they are not there. @throws KhoError also for another format */
export function decode_kho_v1(bytes: Uint8Array, format = KHO_V1): KhoV4 {
  const { root } = decode_fdt(bytes, "KHO's tree");
  const compatible = compatible_of(root, "KHO's tree");
  if (compatible !== format) {
    throw new KhoError("KHO's tree", `its format is "${compatible}", not "${format}"`);
  }
  const blobs = root.children.map((node) => ({
    name: node.name,
    address: u64_of(node, "fdt", `blob ${node.name}`),
    size: 0n,
  }));
  return { map: u64_of(root, "preserved-memory-map", "KHO's tree"), blobs };
}

/** As 6.19 leaves it, where blobs are added to a finished tree; the series wrote all in sequence, with other offsets of names. */
export function encode_kho_v1(kho: KhoV4, format = KHO_V1): Uint8Array {
  return encode_fdt({
    strings: ["preserved-memory-map", "compatible", ...kho.blobs.length === 0 ? [] : ["fdt"]],
    root: {
      name: "",
      properties: [
        { name: "compatible", value: new TextEncoder().encode(`${format}\0`) },
        { name: "preserved-memory-map", value: words(kho.map) },
      ],
      children: kho.blobs.map(({ name, address }) => ({
        name,
        properties: [{ name: "fdt", value: words(address) }],
        children: [],
      })),
    },
  });
}
