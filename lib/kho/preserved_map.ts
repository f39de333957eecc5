/**
 * The preserved-memory map of `kho-v4`: a radix tree of pages (include/linux/kho/abi/kexec_handover.h,
 * kernel/liveupdate/kexec_handover.c). A block of 2^order pages at `address` is one key: bit 52 - order set, and below
 * it address >> (12 + order).
 *
 * | page | layout | index |
 * |---|---|---|
 * | level 5 (root) to 1 | u64 table[512]: nodes one level lower, or 0 | 9 bits of the key, from 15 + 9 * (level - 1) |
 * | leaf, level 0 | 32,768 bits: preserved or not | the key's lowest 15 bits |
 */
import { hex, KhoError } from "./kho_error.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, type Pages, read_page } from "./kept_memory.ts";
import { u64, words } from "./struct_fields.ts";

const LEVELS = 5;
const TABLE_BITS = 9n;
const LEAF_BITS = 15n;
const ORDER_0_BIT = 52;
/** More ranges than any capture has. A hostile map is refused here. */
const MAX_RANGES = 1_000_000;

/** `count` consecutive blocks of 2^order pages each. */
export interface Range {
  /** Physical address. */
  readonly address: bigint;
  readonly order: number;
  readonly count: number;
}

/** One page of the tree itself. All keys below it begin with its prefix. */
export interface MapNode {
  readonly level: number;
  readonly prefix: bigint;
  readonly address: bigint;
}

export interface PreservedMap {
  /** The root first; every node comes before its children. */
  readonly nodes: readonly MapNode[];
  /** In the order of the tree: the largest order first, then by address. */
  readonly ranges: readonly Range[];
}

/** Bytes of a range. */
export function range_size(range: Range): bigint {
  return BigInt(PAGE_SIZE) * BigInt(range.count) << BigInt(range.order);
}

/**
 * Reads the tree at `root`.
 *
 * @throws KhoError for a page of the tree that is missing, listed twice or damaged, and for overlapping ranges
 */
export function decode_map(memory: Memory, root: bigint): PreservedMap {
  const [nodes, ranges, seen]: [MapNode[], Range[], Set<bigint>] = [[], [], new Set()];
  const walk = (node: MapNode) => {
    const thing = `level ${node.level} of the preserved-memory map`;
    if (seen.has(node.address)) throw new KhoError(thing, `the page at ${hex(node.address)} is in it twice`);
    seen.add(node.address);
    nodes.push(node);
    const bytes = read_page(memory, node.address, thing);
    if (node.level === 0) return read_leaf(bytes, node.prefix, ranges);
    for (let index = 0; index < PAGE_SIZE / 8; index++) {
      const address = u64(bytes, index * 8);
      if (address === 0n) continue;
      walk({ level: node.level - 1, prefix: node.prefix << TABLE_BITS | BigInt(index), address });
    }
  };
  walk({ level: LEVELS, prefix: 0n, address: root });
  refuse_overlaps(ranges);
  return { nodes, ranges };
}

function read_leaf(bytes: Uint8Array, prefix: bigint, into: Range[]): void {
  const first = prefix << LEAF_BITS;
  for (const { from, count } of runs(bytes)) add_keys(into, first + BigInt(from), count);
}

/** The set bits of a page, as runs: a page may be full, so the walk goes from run to run. */
export function* runs(bytes: Uint8Array): Generator<{ from: number; count: number }> {
  const bits = PAGE_SIZE * 8;
  const set = (bit: number) => ((bytes[bit >> 3] ?? 0) >> (bit & 7) & 1) === 1;
  for (let bit = 0; bit < bits;) {
    if ((bit & 7) === 0 && bytes[bit >> 3] === 0) {
      bit += 8;
      continue;
    }
    const from = bit;
    while (bit < bits && set(bit)) bit++;
    if (bit > from) yield { from, count: bit - from };
    else bit++;
  }
}

function add_keys(into: Range[], first: bigint, count: number): void {
  for (let done = 0; done < count;) {
    const key = first + BigInt(done);
    const { address, order } = decode_key(key);
    // Keys of one order have the same highest bit. The lowest leaf holds keys of several orders.
    const same = (1n << BigInt(ORDER_0_BIT - order + 1)) - key;
    const part = Math.min(count - done, Number(same));
    add_range(into, { address, order, count: part });
    done += part;
  }
}

