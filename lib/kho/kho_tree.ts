/**
 * KHO's tree in all its versions: a root with the address of the preserved-memory map, and a node for each blob. The
 * versions differ only in the names of a blob's properties (`kho_v1.ts`, `kho_v2.ts`, `kho_v4.ts`).
 */
import { KhoError } from "./kho_error.ts";
import { decode_fdt, type FdtNode, property } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { exactly, u64, words } from "./struct_fields.ts";

export interface Blob {
  /** Name of the blob: "LUO", "kexec-metadata" or "memblock". */
  readonly name: string;
  /** Physical address. */
  readonly address: bigint;
  /** Bytes; 0 in a version without sizes. */
  readonly size: bigint;
}

export interface KhoTree {
  /** Physical address of the preserved-memory map. */
  readonly map: bigint;
  /** The newest blob first, as libfdt adds them. */
  readonly blobs: readonly Blob[];
}

/** The string in `compatible` of a node. @throws KhoError when there is none */
export function compatible_of(node: FdtNode, thing: string): string {
  const value = property(node, "compatible");
  const text = value === undefined ? "" : new TextDecoder().decode(value);
  if (!/^[!-~]+\0$/.test(text)) throw new KhoError(thing, "no compatible string");
  return text.slice(0, -1);
}

/** The value of a u64 property. @throws KhoError when it is missing or of another size */
export function u64_of(node: FdtNode, name: string, thing: string): bigint {
  const value = property(node, name);
  if (value === undefined) throw new KhoError(thing, `no property ${name}`);
  return u64(exactly(value, 8, `${name} of ${thing}`), 0);
}

/** The format that a tree names. @throws KhoError when the bytes are no tree, or name no format */
export function format_of(bytes: Uint8Array): string {
  return compatible_of(decode_fdt(bytes, "KHO's tree").root, "KHO's tree");
}

/** The names of a blob's properties, which are u64. */
export interface BlobProperties {
  readonly address: string;
  readonly size?: string;
}

/** Reads a tree. @throws KhoError also for another format. A kernel boots without the handover then */
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

/** The names of the root's properties in the strings. libfdt's sequential writing puts the newest first. */
export const ROOT_STRINGS: readonly string[] = ["preserved-memory-map", "compatible"];

/** All names in the strings of a tree with blobs, in their order. */
export function strings_of({ address, size }: BlobProperties): string[] {
  return [...ROOT_STRINGS, address, ...size === undefined ? [] : [size]];
}

/** Writes the same bytes as `kho_add_subtree()`, which puts the properties of a blob in reverse order. */
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

/** The bytes of a strings block. */
export function string_block(names: readonly string[]): Uint8Array {
  return new TextEncoder().encode(names.map((name) => `${name}\0`).join(""));
}
