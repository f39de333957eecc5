/**
 * Reads flattened device trees (Devicetree Specification 0.4, chapter 5) of version 17, readable as 16, the only
 * version in use. All numbers of the format itself are big endian. The owner of a property decides what its value
 * means.
 *
 * | part | layout |
 * |---|---|
 * | header, first 20 bytes | u32 magic 0xd00dfeed, totalsize, off_dt_struct, off_dt_strings, off_mem_rsvmap |
 * | header, next 20 bytes | u32 version, last_comp_version, boot_cpuid_phys, size_dt_strings, size_dt_struct |
 * | reservations | {u64 address; u64 size} ..., ended by two zeros |
 * | structure | tokens, u32 each, every token padded to 4 bytes |
 * | token 1, 2 | 1 begin of a node: NUL-terminated name; 2 end of a node |
 * | token 3 | property: u32 length, u32 offset of its name in the strings, value |
 * | token 4, 9 | 4 nothing; 9 end of the tree |
 * | strings | NUL-terminated names of properties, each once |
 */
import { KhoError } from "./kho_error.ts";
import { view } from "./struct_fields.ts";

const MAGIC = 0xd00dfeed;
const HEADER_SIZE = 40;
/** Deepest tree that is read. KHO's trees are two deep. */
const MAX_DEPTH = 32;
const TOKEN = { begin: 1, end: 2, property: 3, nothing: 4, last: 9 } as const;

export interface FdtNode {
  /** Empty for the root. */
  readonly name: string;
  /** In the order of the bytes. libfdt's `fdt_setprop` puts the newest first. */
  readonly properties: readonly { readonly name: string; readonly value: Uint8Array }[];
  readonly children: readonly FdtNode[];
}

export interface Fdt {
  readonly root: FdtNode;
  readonly boot_cpu?: number;
  readonly reservations?: readonly { readonly address: bigint; readonly size: bigint }[];
  /** Names of properties in the order of the strings block. `encode_fdt` appends names that are missing here. */
  readonly strings?: readonly string[];
}

/** Does a tree begin with these bytes? */
export function is_fdt(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).getUint32(0) === MAGIC;
}

/** The blocks of a tree, cut out of its bytes. They lie inside the tree and do not overlap. */
interface Blocks {
  readonly boot_cpu: number;
  readonly structure: Uint8Array;
  readonly strings: Uint8Array;
  readonly reservations: { address: bigint; size: bigint }[];
}

/**
 * Reads a tree. Bytes after `totalsize` do not belong to it and are not read.
 *
 * @throws KhoError naming `thing` when the bytes are not a complete, valid tree
 */
export function decode_fdt(bytes: Uint8Array, thing = "device tree"): Fdt {
  const { structure, strings, boot_cpu, reservations } = cut(bytes, thing);
  return {
    root: decode_tree(structure, strings, thing),
    boot_cpu,
    reservations,
    strings: split(strings, thing),
  };
}

function cut(bytes: Uint8Array, thing: string): Blocks {
  if (bytes.length < HEADER_SIZE) throw new KhoError(thing, `${bytes.length} bytes: the header alone has 40`);
  const header = view(bytes);
  const field = (index: number) => header.getUint32(index * 4);
  if (field(0) !== MAGIC) throw new KhoError(thing, `magic ${field(0).toString(16)}, not d00dfeed`);
  const total = field(1);
  if (total < HEADER_SIZE || total > bytes.length) {
    throw new KhoError(thing, `its header says ${total} bytes, but there are ${bytes.length}`);
  }
  if (field(5) !== 17 || field(6) !== 16) throw new KhoError(thing, `version ${field(5)}, not 17`);
  const block = (name: string, start: number, size: number) => {
    if (start < HEADER_SIZE || start + size > total) {
      throw new KhoError(thing, `its ${name} (${size} bytes at ${start}) are outside of its ${total} bytes`);
    }
    return { name, start, end: start + size };
  };
  const reservations = read_reservations(bytes.subarray(0, total), field(4), thing);
  const blocks = [
    block("reservations", field(4), (reservations.length + 1) * 16),
    block("structure", field(2), field(9)),
    block("strings", field(3), field(8)),
  ].sort((a, b) => a.start - b.start || a.end - b.end);
  blocks.forEach(({ name, start }, index) => {
    const before = blocks[index - 1];
    if (before !== undefined && before.end > start) {
      throw new KhoError(thing, `its ${before.name} and ${name} overlap`);
    }
  });
  const structure = bytes.subarray(field(2), field(2) + field(9));
  const strings = bytes.subarray(field(3), field(3) + field(8));
  return { structure, strings, reservations, boot_cpu: field(7) };
}

