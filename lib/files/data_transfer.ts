/** Copies a regular file inside the kernel, without its blocks of zeros, which become holes. */
import { Errno } from "../../ffi/abi/errno.ts";
import { SEEK_SET } from "../../ffi/abi/fcntl.ts";
import { lseek, pread } from "../../ffi/file.ts";
import { is_zero } from "../../ffi/memory.ts";
import { check, LuoError } from "../error.ts";
import type { Extent } from "./data_extents.ts";
import { type End, letSignalsIn, transfer } from "./transfer.ts";

/** A shorter run of zeros is written as data: a hole costs an extent in the file system. */
export const BLOCK_BYTES = 64 << 10;
/** Signals are let in after each piece. */
const PIECE_BYTES = 8n << 20n;

export interface DataTransferOptions {
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Copies an extent of the source to the same offset of a target that is all hole there. The position of the source does not move.
 * Most blocks of data are recognized by their first byte, and their bytes never pass through this program.
 *
 * @returns the number of bytes; fewer than the extent has when the source ended
 * @throws LuoError `read` or `write`; the signal's reason
 */
export async function transferData(
  from: End,
  to: End,
  { offset, length }: Extent,
  { onBytes, signal }: DataTransferOptions = {},
): Promise<bigint> {
  const runs = new DataRuns(from);
  const breathe = letSignalsIn(signal);
  const end = offset + length;
  for (let at = offset; at < end;) {
    const stop = at + PIECE_BYTES < end ? at + PIECE_BYTES : end;
    const found = runs.between(at, stop);
    for (const run of found.runs) {
      check(lseek(to.fd, run.offset, SEEK_SET), "write", to.name);
      const moved = await transfer(from, to, { offset: run.offset, limit: run.length, signal });
      if (moved < run.length) return run.offset + moved - offset;
    }
    if (found.end < stop) return found.end - offset;
    onBytes?.(Number(stop - at));
    at = stop;
    await breathe();
  }
  return length;
}

/** Finds the blocks of a file that are not all zero. */
class DataRuns {
  readonly #first = new Uint8Array(1);
  readonly #block = new Uint8Array(BLOCK_BYTES);

  constructor(readonly file: End) {}

  /** The runs of data between two offsets; `end` is the lower one of `stop` and the file's end. */
  between(start: bigint, stop: bigint): { runs: Extent[]; end: bigint } {
    const runs: { offset: bigint; length: bigint }[] = [];
    for (let at = start; at < stop;) {
      const left = stop - at;
      const size = left < BigInt(BLOCK_BYTES) ? Number(left) : BLOCK_BYTES;
      const bytes = this.#data(at, size);
      if (bytes === 0) return { runs, end: at };
      const length = BigInt(Math.abs(bytes));
      const last = runs.at(-1);
      if (bytes > 0 && last !== undefined && last.offset + last.length === at) last.length += length;
      else if (bytes > 0) runs.push({ offset: at, length });
      at += length;
    }
    return { runs, end: stop };
  }

  /** The size of the block at `at` when it has data, the negative size when it is all zero, and 0 at the file's end. */
  #data(at: bigint, size: number): number {
    const first = this.#read(this.#first, at);
    if (first === 0 || this.#first[0] !== 0) return first === 0 ? 0 : size;
    const bytes = this.#read(this.#block.subarray(0, size), at);
    return is_zero(this.#block.subarray(0, bytes)) ? -bytes : bytes;
  }

  #read(into: Uint8Array, at: bigint): number {
    for (;;) {
      const bytes = pread(this.file.fd, into, at);
      if (bytes >= 0) return bytes;
      if (bytes !== -Errno.EINTR) throw new LuoError("read", this.file.name, -bytes);
    }
  }
}
