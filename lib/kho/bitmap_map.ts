/**
 * The preserved-memory map of `kho-v1`: chained chunks, each with the bitmaps of one order (struct khoser_mem_chunk of
 * kernel/liveupdate/kexec_handover.c, up to 6.19). Written from the sources; not tried on a running kernel.
 *
 * | page | layout |
 * |---|---|
 * | chunk | u64 next: physical address, 0 for the last; u32 order; u32 num_elms; up to 255 elements |
 * | element | u64 phys_start; u64 bitmap: physical address |
 * | bitmap | 32,768 bits: the block of 2^order pages at phys_start + bit * (4,096 << order) is preserved, or not |
 */
import { hex, KhoError } from "./kho_error.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, type Pages, read_page, type WritableMemory } from "./kept_memory.ts";
import { add_range, type Range, range_size, refuse_overlaps, runs } from "./preserved_map.ts";
import { u32, u64, view, words } from "./struct_fields.ts";

const THING = "the preserved-memory map";
const HEADER_SIZE = 16;
const ELEMENT_SIZE = 16;
export const PER_CHUNK = 255;
/** Number of blocks in one bitmap. */
export const BITMAP_BITS: number = PAGE_SIZE * 8;
/** MAX_PAGE_ORDER of x86-64, and of arm64 with pages of 4 KiB. */
const MAX_ORDER = 10;

export interface MapChunk {
  readonly address: bigint;
  readonly order: number;
  readonly bitmaps: readonly {
    /** Physical address of the first block. */
    readonly start: bigint;
    /** Physical address of the bitmap's page. */
    readonly address: bigint;
  }[];
}

export interface BitmapMap {
  readonly chunks: readonly MapChunk[];
  readonly ranges: readonly Range[];
}

/**
 * Reads the map whose first chunk is at `first`; 0 is an empty map.
 *
 * @throws KhoError for a page that is missing or listed twice, an impossible order, and overlapping ranges
 */
export function decode_bitmap_map(memory: Memory, first: bigint): BitmapMap {
  const [chunks, ranges, seen]: [MapChunk[], Range[], Set<bigint>] = [[], [], new Set()];
  const page = (address: bigint, thing: string) => {
    if (seen.has(address)) throw new KhoError(thing, `the page at ${hex(address)} is in it twice`);
    seen.add(address);
    return read_page(memory, address, thing);
  };
  for (let address = first; address !== 0n;) {
    const bytes = page(address, `chunk ${chunks.length} of ${THING}`);
    const chunk = decode_chunk(address, bytes);
    chunks.push(chunk);
    for (const bitmap of chunk.bitmaps) {
      add_bits(ranges, page(bitmap.address, `a bitmap of ${THING}`), bitmap.start, chunk.order);
    }
    address = u64(bytes, 0);
  }
  refuse_overlaps(ranges);
  return { chunks, ranges };
}

function decode_chunk(address: bigint, bytes: Uint8Array): MapChunk {
  const [order, count] = [u32(bytes, 8), u32(bytes, 12)];
  if (order > MAX_ORDER) throw new KhoError(THING, `blocks of order ${order}`);
  if (count > PER_CHUNK) throw new KhoError(THING, `${count} bitmaps in one chunk`);
  const bitmaps = Array.from({ length: count }, (_, index) => {
    const at = HEADER_SIZE + index * ELEMENT_SIZE;
    return { start: u64(bytes, at), address: u64(bytes, at + 8) };
  });
  return { address, order, bitmaps };
}

function add_bits(into: Range[], bytes: Uint8Array, start: bigint, order: number): void {
  const size = block_size(order);
  if (start % size !== 0n || start + size * BigInt(BITMAP_BITS) > 1n << 64n) {
    throw new KhoError(THING, `no blocks of order ${order} begin at ${hex(start)}`);
  }
  for (const { from, count } of runs(bytes)) {
    add_range(into, { address: start + size * BigInt(from), order, count });
  }
}

function block_size(order: number): bigint {
  return BigInt(PAGE_SIZE) << BigInt(order);
}

/** Writes the chunks and their bitmaps. @throws KhoError when no bitmap covers a range */
export function encode_bitmap_map(pages: Pages, map: BitmapMap): void {
  encode_chunks(pages, map.chunks);
  for (const { address } of map.chunks.flatMap(({ bitmaps }) => bitmaps)) {
    pages.write(address, new Uint8Array(PAGE_SIZE));
  }
  for (const range of map.ranges) put_bits(pages, map, range);
}

/** Writes the chunks without their bitmaps. Each chunk links to the next one of the list. */
export function encode_chunks(memory: WritableMemory, chunks: readonly MapChunk[]): void {
  chunks.forEach(({ address, order, bitmaps }, index) => {
    const bytes = new Uint8Array(PAGE_SIZE);
    bytes.set(words(chunks[index + 1]?.address ?? 0n));
    view(bytes).setUint32(8, order, true);
    view(bytes).setUint32(12, bitmaps.length, true);
    bytes.set(words(...bitmaps.flatMap((bitmap) => [bitmap.start, bitmap.address])), HEADER_SIZE);
    memory.write(address, bytes);
  });
}

function put_bits(pages: Pages, { chunks }: BitmapMap, range: Range): void {
  const size = block_size(range.order);
  const all = size * BigInt(BITMAP_BITS);
  const bitmaps = chunks.filter(({ order }) => order === range.order).flatMap(({ bitmaps }) => bitmaps);
  for (let address = range.address; address < range.address + range_size(range); address += size) {
    const place = bitmaps.find(({ start }) => start <= address && address < start + all);
    const bytes = pages.page(place?.address ?? 0n);
    if (place === undefined || bytes === undefined) {
      throw new KhoError(THING, `no bitmap for ${hex(address)}`);
    }
    const bit = Number((address - place.start) / size);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | 1 << (bit & 7);
  }
}