function read_reservations(bytes: Uint8Array, start: number, thing: string) {
  const found = [];
  if (start % 8 !== 0) throw new KhoError(thing, `its reservations at ${start} are not aligned`);
  for (let at = start;; at += 16) {
    if (at + 16 > bytes.length) throw new KhoError(thing, "its reservations have no end");
    const [address, size] = [view(bytes).getBigUint64(at), view(bytes).getBigUint64(at + 8)];
    if (address === 0n && size === 0n) return found;
    found.push({ address, size });
  }
}

/** The reader's position in the structure block. */
class Cursor {
  at = 0;

  readonly bytes: Uint8Array;
  readonly thing: string;

  constructor(bytes: Uint8Array, thing: string) {
    this.bytes = bytes;
    this.thing = thing;
  }

  u32(): number {
    return view(this.take(4)).getUint32(0);
  }

  take(length: number): Uint8Array {
    const start = this.at;
    if (length > this.bytes.length - start) throw new KhoError(this.thing, `its structure ends at ${start}`);
    this.at += length + (-length & 3);
    return this.bytes.subarray(start, start + length);
  }

  name(): string {
    return text_at(this.bytes, this.at, this.thing, (length) => this.take(length + 1));
  }
}

function text_at(
  bytes: Uint8Array,
  at: number,
  thing: string,
  taken = (_length: number): unknown => null,
): string {
  const end = at < bytes.length ? bytes.indexOf(0, at) : -1;
  if (end < 0) throw new KhoError(thing, `a name at ${at} has no end`);
  taken(end - at);
  const name = new TextDecoder().decode(bytes.subarray(at, end));
  if (!/^[!-~]*$/.test(name)) throw new KhoError(thing, `${JSON.stringify(name)} is not a name`);
  return name;
}

interface OpenNode {
  readonly name: string;
  readonly properties: { name: string; value: Uint8Array }[];
  readonly children: OpenNode[];
}

function decode_tree(structure: Uint8Array, strings: Uint8Array, thing: string): FdtNode {
  const input = new Cursor(structure, thing);
  const outside: OpenNode = { name: "", properties: [], children: [] };
  const open: OpenNode[] = [outside];
  for (;;) {
    const inner = open.at(-1) ?? outside;
    const token = input.u32();
    if (token === TOKEN.begin) {
      if (open.length > MAX_DEPTH) throw new KhoError(thing, `over ${MAX_DEPTH} nodes deep`);
      const node: OpenNode = { name: input.name(), properties: [], children: [] };
      inner.children.push(node);
      open.push(node);
    } else if (token === TOKEN.property && inner !== outside) {
      const [length, name] = [input.u32(), input.u32()];
      inner.properties.push({ name: text_at(strings, name, thing), value: input.take(length).slice() });
    } else if (token === TOKEN.end && inner !== outside) open.pop();
    else if (token === TOKEN.last && inner === outside) break;
    else if (token !== TOKEN.nothing) {
      throw new KhoError(thing, `token ${token} at ${input.at - 4} is out of place`);
    }
  }
  const [root] = outside.children;
  if (root === undefined || outside.children.length > 1 || root.name !== "") {
    throw new KhoError(thing, "has not exactly one root without a name");
  }
  return root;
}

function split(strings: Uint8Array, thing: string): string[] {
  const names = [];
  for (let at = 0; at < strings.length;) {
    const name = text_at(strings, at, thing);
    names.push(name);
    at += name.length + 1;
  }
  return names;
}

/** The value of a property; undefined when the node does not have it. */
export function property(node: FdtNode, name: string): Uint8Array | undefined {
  return node.properties.find((property) => property.name === name)?.value;
}

/** The child of that name. */
export function child(node: FdtNode, name: string): FdtNode | undefined {
  return node.children.find((child) => child.name === name);
}
