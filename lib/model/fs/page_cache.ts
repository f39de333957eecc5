/**
 * The pages of a file: maps page indexes to page frames. Pages that were never written have no frame and read as zero.
 */
import { PageRanges } from "./page_ranges.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Extent } from "../memory/extent.ts";
import type { Ram } from "../memory/ram.ts";

/** Pages `index` to `index + extent.count` of the file lie in the frames of `extent`. */
export interface Run {
  readonly index: number;
  readonly extent: Extent;
}

interface Hole {
  readonly index: number;
  readonly count: number;
}

export class PageCache {
  /** In order of index, without overlaps. */
  #runs: Run[];
  /**
   * Pages that were fallocated and not used since (not PG_uptodate). They count as blocks, but as holes for SEEK_DATA
   * and SEEK_HOLE.
   */
  readonly #unused = new PageRanges();

  readonly ram: Ram;

  constructor(ram: Ram, runs: Run[] = []) {
    this.ram = ram;
    this.#runs = runs.toSorted((a, b) => a.index - b.index);
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** The runs of the first `count` pages. Later changes of the file do not change the result. */
  first(count: number): Run[] {
    const found: Run[] = [];
    for (const { index, extent } of this.#runs) {
      if (index >= count) break;
      const pages = Math.min(extent.count, count - index);
      found.push({ index, extent: { ...extent, count: pages } });
    }
    return found;
  }

  /** Number of pages that have a frame. */
  get pages(): number {
    return this.#runs.reduce((sum, run) => sum + run.extent.count, 0);
  }

  /** Fills all of `into`. Holes read as zero. */
  read(offset: number, into: Uint8Array): void {
    into.fill(0);
    this.#each(offset, into.length, (run, at, from, to) => {
      this.ram.read(run.extent, at, into.subarray(from, to));
    });
  }

  /** Writes to pages that have frames: call `populate` first. */
  write(offset: number, data: Uint8Array): void {
    this.#each(offset, data.length, (run, at, from, to) => {
      this.ram.write(run.extent, at, data.subarray(from, to));
    });
  }

  /** Zeroes the pages that have frames. Holes stay holes. */
  zero(offset: number, length: number): void {
    this.#each(offset, length, (run, at, from, to) => {
      this.ram.zero(run.extent, at, to - from);
    });
  }

  /**
   * Gives every hole among the pages `index` ... `index + count` zeroed frames. False, and nothing changed, when memory
   * is used up. The pages count as used, except when `fallocated` is true: new pages then count as unused, and only
   * older unused ones become used.
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

  /** Allocates frames for all holes or, when an allocation fails, for none. */
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

  /** Frees the frames of the pages from `index` up to `end` (Infinity: up to the last page). */
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

  /** The first used page from `index` on; undefined when there is none. */
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

  /** The first page from `index` on that is not used. */
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

  /**
   * Calls `piece` for each part of the byte range that has frames: `at` bytes into the run, bytes `from` to `to` of the
   * range.
   */
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

  /** Position of the first run that ends after page `index`. */
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
