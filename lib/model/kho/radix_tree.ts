/**
 * The preserved-memory map of 7.2 and 7.3 in a running kernel: a radix tree of its own pages, at all times in the form
 * that the next kernel reads (kernel/liveupdate/kexec_handover.c; layout in `lib/kho/preserved_map.ts`). Keys are below
 * 2^53, so numbers hold them.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret } from "../../system_calls.ts";
import { clear_bit, set_bit } from "./bits.ts";
import { BrokenMap, type KhoMap, type MapFormat, type Visitor } from "./map_format.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ram } from "../memory/ram.ts";

/** Levels of tables above the leaves. */
const LEVELS = 5;
const TABLE = 512;
const LEAF_BITS = PAGE_SIZE * 8;

/** kho_encode_radix_key(): the key of 2^order frames at `base`, a multiple of 2^order. */
export function radix_key(base: number, order: number): number {
  return 2 ** (52 - order) + base / 2 ** order;
}

/** kho_decode_radix_key(). */
export function block_of(key: number): { base: number; order: number } {
  const high = Math.floor(key / 2 ** 32);
  const bit = high === 0 ? 31 - Math.clz32(key) : 63 - Math.clz32(high);
  const order = 52 - bit;
  return { base: (key - 2 ** bit) * 2 ** order, order };
}

/** The index of a key in the table of `level`. */
function index_of(key: number, level: number): number {
  return Math.floor(key / (LEAF_BITS * TABLE ** (level - 1))) % TABLE;
}

class RadixTree implements KhoMap {
  /** The leaf that was used last: consecutive pages share one. */
  #leaf: { number: number; bits: Uint8Array } | undefined;
  /** Pages of the tree itself. */
  nodes = 1;

  readonly ram: Ram;
  readonly root: number;

  constructor(ram: Ram, root: number) {
    this.ram = ram;
    this.root = root;
  }

  get address(): number {
    return this.root * PAGE_SIZE;
  }

  /** Nothing to do: the tree is complete at all times. */
  finish(): Ret {
    return 0;
  }

  unfinish(): void {}

  destroy(): void {
    const frames: number[] = [];
    this.walk({ node: (frame) => frames.push(frame) });
    for (const frame of frames) this.ram.free_kernel(frame);
  }

  walk(visitor: Visitor): void {
    walk_tree(this.ram, this.root, visitor);
  }

  /** kho_radix_add_key(). */
  add(base: number, order: number): Ret {
    const key = radix_key(base, order);
    const bits = this.#find(key, true);
    if (bits === undefined) return -Errno.ENOMEM;
    set_bit(bits, key % LEAF_BITS);
    return 0;
  }

  /** kho_radix_del_key(): keeps its nodes, even empty ones. */
  delete(base: number, order: number): boolean {
    const key = radix_key(base, order);
    const bits = this.#find(key, false);
    return bits !== undefined && clear_bit(bits, key % LEAF_BITS);
  }

  /** The leaf that has the key's bit. `grow` allocates missing nodes: all, or (undefined, memory is used up) none. */
  #find(key: number, grow: boolean): Uint8Array | undefined {
    const number = Math.floor(key / LEAF_BITS);
    if (this.#leaf?.number === number) return this.#leaf.bits;
    const fresh: number[] = [];
    let anchor: (() => void) | undefined;
    let frame = this.root;
    for (let level = LEVELS; level > 0; level--) {
      const at = index_of(key, level);
      const table = new BigUint64Array(this.#page(frame).buffer, this.#page(frame).byteOffset, TABLE);
      if (table[at] === 0n) {
        const node = grow ? this.ram.kernel_page() : undefined;
        if (node === undefined) {
          anchor?.();
          for (const each of fresh) this.ram.free_kernel(each);
          return undefined;
        }
        anchor ??= () => table[at] = 0n;
        fresh.push(node);
        table[at] = BigInt(node * PAGE_SIZE);
      }
      frame = Number(table[at] ?? 0n) / PAGE_SIZE;
    }
    this.nodes += fresh.length;
    const bits = this.#page(frame);
    this.#leaf = { number, bits };
    return bits;
  }

  #page(frame: number): Uint8Array<ArrayBuffer> {
    const page = this.ram.page(frame);
    if (page === undefined) throw new Error(`A node of the radix tree at frame ${frame}`);
    return page;
  }
}

/** More pages than any tree of a machine's memory has. A walk that reaches this number goes in circles. */
const MAX_NODES = 1 << 20;

/** kho_radix_walk_tree(), for a tree of this kernel or of the previous one. @throws BrokenMap */
function walk_tree(ram: Ram, root: number, visitor: Visitor): void {
  let left = MAX_NODES;
  const page_at = (frame: number): Uint8Array<ArrayBuffer> => {
    const page = ram.page(frame);
    if (page === undefined || --left < 0) {
      throw new BrokenMap(frame * PAGE_SIZE);
    }
    visitor.node?.(frame);
    return page;
  };
  const visit = (frame: number, level: number, key: number): void => {
    const page = page_at(frame);
    if (level === 0) return visit_leaf(page, key, visitor);
    const table = new BigUint64Array(page.buffer, page.byteOffset, TABLE);
    const step = LEAF_BITS * TABLE ** (level - 1);
    for (let at = 0; at < TABLE; at++) {
      const address = table[at];
      if (address !== 0n) visit(Number(address) / PAGE_SIZE, level - 1, key + at * step);
    }
  };
  visit(root, LEVELS, 0);
}

function visit_leaf(page: Uint8Array<ArrayBuffer>, key: number, { block }: Visitor): void {
  if (block === undefined) return;
  const words = new Uint32Array(page.buffer, page.byteOffset, PAGE_SIZE / 4);
  for (let at = 0; at < words.length; at++) {
    for (let word = words[at] ?? 0; word !== 0; word &= word - 1) {
      const { base, order } = block_of(key + at * 32 + 31 - Math.clz32(word & -word));
      block(base, order);
    }
  }
}

export const radix_tree: MapFormat = {
  create(ram) {
    const root = ram.kernel_page();
    return root === undefined ? undefined : new RadixTree(ram, root);
  },
  read: (ram, address, visitor) => walk_tree(ram, address / PAGE_SIZE, visitor),
};
