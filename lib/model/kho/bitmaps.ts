/**
 * The preserved-memory map of 6.19 and of the patch series before it, in a running kernel: one bitmap for each order
 * and range of addresses, found through an xarray. reboot(2) lists the bitmaps in chunks for the next kernel
 * (kho_mem_serialize(); layout in `lib/kho/bitmap_map.ts`).
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import {
  BITMAP_BITS,
  decode_bitmap_map,
  encode_chunks,
  type MapChunk,
  PER_CHUNK,
} from "../../kho/bitmap_map.ts";
import { KhoError } from "../../kho/kho_error.ts";
import { runs as set_bits } from "../../kho/preserved_map.ts";
import type { Ret } from "../../system_calls.ts";
import { clear_bit, set_bit } from "./bits.ts";
import { BrokenMap, type KhoMap, type MapFormat, type Visitor } from "./map_format.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";

interface Bitmap {
  /** The frame of the bitmap's first bit. */
  readonly start: number;
  /** The frame that holds the bitmap. */
  readonly frame: number;
}

class Bitmaps implements KhoMap {
  /** By order, then by `start`. */
  readonly #orders = new Map<number, Map<number, Bitmap>>();
  #chunks: number[] = [];

  readonly ram: Ram;

  constructor(ram: Ram) {
    this.ram = ram;
  }

  get nodes(): number {
    let sum = this.#chunks.length;
    for (const bitmaps of this.#orders.values()) sum += bitmaps.size;
    return sum;
  }

  get address(): number {
    return (this.#chunks[0] ?? 0) * PAGE_SIZE;
  }

  add(base: number, order: number): Ret {
    const bits = this.#find(base, order, true);
    if (bits === undefined) return -Errno.ENOMEM;
    set_bit(bits, base / 2 ** order % BITMAP_BITS);
    return 0;
  }

  delete(base: number, order: number): boolean {
    const bits = this.#find(base, order, false);
    return bits !== undefined && clear_bit(bits, base / 2 ** order % BITMAP_BITS);
  }

  #find(base: number, order: number, grow: boolean): Uint8Array | undefined {
    const bitmaps = this.#orders.get(order) ?? new Map<number, Bitmap>();
    const start = base - base % (BITMAP_BITS * 2 ** order);
    const known = bitmaps.get(start);
    if (known !== undefined) return this.ram.page(known.frame);
    const frame = grow ? this.ram.kernel_page() : undefined;
    if (frame === undefined) return undefined;
    this.#orders.set(order, bitmaps.set(start, { start, frame }));
    return this.ram.page(frame);
  }

  finish(): Ret {
    const chunks: MapChunk[] = [];
    for (const [order, bitmaps] of this.#orders) {
      const all = [...bitmaps.values()].map(({ start, frame }) => ({
        start: BigInt(start) * BigInt(PAGE_SIZE),
        address: BigInt(frame) * BigInt(PAGE_SIZE),
      }));
      for (let first = 0; first < all.length; first += PER_CHUNK) {
        const frame = this.ram.kernel_page();
        if (frame === undefined) {
          this.unfinish();
          return -Errno.ENOMEM;
        }
        this.#chunks.push(frame);
        const address = BigInt(frame) * BigInt(PAGE_SIZE);
        chunks.push({ address, order, bitmaps: all.slice(first, first + PER_CHUNK) });
      }
    }
    encode_chunks(new Physical(this.ram), chunks);
    return 0;
  }

  unfinish(): void {
    for (const frame of this.#chunks) this.ram.free_kernel(frame);
    this.#chunks = [];
  }

  destroy(): void {
    this.unfinish();
    for (const { frame } of [...this.#orders.values()].flatMap((bitmaps) => [...bitmaps.values()])) {
      this.ram.free_kernel(frame);
    }
    this.#orders.clear();
  }

  /** Works before `finish` too. */
  walk({ node, block }: Visitor): void {
    for (const frame of this.#chunks) node?.(frame);
    for (const [order, bitmaps] of this.#orders) {
      for (const { start, frame } of bitmaps.values()) {
        node?.(frame);
        for (const { from, count } of set_bits(this.ram.page(frame) ?? new Uint8Array(0))) {
          for (let bit = from; bit < from + count; bit++) block?.(start + bit * 2 ** order, order);
        }
      }
    }
  }
}

/** Reads the map that the previous kernel wrote. @throws BrokenMap */
function read(ram: Ram, address: number, { node, block }: Visitor): void {
  try {
    const { chunks, ranges } = decode_bitmap_map(new Physical(ram), BigInt(address));
    for (const { address, bitmaps } of chunks) {
      node?.(Number(address) / PAGE_SIZE);
      for (const { address } of bitmaps) node?.(Number(address) / PAGE_SIZE);
    }
    for (const { address, order, count } of ranges) {
      const base = Number(address) / PAGE_SIZE;
      for (let index = 0; index < count; index++) block?.(base + index * 2 ** order, order);
    }
  } catch (error) {
    if (error instanceof KhoError) throw new BrokenMap(address);
    throw error;
  }
}

export const bitmaps: MapFormat = { create: (ram) => new Bitmaps(ram), read };