/** Appends a range, or extends the last one. @throws KhoError for too many ranges */
export function add_range(into: Range[], range: Range): void {
  const last = into.at(-1);
  if (last !== undefined && last.order === range.order && last.address + range_size(last) === range.address) {
    into[into.length - 1] = { ...last, count: last.count + range.count };
    return;
  }
  if (into.length >= MAX_RANGES) throw new KhoError("the preserved-memory map", `over ${MAX_RANGES} ranges`);
  into.push(range);
}

/** The block of a key. @throws KhoError for a key that no block has */
export function decode_key(key: bigint): { address: bigint; order: number } {
  const highest = key.toString(2).length - 1;
  const order = ORDER_0_BIT - highest;
  if (key === 0n || order < 0) {
    throw new KhoError("the preserved-memory map", `no page has the key ${hex(key)}`);
  }
  return { order, address: BigInt.asUintN(64, key << BigInt(12 + order)) };
}

/** The key of a block. @throws KhoError for an address that is not a multiple of the block */
export function encode_key(address: bigint, order: number): bigint {
  const shift = BigInt(12 + order);
  if (address >> shift << shift !== address || address >> 64n !== 0n || order < 0 || order > ORDER_0_BIT) {
    throw new KhoError("the preserved-memory map", `no ${2 ** order} pages begin at ${hex(address)}`);
  }
  return 1n << BigInt(ORDER_0_BIT - order) | address >> shift;
}

/** Checks that no two ranges overlap. @throws KhoError */
export function refuse_overlaps(ranges: readonly Range[]): void {
  const sorted = ranges.toSorted((a, b) => a.address < b.address ? -1 : a.address > b.address ? 1 : 0);
  sorted.forEach((range, index) => {
    const before = sorted[index - 1];
    if (before !== undefined && before.address + range_size(before) > range.address) {
      throw new KhoError(
        "the preserved-memory map",
        `blocks of order ${before.order} and ${range.order} overlap at ${hex(range.address)}`,
      );
    }
  });
}

/** Writes the pages of the tree. @throws KhoError when a range has no leaf among the nodes */
export function encode_map(pages: Pages, map: PreservedMap): void {
  const addresses = new Map(map.nodes.map((node) => [place(node.level, node.prefix), node.address]));
  for (const { level, prefix, address } of map.nodes) {
    pages.write(address, new Uint8Array(PAGE_SIZE));
    const above = addresses.get(place(level + 1, prefix >> TABLE_BITS));
    if (above !== undefined) pages.write(above + 8n * (prefix & 511n), words(address));
  }
  for (const range of map.ranges) {
    for (const key of keys(range)) {
      const leaf = pages.page(addresses.get(place(0, key >> LEAF_BITS)) ?? 0n);
      if (leaf === undefined) {
        throw new KhoError("the preserved-memory map", `no leaf for ${hex(range.address)}`);
      }
      const bit = Number(key & 0x7fffn);
      leaf[bit >> 3] = (leaf[bit >> 3] ?? 0) | 1 << (bit & 7);
    }
  }
}

function* keys(range: Range): Generator<bigint> {
  const first = encode_key(range.address, range.order);
  for (let index = 0n; index < range.count; index++) yield first + index;
}

function place(level: number, prefix: bigint): string {
  return `${level}:${prefix}`;
}

/** The nodes that a tree of these ranges needs. `allocate` gives the address of each page, first of the root's. */
export function plan_nodes(ranges: readonly Range[], allocate: () => bigint): MapNode[] {
  const nodes = new Map<string, MapNode>();
  const need = (level: number, prefix: bigint) => {
    const key = place(level, prefix);
    if (!nodes.has(key)) nodes.set(key, { level, prefix, address: allocate() });
  };
  need(LEVELS, 0n);
  for (const range of ranges) {
    const first = encode_key(range.address, range.order) >> LEAF_BITS;
    const last = encode_key(range.address, range.order) + BigInt(range.count - 1) >> LEAF_BITS;
    for (let leaf = first; leaf <= last; leaf++) {
      for (let level = LEVELS - 1; level >= 0; level--) need(level, leaf >> TABLE_BITS * BigInt(level));
    }
  }
  return Array.from(nodes.values());
}
