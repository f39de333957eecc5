/**
 * Physical memory: page frames by number, what each is used for, and their bytes. It is all that one kernel leaves to the next,
 * and of it only what the preserved-memory map lists: a kexec fills every other frame with `POISON`.
 */
import { Frames } from "./frames.ts";
import { HandedOverFrames } from "./handed_over_frames.ts";
import { FreeRanges } from "./free_ranges.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { BackingStore } from "./backing_store.ts";
import type { Extent, Store } from "./extent.ts";
import { PluggedFrames } from "./plugged_frames.ts";
import { FRAME, SECTION_FRAMES } from "./section.ts";

/** The first megabyte belongs to the firmware, and frame 0 means "no page" in a memfd's list (mm/memfd_luo.c). */
const FIRST_FRAME = 256;

export class Ram {
  readonly frames: number;
  readonly #all: Frames;
  #free = new FreeRanges();
  #plugged = new PluggedFrames();
  #handed_over: HandedOverFrames;
  /** The kernel is up: from now on an allocation may fail. */
  up = false;

  /** `fails` is asked before each allocation: true is a fault, and the answer as if memory were out. */
  constructor(readonly size_bytes: number, readonly fails: () => boolean = () => false) {
    this.frames = Math.floor(size_bytes / PAGE_SIZE);
    this.#all = new Frames(this.frames);
    this.#handed_over = new HandedOverFrames(this.#all);
  }

  get free_frames(): number {
    return this.#free.total;
  }

  get used_frames(): number {
    return this.frames - FIRST_FRAME - this.#free.total;
  }

  /** Frames that survived the kexec and were not taken back. */
  get unclaimed_frames(): number {
    return this.#handed_over.unclaimed;
  }

  /** Zeroed frames, all of them or (undefined) none; in several extents when memory is fragmented. */
  allocate(count: number): Extent[] | undefined {
    if (!this.#may_have(count)) return undefined;
    const extents: Extent[] = [];
    for (let left = count; left > 0;) {
      const [base, got] = this.#free.take(left);
      this.#all.own(base, got, FRAME.used);
      this.#all.zero(base, got);
      extents.push({ base, count: got, offset: 0 });
      left -= got;
    }
    return extents;
  }

  /** One zeroed frame of the kernel's own. */
  kernel_page(): number | undefined {
    if (!this.#may_have(1)) return undefined;
    const [base] = this.#free.take(1);
    this.#all.own(base, 1, FRAME.kernel);
    this.#all.zero(base, 1);
    return base;
  }

  /** 2^order zeroed frames of the kernel's own, at a multiple of so many. */
  kernel_block(order: number): number | undefined {
    if (order === 0) return this.kernel_page();
    const count = 2 ** order;
    if (!this.#may_have(count)) return undefined;
    const base = this.#free.take_aligned(count);
    if (base === undefined) return undefined;
    this.#all.own(base, count, FRAME.kernel);
    this.#all.zero(base, count);
    return base;
  }

  free_kernel(base: number, count = 1): void {
    this.#release(base, count);
  }

  #may_have(count: number): boolean {
    return count <= this.#free.total && !(this.up && this.fails());
  }

  /** Frames for `count` pages that live somewhere else, undefined when there are not enough. */
  plug(count: number, pages: BackingStore): Extent[] | undefined {
    if (!this.#may_have(count)) return undefined;
    const store = { pages, frames: count };
    const extents: Extent[] = [];
    for (let done = 0; done < count;) {
      const [base, got] = this.#free.take(count - done);
      this.#all.own(base, got, FRAME.used);
      extents.push(this.#plugged.add({ base, count: got, store, offset: done * PAGE_SIZE }));
      done += got;
    }
    return extents;
  }

  /** From now on the bytes of these frames, whoever has them, are those of `store` from `offset` on. */
  move(extent: Extent, store: Store, offset: number): Extent {
    const { base, count } = extent;
    this.#unplug(extent);
    return this.#plugged.add({ base, count, store, offset });
  }

  free(extent: Extent): void {
    this.#release(extent.base, extent.count);
    this.#unplug(extent);
  }

  #unplug(extent: Extent): void {
    if (extent.store !== undefined) this.#plugged.remove(extent.base, extent.count, extent.store);
  }

  /** Cuts an extent into the first `count` frames and the rest. */
  split(extent: Extent, count: number): [Extent, Extent] {
    const { base, store, offset } = extent;
    const rest = { base: base + count, count: extent.count - count };
    if (store !== undefined) this.#plugged.split(base, count);
    return [{ base, count, store, offset }, { ...rest, store, offset: offset + count * PAGE_SIZE }];
  }

  /** Bytes of an extent, from `at` on. */
  read(extent: Extent, at: number, into: Uint8Array): void {
    if (extent.store !== undefined) return extent.store.pages.read(extent.offset + at, into);
    this.#all.pieces(extent.base * PAGE_SIZE + at, into.length, (bytes, from) => into.set(bytes, from));
  }

  write(extent: Extent, at: number, from: Uint8Array): void {
    if (extent.store !== undefined) return extent.store.pages.write(extent.offset + at, from);
    this.#all.pieces(extent.base * PAGE_SIZE + at, from.length, (bytes, start) => {
      bytes.set(from.subarray(start, start + bytes.length));
    });
  }

  zero(extent: Extent, at: number, length: number): void {
    if (extent.store !== undefined) return extent.store.pages.zero(extent.offset + at, length);
    this.#all.pieces(extent.base * PAGE_SIZE + at, length, (bytes) => bytes.fill(0));
  }

  /** The bytes of a frame as the kernel's direct map has them (`Frames.page`). */
  page(frame: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#all.page(frame);
  }

  /** Every frame that is not free. */
  used(): Iterable<number> {
    return this.#all.used(FIRST_FRAME);
  }

  /** Is this frame the kernel's own? */
  is_kernels(frame: number): boolean {
    return this.#all.state(frame) === FRAME.kernel;
  }

  any_free(base: number, count: number): boolean {
    return this.#all.any_free(base, count);
  }

  /**
   * Reserves a block of the preserved-memory map at boot, while only scratch may be allocated. False when there is no such memory, or
   * this kernel uses it already.
   */
  keep(base: number, order: number): boolean {
    return base >= FIRST_FRAME && base + 2 ** order <= this.frames && this.#handed_over.keep(base, order);
  }

  /** Gives a block that was handed over its new owner (`HandedOverFrames.restore`). */
  restore(frame: number, state: number = FRAME.used): number | undefined {
    return this.#handed_over.restore(frame, state);
  }

  /** Extents of frames that were taken back: cut where their bytes are in different places. */
  extents(base: number, count: number): Extent[] {
    return this.#plugged.cut(base, count);
  }

  /** The kexec. Of all memory the blocks of `kept` stay what they are (an iterable of first frames and numbers). */
  kexec(kept: Iterable<readonly [base: number, count: number]>): void {
    const keeps = this.#all.kexec(kept);
    this.#plugged.kexec(keeps);
    this.#start();
  }

  /** Power-on: all memory is zero. */
  reset(): void {
    this.#plugged.kexec(() => false);
    this.#all.reset();
    this.#start();
  }

  #start(): void {
    this.#handed_over = new HandedOverFrames(this.#all);
    this.up = false;
    this.#free = new FreeRanges();
  }

