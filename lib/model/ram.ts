/** Physical memory: page frames by number, and who survives a kexec. The only thing, with the console and the disk, that does. */
import { BytePages, PAGE_SIZE, type Pages } from "./pages.ts";

/** Consecutive page frames with one backing store. A run of a file's pages owns exactly one. */
export interface Extent {
  /** Page frame number of the first one. */
  readonly base: number;
  /** How many. */
  readonly count: number;
  readonly store: Store;
  /** Bytes from the start of `store` to the first frame. */
  readonly offset: number;
}

/** A backing store, and how many frames of it are still in use: the last one releases it. */
export interface Store {
  readonly pages: Pages;
  frames: number;
}

/** The first megabyte belongs to the firmware, and frame 0 means "no page" in a memfd's list (mm/memfd_luo.c). */
const FIRST_FRAME = 256;
/** Frames of the largest store: 64 MiB, far below what one array of bytes may have. */
const STORE_MAX = 16384;

export class Ram {
  readonly frames: number;
  #free: Gaps;
  #extents = new Map<number, Extent>();

  /** Handed over, and not yet taken back by whoever they belong to. */
  #handed_over = new Set<number>();

  /** `fails` is asked before each allocation: true is a fault, and the answer as if memory were out. */
  constructor(readonly size_bytes: number, readonly fails: () => boolean = () => false) {
    this.frames = Math.floor(size_bytes / PAGE_SIZE);
    this.#free = new Gaps();
    this.#free.give(FIRST_FRAME, Math.max(0, this.frames - FIRST_FRAME));
  }

  get free_frames(): number {
    return this.#free.total;
  }

  get used_frames(): number {
    return this.frames - FIRST_FRAME - this.#free.total;
  }

