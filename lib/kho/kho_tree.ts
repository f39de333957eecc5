/**
 * KHO's tree, whatever its version: a root that says where the preserved-memory map is, and a node for each blob. What the
 * versions differ in is the names of a blob's properties (`kho_v1.ts`, `kho_v2.ts`, `kho_v4.ts`).
 */
import { KhoError } from "./kho_error.ts";
import { decode_fdt, type FdtNode, property } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { exactly, u64, words } from "./struct_fields.ts";

export interface Blob {
  /** "LUO", "kexec-metadata", "memblock". */
  readonly name: string;
  /** Physical address. */
  readonly address: bigint;
  /** Bytes; 0 in a version that does not say. */
  readonly size: bigint;
}

export interface KhoTree {
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

/** Names of properties, of u64 each. */
export interface BlobProperties {
  readonly address: string;
  readonly size?: string;
}

/** @throws KhoError also for another format, which a kernel takes for no handover at all */
export function decode_kho_tree(bytes: Uint8Array, format: string, names: BlobProperties): KhoTree {
  const { root } = decode_fdt(bytes, "KHO's tree");
  const compatible = compatible_of(root, "KHO's tree");
  if (compatible !== format) {
    throw new KhoError("KHO's tree", `its format is "${compatible}", not "${format}"`);
  }
  const blobs = root.children.map((node) => ({
    name: node.name,
    address: u64_of(node, names.address, `blob ${node.name}`),
    size: names.size === undefined ? 0n : u64_of(node, names.size, `blob ${node.name}`),
  }));
  const twice = blobs.find(({ name }, index) => blobs.findIndex((blob) => blob.name === name) !== index);
  if (twice !== undefined) throw new KhoError("KHO's tree", `two blobs ${twice.name}`);
  return { map: u64_of(root, "preserved-memory-map", "KHO's tree"), blobs };
}

/** The root was written in sequence, so that the names of its properties stand in the strings newest first. */
export const ROOT_STRINGS = ["preserved-memory-map", "compatible"];

/** All names, as they end up in the strings of a tree with blobs. */
export function strings_of({ address, size }: BlobProperties): string[] {
  return [...ROOT_STRINGS, address, ...size === undefined ? [] : [size]];
}

/** The same bytes that `kho_add_subtree()` leaves behind: each blob's properties stand before those it had. */
export function encode_kho_tree(kho: KhoTree, format: string, names: BlobProperties): Uint8Array {
  return encode_fdt({
    strings: kho.blobs.length === 0 ? ROOT_STRINGS : strings_of(names),
    root: {
      name: "",
      properties: [
        { name: "compatible", value: new TextEncoder().encode(`${format}\0`) },
        { name: "preserved-memory-map", value: words(kho.map) },
      ],
      children: kho.blobs.map(({ name, address, size }) => ({
        name,
        properties: [
          ...names.size === undefined ? [] : [{ name: names.size, value: words(size) }],
          { name: names.address, value: words(address) },
        ],
        children: [],
      })),
    },
  });
}

/** Names as they lie in a tree. */
export function string_block(names: readonly string[]): Uint8Array {
  return new TextEncoder().encode(names.map((name) => `${name}\0`).join(""));
}
