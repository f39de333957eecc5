/** A file's pages: which page index is which page frame. Sparse: what was never written has no frame and reads as zero. */
import { PageRanges } from "./page_ranges.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Extent } from "../memory/extent.ts";
import type { Ram } from "../memory/ram.ts";

/** Pages `index` to `index + extent.count` of the file are the frames of `extent`. */
export interface Run {
  readonly index: number;
  readonly extent: Extent;
}

interface Hole {
  readonly index: number;
  readonly count: number;
}

export class PageCache {
  /** In order of index, not overlapping. */
  #runs: Run[];
  /** Fallocated and not used since (not PG_uptodate): they count as blocks, and as holes to SEEK_DATA and SEEK_HOLE. */
  readonly #unused = new PageRanges();

  constructor(readonly ram: Ram, runs: Run[] = []) {
    this.#runs = runs.toSorted((a, b) => a.index - b.index);
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** What there is of the first `count` pages, as it is now: what happens to the file later does not change the answer. */
  first(count: number): Run[] {
    const found: Run[] = [];
    for (const { index, extent } of this.#runs) {
      if (index >= count) break;
      const pages = Math.min(extent.count, count - index);
      found.push({ index, extent: { ...extent, count: pages } });
    }
    return found;
  }

  /** Pages that have a frame. */
  get pages(): number {
    return this.#runs.reduce((sum, run) => sum + run.extent.count, 0);
  }

  /** Fills all of `into`, zeros where there is no page. */
  read(offset: number, into: Uint8Array): void {
    into.fill(0);
    this.#each(offset, into.length, (run, at, from, to) => {
      this.ram.read(run.extent, at, into.subarray(from, to));
    });
  }

  /** Every page touched must have its frame already: `populate` first. */
  write(offset: number, data: Uint8Array): void {
    this.#each(offset, data.length, (run, at, from, to) => {
      this.ram.write(run.extent, at, data.subarray(from, to));
    });
  }

  /** Zeroes what has a frame, and leaves holes holes. */
  zero(offset: number, length: number): void {
    this.#each(offset, length, (run, at, from, to) => {
      this.ram.zero(run.extent, at, to - from);
    });
  }

  /**
   * Gives every hole among the pages `index` ... `index + count` zeroed frames; false (and nothing done) when memory is out.
   * They are for use, unless fallocated; that uses only what was fallocated before.
   */
  populate(index: number, count: number, fallocated = false): boolean {
    const holes = this.#holes(index, count);
    const need = holes.reduce((sum, hole) => sum + hole.count, 0);
    if (need > this.ram.free_frames) return false;
    const filled = this.#allocate(holes);
    if (filled === undefined) return false;
    this.#unused.remove(index, index + count);
    for (const { hole, extents } of filled) {
      if (fallocated) this.#unused.add(hole.index, hole.index + hole.count);
      let at = hole.index;
      for (const extent of extents) {
        this.#runs.splice(this.#from(at), 0, { index: at, extent });
        at += extent.count;
      }
    }
    return true;
  }

  /** All of them or, when an allocation fails under way, none. */
  #allocate(holes: readonly Hole[]): { hole: Hole; extents: Extent[] }[] | undefined {
    const filled: { hole: Hole; extents: Extent[] }[] = [];
    for (const hole of holes) {
      const extents = this.ram.allocate(hole.count);
      if (extents === undefined) {
        for (const extent of filled.flatMap((done) => done.extents)) this.ram.free(extent);
        return undefined;
      }
      filled.push({ hole, extents });
    }
    return filled;
  }

  /** Frees the frames of the pages `index` ... `end` (Infinity: to the last). */
  drop(index: number, end: number): void {
    if (index >= end) return;
    this.#unused.remove(index, end);
    const first = this.#from(index);
    const kept: Run[] = [];
    let last = first;
    for (; last < this.#runs.length; last++) {
      const run = this.#runs[last];
      if (run === undefined || run.index >= end) break;
      this.#cut(run, index, end, kept);
    }
    this.#runs.splice(first, last - first, ...kept);
  }

  /** The first page at or behind `index` that is in use, undefined when there is none. */
  next_page(index: number): number | undefined {
    let at = index;
    for (;;) {
      const run = this.#runs[this.#from(at)];
      if (run === undefined) return undefined;
      const page = Math.max(at, run.index);
      at = this.#unused.next_out(page);
      if (at === page) return page;
    }
  }

  /** The first page at or behind `index` that is not. */
  next_hole(index: number): number {
    return Math.min(this.#next_gap(index), this.#unused.next_in(index));
  }

  #next_gap(index: number): number {
    let at = index;
    for (let i = this.#from(index); i < this.#runs.length; i++) {
      const run = this.#runs[i];
      if (run === undefined || run.index > at) break;
      at = run.index + run.extent.count;
    }
    return at;
  }

  #cut(run: Run, index: number, end: number, kept: Run[]): void {
    let { index: at, extent } = run;
    if (at < index) {
      const [head, tail] = this.ram.split(extent, index - at);
      kept.push({ index: at, extent: head });
      [at, extent] = [index, tail];
    }
    if (at + extent.count > end) {
      const [head, tail] = this.ram.split(extent, end - at);
      kept.push({ index: end, extent: tail });
      extent = head;
    }
    this.ram.free(extent);
  }

  #holes(index: number, count: number): Hole[] {
    const holes = [];
    let at = index;
    for (let i = this.#from(index); i < this.#runs.length; i++) {
      const run = this.#runs[i];
      if (run === undefined || run.index >= index + count) break;
      if (run.index > at) holes.push({ index: at, count: run.index - at });
      at = run.index + run.extent.count;
    }
    if (at < index + count) holes.push({ index: at, count: index + count - at });
    return holes;
  }

  /** Calls back for each piece of the byte range that has frames: `at` bytes into the run, `from`..`to` of the range. */
  #each(
    offset: number,
    length: number,
    piece: (run: Run, at: number, from: number, to: number) => void,
  ): void {
    for (let i = this.#from(Math.floor(offset / PAGE_SIZE)); i < this.#runs.length; i++) {
      const run = this.#runs[i];
      if (run === undefined) break;
      const start = run.index * PAGE_SIZE;
      if (start >= offset + length) break;
      const from = Math.max(start, offset);
      const to = Math.min(start + run.extent.count * PAGE_SIZE, offset + length);
      if (to > from) piece(run, from - start, from - offset, to - offset);
    }
  }

  /** Position of the first run that ends behind page `index`. */
  #from(index: number): number {
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle];
      if (run !== undefined && run.index + run.extent.count <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
