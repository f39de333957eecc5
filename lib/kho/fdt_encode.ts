/**
 * Writes device trees, with the blocks in the order of libfdt's `fdt_pack`: header, reservations, structure, strings.
 */
import { KhoError } from "./kho_error.ts";
import type { Fdt, FdtNode } from "./fdt.ts";
import { join } from "./struct_fields.ts";

const encoder = new TextEncoder();

/** Collects big-endian words and padded bytes. */
class Structure {
  readonly #parts: Uint8Array[] = [];

  u32(...values: readonly number[]): this {
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    values.forEach((value, index) => view.setUint32(index * 4, value));
    return this.bytes(bytes);
  }

  /** Appends bytes, padded with zeros to a multiple of 4. */
  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes, new Uint8Array(-bytes.length & 3));
    return this;
  }

  finish(): Uint8Array {
    return join(this.#parts);
  }
}

/** The strings block while it grows. As in libfdt, a name can also be the end of another one. */
class Strings {
  #text = "";

  constructor(names: readonly string[]) {
    for (const name of names) this.#text += `${name}\0`;
  }

  offset(name: string): number {
    const known = this.#text.indexOf(`${name}\0`);
    if (known >= 0) return known;
    this.#text += `${name}\0`;
    return this.#text.length - name.length - 1;
  }

  finish(): Uint8Array {
    return encoder.encode(this.#text);
  }
}

/** Encodes a tree. @throws KhoError for a name that a tree cannot hold */
export function encode_fdt(fdt: Fdt): Uint8Array {
  const strings = new Strings(fdt.strings ?? []);
  const tokens = new Structure();
  encode_node(fdt.root, tokens, strings);
  const structure = tokens.u32(9).finish();
  const names = strings.finish();
  const reserved = encode_reservations(fdt.reservations ?? []);
  const [at_structure, at_strings] = [40 + reserved.length, 40 + reserved.length + structure.length];
  const total = at_strings + names.length;
  const header = new Structure()
    .u32(
      0xd00dfeed,
      total,
      at_structure,
      at_strings,
      40,
      17,
      16,
      fdt.boot_cpu ?? 0,
      names.length,
      structure.length,
    )
    .finish();
  return join([header, reserved, structure, names]);
}

function encode_node(node: FdtNode, out: Structure, strings: Strings): void {
  out.u32(1).bytes(encoder.encode(`${plain(node.name)}\0`));
  for (const { name, value } of node.properties) {
    out.u32(3, value.length, strings.offset(plain(name))).bytes(value);
  }
  for (const child of node.children) encode_node(child, out, strings);
  out.u32(2);
}

function encode_reservations(reservations: readonly { address: bigint; size: bigint }[]): Uint8Array {
  const bytes = new Uint8Array((reservations.length + 1) * 16);
  const view = new DataView(bytes.buffer);
  reservations.forEach(({ address, size }, index) => {
    view.setBigUint64(index * 16, address);
    view.setBigUint64(index * 16 + 8, size);
  });
  return bytes;
}

function plain(name: string): string {
  if (!/^[!-~]*$/.test(name)) throw new KhoError("device tree", `${JSON.stringify(name)} is not a name`);
  return name;
}