  /** memblock_set_kho_scratch_only(): until `open`, nothing else can be allocated. False when this is no memory. */
  scratch_only(areas: readonly { readonly base: number; readonly count: number }[]): boolean {
    let end = FIRST_FRAME;
    for (const { base, count } of areas) {
      if (!Number.isInteger(base) || !Number.isInteger(count)) return false;
      if (base < end || count < 1 || base + count > this.frames) return false;
      this.#free.give(base, count);
      end = base + count;
    }
    return areas.length > 0;
  }

  /**
   * The map is read (or there is none): what nobody kept or uses is free, but for the scratch areas, which are the kernel's. So
   * many frames are.
   */
  open(scratch: readonly { readonly base: number; readonly count: number }[]): number {
    let reserved = 0;
    for (const { base, count } of scratch) {
      for (let frame = base; frame < base + count; frame++) {
        if (this.#all.state(frame) !== FRAME.free) continue;
        this.#all.set(frame, FRAME.kernel);
        reserved++;
      }
    }
    this.#free = new FreeRanges();
    for (const [base, count] of this.#all.free_ranges(FIRST_FRAME)) this.#free.give(base, count);
    return reserved;
  }

  /** What no machine may come to. Each violation in words. */
  audit(): string[] {
    const { used, found } = this.#all.audit();
    const lost = this.used_frames - used;
    if (lost !== 0) found.push(`${lost} page frames are neither used nor free`);
    return found;
  }

  #release(base: number, count: number): void {
    for (let frame = base; frame < base + count; frame++) {
      const state = this.#all.state(frame);
      if (state !== FRAME.used && state !== FRAME.kernel) {
        throw new Error(`Bad page state: frames ${base}+${count} freed twice`);
      }
      this.#all.set(frame, FRAME.free);
    }
    this.#free.give(base, count);
    // Large ones give their bytes back; small ones come and go too often for that.
    if (count >= SECTION_FRAMES) this.#all.forget(base, count);
  }
}