  /** Zeroed frames, all of them or (undefined) none; in several extents when memory is fragmented. */
  allocate(count: number): Extent[] | undefined {
    if (count > this.#free.total || this.fails()) return undefined;
    const extents: Extent[] = [];
    for (let left = count; left > 0;) {
      const [base, got] = this.#free.take(Math.min(left, STORE_MAX));
      extents.push(this.#add(base, got, { pages: new BytePages(got), frames: got }, 0));
      left -= got;
    }
    return extents;
  }

  /** Frames for `count` pages that live somewhere else, undefined when there are not enough. */
  plug(count: number, pages: Pages): Extent[] | undefined {
    if (count > this.#free.total || this.fails()) return undefined;
    const store = { pages, frames: count };
    const extents: Extent[] = [];
    for (let done = 0; done < count;) {
      const [base, got] = this.#free.take(count - done);
      extents.push(this.#add(base, got, store, done * PAGE_SIZE));
      done += got;
    }
    return extents;
  }

  free(extent: Extent): void {
    if (this.#extents.get(extent.base) !== extent) {
      throw new Error(`Bad page state: frames ${extent.base}+${extent.count} freed twice`);
    }
    this.#extents.delete(extent.base);
    this.#free.give(extent.base, extent.count);
    this.#unuse(extent);
  }

  /** Cuts an extent into the first `count` frames and the rest. The old one must not be used any more. */
  split(extent: Extent, count: number): [Extent, Extent] {
    this.#extents.delete(extent.base);
    return [
      this.#add(extent.base, count, extent.store, extent.offset),
      this.#add(
        extent.base + count,
        extent.count - count,
        extent.store,
        extent.offset + count * PAGE_SIZE,
      ),
    ];
  }

  /** kho_restore_folio(): an extent that survived the kexec, once: undefined for any other, and for one taken already. */
  restore(base: number, count: number): Extent | undefined {
    const extent = this.#extents.get(base);
    if (extent?.count !== count || !this.#handed_over.delete(base)) return undefined;
    return extent;
  }

  /** Frames that survived the kexec and were not taken back. */
  get unclaimed_frames(): number {
    let sum = 0;
    for (const base of this.#handed_over) sum += this.#extents.get(base)?.count ?? 0;
    return sum;
  }

  /** What no machine may come to: every frame is free, or part of one extent. Each violation in words. */
  audit(): string[] {
    const found: string[] = [];
    let [frame, used] = [FIRST_FRAME, 0];
    for (const { base, count } of [...this.#extents.values()].sort((a, b) => a.base - b.base)) {
      if (base < frame) found.push(`page frame ${base} has two owners`);
      frame = base + count;
      used += count;
    }
    if (frame > this.frames) found.push(`page frame ${frame} is no memory`);
    const lost = this.frames - FIRST_FRAME - used - this.#free.total;
    if (lost !== 0) found.push(`${lost} page frames are neither used nor free`);
    return found;
  }

  /** The kexec: only the named extents (by first frame and count) keep their contents; every other frame is free memory again. */
  keep(survivors: Iterable<{ base: number; count: number }>): void {
    const before = this.#extents;
    this.#extents = new Map();
    this.#free = new Gaps();
    this.#handed_over = new Set();
    const stores = new Map<Store, Store>();
    let frame = FIRST_FRAME;
    for (const { base, count } of [...survivors].sort((a, b) => a.base - b.base)) {
      const extent = before.get(base);
      if (extent === undefined || extent.count !== count) continue;
      before.delete(base);
      if (base > frame) this.#free.give(frame, base - frame);
      frame = base + count;
      const survivor = stores.get(extent.store) ?? { pages: outlive(extent.store.pages), frames: 0 };
      stores.set(extent.store, survivor);
      survivor.frames += count;
      this.#handed_over.add(base);
      this.#add(base, count, survivor, extent.offset);
    }
    if (this.frames > frame) this.#free.give(frame, this.frames - frame);
    for (const lost of before.values()) {
      if (!stores.has(lost.store)) this.#unuse(lost);
    }
  }

  #add(base: number, count: number, store: Store, offset: number): Extent {
    const extent = { base, count, store, offset };
    this.#extents.set(base, extent);
    return extent;
  }

  #unuse(extent: Extent): void {
    extent.store.frames -= extent.count;
    if (extent.store.frames === 0) extent.store.pages.release();
  }
}

function outlive(pages: Pages): Pages {
  const survivor = pages.survive();
  if (survivor !== pages) pages.release();
  return survivor;
}

/** Free frames as ranges, in no order: taken from the end of the list, merged when a neighbour is known. */
class Gaps {
  total = 0;
  /** count by first frame, and first frame by the frame behind the last. */
  #byStart = new Map<number, number>();
  #byEnd = new Map<number, number>();

  /** Up to `count` frames in one piece: from the first range that has them all of a few looked at, else what a range has. */
  take(count: number): [base: number, count: number] {
    let looked = 0;
    let chosen: number | undefined;
    let size = 0;
    for (const [base, length] of this.#byStart) {
      if (length > size) [chosen, size] = [base, length];
      if (size >= count || ++looked === 16) break;
    }
    if (chosen === undefined) throw new Error("Out of page frames");
    const got = Math.min(size, count);
    this.#remove(chosen);
    this.#insert(chosen + got, size - got);
    return [chosen, got];
  }

  give(base: number, count: number): void {
    let [start, length] = [base, count];
    const before = this.#byEnd.get(base);
    if (before !== undefined) {
      start = before;
      length += this.#remove(before);
    }
    if (this.#byStart.has(base + count)) length += this.#remove(base + count);
    this.#insert(start, length);
  }

  #insert(start: number, length: number): void {
    if (length <= 0) return;
    this.#byStart.set(start, length);
    this.#byEnd.set(start + length, start);
    this.total += length;
  }

  #remove(start: number): number {
    const length = this.#byStart.get(start) ?? 0;
    this.#byStart.delete(start);
    this.#byEnd.delete(start + length);
    this.total -= length;
    return length;
  }
}
