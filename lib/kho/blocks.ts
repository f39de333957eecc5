/**
 * Chained blocks of entries of one size, of 7.2 and 7.3 (include/linux/kho/abi/block.h, kernel/liveupdate/kho_block.c).
 *
 * | struct kho_block_header_ser | bytes |
 * |---|---|
 * | u64 next: physical address of the next block, 0 for the last | 0 |
 * | u64 count: entries that follow, 1 to (4096 - 16) / size | 8 |
 * | entries, then zeros up to the end of the page | 16 |
 */
import { hex, KhoError } from "./kho_error.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read_page, type WritableMemory } from "./kept_memory.ts";
import { u64, words } from "./struct_fields.ts";

/** KHO_MAX_BLOCKS. */
export const MAX_BLOCKS = 10_000;
const HEADER_SIZE = 16;

export interface Block<Entry> {
  /** Physical address. */
  readonly address: bigint;
  readonly entries: readonly Entry[];
}

/** Reads and writes one kind of entry. */
export interface EntryCodec<Entry> {
  /** Name of the entries for errors, "sessions" for example. */
  readonly thing: string;
  /** Bytes of an entry. */
  readonly size: number;
  decode(bytes: Uint8Array, thing: string): Entry;
  encode(entry: Entry): Uint8Array;
}

/** Number of entries that fit one block. */
export function per_block(size: number): number {
  return Math.floor((PAGE_SIZE - HEADER_SIZE) / size);
}

/**
 * Reads the chain that begins at `head`; 0 is an empty chain.
 *
 * @throws KhoError for a cycle, an impossible count, or a block that is not in memory
 */
export function decode_blocks<Entry>(memory: Memory, head: bigint, codec: EntryCodec<Entry>): Block<Entry>[] {
  const blocks: Block<Entry>[] = [];
  const seen = new Set<bigint>();
  for (let address = head; address !== 0n;) {
    const thing = `block ${blocks.length} of ${codec.thing}`;
    if (seen.has(address)) throw new KhoError(thing, `the chain comes back to ${hex(address)}`);
    if (seen.size >= MAX_BLOCKS) throw new KhoError(thing, `over ${MAX_BLOCKS} blocks`);
    seen.add(address);
    const bytes = read_page(memory, address, thing);
    const count = u64(bytes, 8);
    if (count === 0n || count > BigInt(per_block(codec.size))) {
      throw new KhoError(thing, `a count of ${count}, not 1 to ${per_block(codec.size)}`);
    }
    const entries = Array.from({ length: Number(count) }, (_, index) => {
      const start = HEADER_SIZE + index * codec.size;
      return codec.decode(bytes.subarray(start, start + codec.size), `entry ${index} of ${thing}`);
    });
    blocks.push({ address, entries });
    address = u64(bytes, 0);
  }
  return blocks;
}

/** Writes the blocks at their addresses. Each block links to the next one of the list. */
export function encode_blocks<Entry>(
  pages: WritableMemory,
  blocks: readonly Block<Entry>[],
  codec: EntryCodec<Entry>,
): void {
  blocks.forEach(({ address, entries }, index) => {
    const bytes = new Uint8Array(PAGE_SIZE);
    bytes.set(words(blocks[index + 1]?.address ?? 0n, BigInt(entries.length)));
    if (entries.length > per_block(codec.size)) {
      throw new KhoError(codec.thing, `${entries.length} in one block`);
    }
    entries.forEach((entry, place) => bytes.set(codec.encode(entry), HEADER_SIZE + place * codec.size));
    pages.write(address, bytes);
  });
}
