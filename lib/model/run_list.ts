/** A file's pages in the handover: u64 number of runs, and of each u64 page index, u64 first page frame, u64 pages. */
import { BadBytes, type Reader, type Writer } from "./bytes.ts";
import type { Run } from "./page_cache.ts";
import type { Ram } from "./ram.ts";

export interface WrittenRun {
  readonly index: number;
  readonly base: number;
  readonly count: number;
}

export function write_runs(out: Writer, runs: readonly Run[]): Writer {
  out.u64(runs.length);
  for (const { index, extent } of runs) out.u64(index).u64(extent.base).u64(extent.count);
  return out;
}

/** @throws BadBytes */
export function read_runs(input: Reader): WrittenRun[] {
  const runs = [];
  for (let left = input.count(24); left > 0; left--) {
    const [index, base, count] = [Number(input.u64()), Number(input.u64()), Number(input.u64())];
    if (![index, base, count].every(Number.isSafeInteger) || count === 0) {
      throw new BadBytes("a run out of range");
    }
    runs.push({ index, base, count });
  }
  return runs;
}

/** memfd_luo_retrieve_folios(): every frame, or (undefined) those that are still there are freed. */
export function restore_runs(ram: Ram, written: readonly WrittenRun[]): Run[] | undefined {
  const runs: Run[] = [];
  for (const { index, base, count } of written) {
    const extent = ram.restore(base, count);
    if (extent !== undefined) runs.push({ index, extent });
  }
  if (runs.length === written.length && !overlap(runs)) return runs;
  for (const { extent } of runs) ram.free(extent);
}

/** Nobody wants them any more. */
export function discard_runs(ram: Ram, written: readonly WrittenRun[]): void {
  for (const { base, count } of written) {
    const extent = ram.restore(base, count);
    if (extent !== undefined) ram.free(extent);
  }
}

/** A page cache has one page at an index (EEXIST of shmem_add_to_page_cache). */
function overlap(runs: readonly Run[]): boolean {
  const sorted = runs.toSorted((a, b) => a.index - b.index);
  return sorted.some(({ index, extent }, i) => (sorted[i + 1]?.index ?? Infinity) < index + extent.count);
}
