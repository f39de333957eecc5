/**
 * `kho-v4`, the tree of Linux 7.2 and 7.3 (include/linux/kho/abi/kexec_handover.h). Its u64 are in the CPU's byte order, not in
 * the big endian of device trees.
 *
 * | node | properties |
 * |---|---|
 * | / | compatible "kho-v4"; u64 preserved-memory-map: physical address of the map's root (`preserved_map.ts`) |
 * | /NAME, one for each blob | u64 preserved-data: its physical address; u64 blob-size: bytes |
 */
import { KhoError } from "./error.ts";
import { decode_fdt, type Fdt, type FdtNode, property } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { PAGE_SIZE } from "./memory.ts";
import { exactly, u32_big, u64, words } from "./struct.ts";

export const KHO_V4 = "kho-v4";

export interface Blob {
  /** "LUO", "kexec-metadata", "memblock". */
  readonly name: string;
  /** Physical address. */
  readonly address: bigint;
  /** Bytes. */
  readonly size: bigint;
}

export interface KhoV4 {
  /** Physical address of the preserved-memory map. */
  readonly map: bigint;
  /** The newest first, as libfdt adds them. */
  readonly blobs: readonly Blob[];
}

/** The string in `compatible` of a tree's root, whatever format that is. @throws KhoError when there is none */
export function compatible_of(node: FdtNode, thing: string): string {
  const value = property(node, "compatible");
  const text = value === undefined ? "" : new TextDecoder().decode(value);
  if (!/^[!-~]+\0$/.test(text)) throw new KhoError(thing, "no compatible string");
  return text.slice(0, -1);
}

/** A property that is one u64. @throws KhoError when it is missing or of another size */
export function u64_of(node: FdtNode, name: string, thing: string): bigint {
  const value = property(node, name);
  if (value === undefined) throw new KhoError(thing, `no property ${name}`);
  return u64(exactly(value, 8, `${name} of ${thing}`), 0);
}

/** What a tree says it is. @throws KhoError when it is no tree, or says nothing */
export function format_of(bytes: Uint8Array): string {
  return compatible_of(decode_fdt(bytes, "KHO's tree").root, "KHO's tree");
}

/**
 * `format` is for kernels that are made up: what they call this format.
 *
 * @throws KhoError also for another format, which a kernel takes for no handover at all
 */
export function decode_kho_v4(bytes: Uint8Array, format = KHO_V4): KhoV4 {
  const { root } = decode_fdt(bytes, "KHO's tree");
  const compatible = compatible_of(root, "KHO's tree");
  if (compatible !== format) {
    throw new KhoError("KHO's tree", `its format is "${compatible}", not "${format}"`);
  }
  const blobs = root.children.map((node) => ({
    name: node.name,
    address: u64_of(node, "preserved-data", `blob ${node.name}`),
    size: u64_of(node, "blob-size", `blob ${node.name}`),
  }));
  const twice = blobs.find(({ name }, index) => blobs.findIndex((blob) => blob.name === name) !== index);
  if (twice !== undefined) throw new KhoError("KHO's tree", `two blobs ${twice.name}`);
  return { map: u64_of(root, "preserved-memory-map", "KHO's tree"), blobs };
}

/** The same bytes that `kho_add_subtree()` leaves behind. */
export function encode_kho_v4(kho: KhoV4, format = KHO_V4): Uint8Array {
  return encode_fdt(kho_tree(kho, format, true));
}

/** Names of properties as they end up in the strings. */
const ROOT_STRINGS = ["preserved-memory-map", "compatible"];
const STRINGS = [...ROOT_STRINGS, "preserved-data", "blob-size"];

function string_block(names: readonly string[]): Uint8Array {
  return new TextEncoder().encode(names.map((name) => `${name}\0`).join(""));
}

/**
 * The page that is handed over. Behind the tree it is zero but for its very end: there libfdt collected the names of the root's
 * properties before it moved them to where they belong. No kernel reads that; it is in every capture.
 */
export function encode_kho_v4_page(kho: KhoV4, format = KHO_V4): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const left = string_block(ROOT_STRINGS);
  page.set(left, PAGE_SIZE - left.length);
  page.set(encode_kho_v4(kho, format));
  return page;
}

/**
 * What debugfs has of the outgoing tree, made whole. The file has the length that the tree had at first, with kexec-metadata and
 * nothing else; with LUO the end of the strings is cut off, which are always the same. Other bytes are given back as they are.
 */
export function complete_kho_v4(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 40) return bytes;
  const known = [STRINGS, STRINGS.slice(0, 3), [...ROOT_STRINGS, "fdt"]];
  return known.map((names) => complete(bytes, string_block(names))).find((whole) => whole !== bytes) ?? bytes;
}

function complete(bytes: Uint8Array, strings: Uint8Array): Uint8Array {
  const [total, start, length] = [4, 12, 32].map((at) => u32_big(bytes, at));
  if (start === undefined || total !== start + strings.length || length !== strings.length) return bytes;
  const there = bytes.subarray(start);
  if (bytes.length < start || there.some((byte, index) => byte !== strings[index])) return bytes;
  const whole = new Uint8Array(total);
  whole.set(bytes);
  whole.set(strings, start);
  return whole;
}

/**
 * The root was written in sequence, so that the names of its properties stand in the strings newest first; each blob's node was
 * put in later, and its properties before those it had.
 */
export function kho_tree(kho: KhoV4, format: string, sizes: boolean): Fdt {
  const used = kho.blobs.length === 0 ? ROOT_STRINGS : sizes ? STRINGS : STRINGS.slice(0, 3);
  return {
    strings: used,
    root: {
      name: "",
      properties: [
        { name: "compatible", value: new TextEncoder().encode(`${format}\0`) },
        { name: "preserved-memory-map", value: words(kho.map) },
      ],
      children: kho.blobs.map(({ name, address, size }) => ({
        name,
        properties: [
          ...sizes ? [{ name: "blob-size", value: words(size) }] : [],
          { name: "preserved-data", value: words(address) },
        ],
        children: [],
      })),
    },
  };
}
