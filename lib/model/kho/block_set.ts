/**
 * Memory for a list that is handed over: the sessions, or the files of one session (kernel/liveupdate/kho_block.c;
 * layout in `lib/kho/blocks.ts`). The memory is allocated when an entry is added, so that reboot(2) cannot fail for
 * lack of memory.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import { decode_blocks, encode_blocks, type EntryCodec, MAX_BLOCKS, per_block } from "../../kho/blocks.ts";
import { KhoError } from "../../kho/kho_error.ts";
import type { Ret } from "../../system_calls.ts";
import { type Kho, restore_free } from "./kho.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";

/** The memory that outgoing entries are written to. */
export interface Room<Entry> {
  /** Makes room for `count` entries in all. -ENOSPC when the limit is lower, -ENOMEM when memory is used up. */
  grow(count: number): Ret;
  /** Keeps room for `count` entries and frees the rest. */
  shrink(count: number): void;
  /** Writes the entries in reboot(2). Returns the address of the list, 0 for an empty one. */
  write(entries: readonly Entry[]): number;
}

export class BlockSet<Entry> implements Room<Entry> {
  readonly #blocks: number[] = [];
  readonly #per_block: number;

  readonly kho: Kho;
  readonly codec: EntryCodec<Entry>;
  readonly limit: { readonly count: number; readonly full: Ret };

  /** `limit` is the number of entries that this kernel allows, and the negative errno that it gives for more. */
  constructor(
    kho: Kho,
    codec: EntryCodec<Entry>,
    limit: { readonly count: number; readonly full: Ret } = { count: Infinity, full: 0 },
  ) {
    this.kho = kho;
    this.codec = codec;
    this.limit = limit;
    this.#per_block = per_block(codec.size);
  }

  grow(count: number): Ret {
    if (count > this.limit.count) return this.limit.full;
    const before = this.#blocks.length;
    while (count > this.#blocks.length * this.#per_block) {
      const full = this.#blocks.length >= MAX_BLOCKS;
      const address = full ? undefined : this.kho.alloc_preserve(PAGE_SIZE);
      if (address === undefined) {
        this.#cut(before);
        return full ? -Errno.ENOSPC : -Errno.ENOMEM;
      }
      this.#blocks.push(address);
    }
    return 0;
  }

  shrink(count: number): void {
    this.#cut(Math.ceil(count / this.#per_block));
  }

  #cut(length: number): void {
    for (const address of this.#blocks.splice(length)) this.kho.unpreserve_free(address);
  }

  write(entries: readonly Entry[]): number {
    const blocks = this.#blocks.map((address, index) => ({
      address: BigInt(address),
      entries: entries.slice(index * this.#per_block, (index + 1) * this.#per_block),
    }));
    encode_blocks(new Physical(this.kho.ram), blocks, this.codec);
    return this.#blocks[0] ?? 0;
  }
}

/** A list that was handed over. `free` frees its blocks; until then they are kept. */
export interface HandedOverEntries<Entry> {
  readonly entries: readonly Entry[];
  free(): void;
}

/**
 * kho_block_set_restore(): undefined (the caller gives EINVAL) for a damaged list, whose blocks then never get an
 * owner.
 */
export function read_blocks<Entry>(
  ram: Ram,
  head: number,
  codec: EntryCodec<Entry>,
  print: (line: string) => void,
): HandedOverEntries<Entry> | undefined {
  try {
    const blocks = decode_blocks(new Physical(ram), BigInt(head), codec);
    return {
      entries: blocks.flatMap(({ entries }) => entries),
      free: () => {
        for (const { address } of blocks) restore_free(ram, Number(address));
      },
    };
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    const [, count] = /^a count of (\d+)/.exec(error.problem) ?? [];
    const what = count === undefined
      ? "Block set is corrupted"
      : `Block contains invalid entry count: ${count}`;
    print(`luo: ${what}`);
  }
  return undefined;
}
