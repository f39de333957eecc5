/**
 * Physical memory: page frames by number, the state of each, and their bytes. RAM is all that one kernel leaves to the
 * next, and a kexec keeps only the frames that the preserved-memory map lists: it fills every other frame with
 * `POISON`.
 */
import { Frames } from "./frames.ts";
import { HandedOverFrames } from "./handed_over_frames.ts";
import { FreeRanges } from "./free_ranges.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { BackingStore } from "./backing_store.ts";
import type { Extent, Store } from "./extent.ts";
import { PluggedFrames } from "./plugged_frames.ts";
import { FRAME, SECTION_FRAMES } from "./section.ts";

/** The first megabyte belongs to the firmware. Frame 0 also means "no page" in a memfd's list (mm/memfd_luo.c). */
const FIRST_FRAME = 256;

export class Ram {
  readonly frames: number;
  readonly #all: Frames;
  #free = new FreeRanges();
  #plugged = new PluggedFrames();
  #handed_over: HandedOverFrames;
  /** True after boot. Only then are faults injected into allocations. */
  up = false;

  readonly size_bytes: number;
  readonly fails: () => boolean;

  /**
   * `fails` is called before each allocation; true injects a fault, and the allocation answers as if memory were used
   * up.
   */
  constructor(size_bytes: number, fails: () => boolean = () => false) {
    this.size_bytes = size_bytes;
    this.fails = fails;
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

  /** Frames that survived the kexec and have no owner yet. */
  get unclaimed_frames(): number {
    return this.#handed_over.unclaimed;
  }

  /**
   * Allocates zeroed frames: all of them, or none (undefined). The result has several extents when memory is
   * fragmented.
   */
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

  /** Allocates one zeroed frame for the kernel. */
  kernel_page(): number | undefined {
    if (!this.#may_have(1)) return undefined;
    const [base] = this.#free.take(1);
    this.#all.own(base, 1, FRAME.kernel);
    this.#all.zero(base, 1);
    return base;
  }

  /** Allocates 2^order zeroed frames for the kernel, aligned to their number. */
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

  /** Allocates frames for `count` pages whose bytes lie in `pages`. Undefined when there are not enough frames. */
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

  /** Moves the bytes of an extent into `store`, from `offset` on. The frames and their owner stay the same. */
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

  /** Reads bytes of an extent, from byte `at` on. */
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

  /** The bytes of a frame, as the kernel's direct map shows them (`Frames.page`). */
  page(frame: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#all.page(frame);
  }

  /** Every frame that is not free. */
  used(): Iterable<number> {
    return this.#all.used(FIRST_FRAME);
  }

  /** Does the kernel own this frame? */
  is_kernels(frame: number): boolean {
    return this.#all.state(frame) === FRAME.kernel;
  }

  any_free(base: number, count: number): boolean {
    return this.#all.any_free(base, count);
  }

  /**
   * Reserves a block of the preserved-memory map at boot, while only scratch may be allocated. False when there is no
   * such memory, or this kernel uses it already.
   */
  keep(base: number, order: number): boolean {
    return base >= FIRST_FRAME && base + 2 ** order <= this.frames && this.#handed_over.keep(base, order);
  }

  /** Gives a block that was handed over its new owner (`HandedOverFrames.restore`). */
  restore(frame: number, state: number = FRAME.used): number | undefined {
    return this.#handed_over.restore(frame, state);
  }

  /** Divides restored frames into extents, one for each place that holds their bytes. */
  extents(base: number, count: number): Extent[] {
    return this.#plugged.cut(base, count);
  }

  /** The kexec: of all memory, only the ranges of `kept` keep their contents. */
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

  /**
   * memblock_set_kho_scratch_only(): until `open` runs, frames come from these areas only. False when an area is not
   * memory.
   */
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
   * Frees every frame that is neither kept nor used, except the scratch areas, which the kernel owns. Called when the
   * map has been read, or at once when there is none. Returns the number of scratch frames reserved.
   */
  open(scratch: readonly { readonly base: number; readonly count: number }[]): number {
    const reserved = scratch.reduce((sum, { base, count }) => sum + this.#all.reserve(base, count), 0);
    this.#free = new FreeRanges();
    for (const [base, count] of this.#all.free_ranges(FIRST_FRAME)) this.#free.give(base, count);
    return reserved;
  }

  /** Returns a sentence for each count that is wrong. */
  audit(): string[] {
    const { used, found } = this.#all.audit();
    const lost = this.used_frames - used;
    if (lost !== 0) found.push(`${lost} page frames are neither used nor free`);
    return found;
  }

  #release(base: number, count: number): void {
    this.#all.free(base, count);
    this.#free.give(base, count);
    // Only large ranges give their bytes back to the host: small ones are allocated and freed too often.
    if (count >= SECTION_FRAMES) this.#all.forget(base, count);
  }
}
