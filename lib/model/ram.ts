/**
 * Physical memory: page frames by number, what each is used for, and their bytes. It is all that one kernel leaves to the next,
 * and of it only what the preserved-memory map lists: a kexec fills every other frame with `POISON`.
 */
import { Gaps } from "./gaps.ts";
import { PAGE_SIZE, type Pages } from "./pages.ts";
import { Plugs, type Store } from "./plugs.ts";
import { FRAME, POISON, Section, SECTION_FRAMES, SECTION_SIZE } from "./section.ts";

/** Consecutive page frames of one owner. */
export interface Extent {
  /** Page frame number of the first one. */
  readonly base: number;
  /** How many. */
  readonly count: number;
  /** Their bytes are somewhere else: in a file of the host. */
  readonly store?: Store;
  /** Bytes from the start of `store` to the first frame. */
  readonly offset: number;
}

/** The first megabyte belongs to the firmware, and frame 0 means "no page" in a memfd's list (mm/memfd_luo.c). */
const FIRST_FRAME = 256;

export class Ram {
  readonly frames: number;
  #sections = new Map<number, Section>();
  #free = new Gaps();
  #plugs = new Plugs();
  /** What is in memory nobody has written: zeros at power-on. */
  #background = 0;
  /** Frames of blocks that were handed over and are nobody's yet. */
  #unclaimed = 0;
  /** The kernel is up: from now on an allocation may fail. */
  up = false;

  /** `fails` is asked before each allocation: true is a fault, and the answer as if memory were out. */
  constructor(readonly size_bytes: number, readonly fails: () => boolean = () => false) {
    this.frames = Math.floor(size_bytes / PAGE_SIZE);
  }

  get free_frames(): number {
    return this.#free.total;
  }

  get used_frames(): number {
    return this.frames - FIRST_FRAME - this.#free.total;
  }

  /** Frames that survived the kexec and were not taken back. */
  get unclaimed_frames(): number {
    return this.#unclaimed;
  }

  /** Zeroed frames, all of them or (undefined) none; in several extents when memory is fragmented. */
  allocate(count: number): Extent[] | undefined {
    if (!this.#may_have(count)) return undefined;
    const extents: Extent[] = [];
    for (let left = count; left > 0;) {
      const [base, got] = this.#free.take(left);
      this.#own(base, got, FRAME.used);
      this.#zero(base, got);
      extents.push({ base, count: got, offset: 0 });
      left -= got;
    }
    return extents;
  }

  /** One zeroed frame of the kernel's own. */
  kernel_page(): number | undefined {
    if (!this.#may_have(1)) return undefined;
    const [base] = this.#free.take(1);
    this.#own(base, 1, FRAME.kernel);
    this.#zero(base, 1);
    return base;
  }

  /** 2^order zeroed frames of the kernel's own, at a multiple of so many. */
  kernel_block(order: number): number | undefined {
    if (order === 0) return this.kernel_page();
    const count = 2 ** order;
    if (!this.#may_have(count)) return undefined;
    const base = this.#free.take_aligned(count);
    if (base === undefined) return undefined;
    this.#own(base, count, FRAME.kernel);
    this.#zero(base, count);
    return base;
  }

  free_kernel(base: number, count = 1): void {
    this.#release(base, count);
  }

  #may_have(count: number): boolean {
    return count <= this.#free.total && !(this.up && this.fails());
  }

  /** Frames for `count` pages that live somewhere else, undefined when there are not enough. */
  plug(count: number, pages: Pages): Extent[] | undefined {
    if (!this.#may_have(count)) return undefined;
    const store = { pages, frames: count };
    const extents: Extent[] = [];
    for (let done = 0; done < count;) {
      const [base, got] = this.#free.take(count - done);
      this.#own(base, got, FRAME.used);
      extents.push(this.#plugs.add({ base, count: got, store, offset: done * PAGE_SIZE }));
      done += got;
    }
    return extents;
  }

  /** From now on the bytes of these frames, whoever has them, are those of `store` from `offset` on. */
  move(extent: Extent, store: Store, offset: number): Extent {
    const { base, count } = extent;
    this.#unplug(extent);
    return this.#plugs.add({ base, count, store, offset });
  }

  free(extent: Extent): void {
    this.#release(extent.base, extent.count);
    this.#unplug(extent);
  }

  #unplug(extent: Extent): void {
    if (extent.store !== undefined) this.#plugs.remove(extent.base, extent.count, extent.store);
  }

  /** Cuts an extent into the first `count` frames and the rest. */
  split(extent: Extent, count: number): [Extent, Extent] {
    const { base, store, offset } = extent;
    const rest = { base: base + count, count: extent.count - count };
    if (store !== undefined) this.#plugs.split(base, count);
    return [{ base, count, store, offset }, { ...rest, store, offset: offset + count * PAGE_SIZE }];
  }

  /** Bytes of an extent, from `at` on. */
  read(extent: Extent, at: number, into: Uint8Array): void {
    if (extent.store !== undefined) return extent.store.pages.read(extent.offset + at, into);
    this.#pieces(extent.base * PAGE_SIZE + at, into.length, (bytes, from) => into.set(bytes, from));
  }

  write(extent: Extent, at: number, from: Uint8Array): void {
    if (extent.store !== undefined) return extent.store.pages.write(extent.offset + at, from);
    this.#pieces(extent.base * PAGE_SIZE + at, from.length, (bytes, start) => {
      bytes.set(from.subarray(start, start + bytes.length));
    });
  }

  zero(extent: Extent, at: number, length: number): void {
    if (extent.store !== undefined) return extent.store.pages.zero(extent.offset + at, length);
    this.#pieces(extent.base * PAGE_SIZE + at, length, (bytes) => bytes.fill(0));
  }

  #pieces(address: number, length: number, piece: (bytes: Uint8Array, done: number) => void): void {
    for (let done = 0; done < length;) {
      const at = (address + done) % SECTION_SIZE;
      const size = Math.min(SECTION_SIZE - at, length - done);
      piece(this.#section(Math.floor((address + done) / SECTION_SIZE)).bytes(at, size), done);
      done += size;
    }
  }

  /**
   * The bytes of a frame as the kernel's direct map has them: to be written too, when it is the kernel's own. Undefined when there
   * is no such memory.
   */
  page(frame: number): Uint8Array<ArrayBuffer> | undefined {
    if (!Number.isInteger(frame) || frame < 0 || frame >= this.frames) return undefined;
    const section = this.#sections.get(Math.floor(frame / SECTION_FRAMES));
    return section?.page(frame % SECTION_FRAMES) ?? new Uint8Array(PAGE_SIZE).fill(this.#background);
  }

  /** Is this frame the kernel's own? */
  is_kernels(frame: number): boolean {
    return this.#state(frame) === FRAME.kernel;
  }

  /** At boot, when nothing but scratch may be used: a block of the preserved-memory map. False when there is no such memory. */
  keep(base: number, order: number): boolean {
    const count = 2 ** order;
    if (base < FIRST_FRAME || base + count > this.frames) return false;
    for (let frame = base; frame < base + count; frame++) {
      if (this.#state(frame) < FRAME.tail) this.#unclaimed++;
      this.#set(frame, frame === base ? FRAME.kept + order : FRAME.tail);
    }
    return true;
  }

  /** kho_restore_page(): a block that was handed over, once, by its first frame. Its order; undefined for any other frame. */
  restore(frame: number, state: number = FRAME.used): number | undefined {
    const found = this.#state(frame);
    if (found < FRAME.kept) return undefined;
    const order = found - FRAME.kept;
    // Only of a map that was damaged: two blocks over the same frames.
    for (let tail = 1; tail < 2 ** order; tail++) {
      if (this.#state(frame + tail) !== FRAME.tail) return undefined;
    }
    for (let at = 0; at < 2 ** order; at++) this.#set(frame + at, state);
    this.#unclaimed -= 2 ** order;
    return order;
  }

  /** Extents of frames that were taken back: cut where their bytes are in different places. */
  extents(base: number, count: number): Extent[] {
    return this.#plugs.cut(base, count);
  }

  /** The kexec. Of all memory the blocks of `kept` stay what they are (an iterable of first frames and numbers). */
  kexec(kept: Iterable<readonly [base: number, count: number]>): void {
    const keeps = new Map<number, Uint8Array>();
    for (const [base, count] of kept) {
      for (let frame = base; frame < base + count; frame++) {
        const number = Math.floor(frame / SECTION_FRAMES);
        const of_section = keeps.get(number) ?? new Uint8Array(SECTION_FRAMES);
        keeps.set(number, of_section);
        of_section[frame % SECTION_FRAMES] = 1;
      }
    }
    const sections = new Map<number, Section>();
    for (const [number, section] of this.#sections) {
      const of_section = keeps.get(number);
      const next = of_section && section.survive((frame) => of_section[frame] === 1);
      if (next !== undefined) sections.set(number, next);
    }
    this.#plugs.kexec((frame) =>
      keeps.get(Math.floor(frame / SECTION_FRAMES))?.[frame % SECTION_FRAMES] === 1
    );
    this.#start(sections, POISON);
  }

  /** Power-on: all memory is zero. */
  reset(): void {
    this.#plugs.kexec(() => false);
    this.#start(new Map(), 0);
  }

  #start(sections: Map<number, Section>, background: number): void {
    [this.#sections, this.#background, this.#unclaimed, this.up] = [sections, background, 0, false];
    this.#free = new Gaps();
  }

  /** memblock_set_kho_scratch_only(): until `open`, nothing else can be allocated. False when this is no memory. */
  scratch_only(areas: readonly { readonly base: number; readonly count: number }[]): boolean {
    let end = FIRST_FRAME;
    for (const { base, count } of areas) {
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
        if (this.#state(frame) !== FRAME.free) continue;
        this.#set(frame, FRAME.kernel);
        reserved++;
      }
    }
    this.#free = new Gaps();
    let start = FIRST_FRAME;
    const end_gap = (frame: number) => {
      if (frame > start) this.#free.give(start, frame - start);
    };
    for (const [number, section] of [...this.#sections].sort(([a], [b]) => a - b)) {
      for (let at = 0; at < SECTION_FRAMES; at++) {
        if (section.state[at] === FRAME.free) continue;
        end_gap(number * SECTION_FRAMES + at);
        start = Math.max(start, number * SECTION_FRAMES + at + 1);
      }
    }
    end_gap(this.frames);
    return reserved;
  }

  /** What no machine may come to. Each violation in words. */
  audit(): string[] {
    const found: string[] = [];
    let used = 0;
    for (const [number, section] of this.#sections) {
      const count = section.state.reduce((sum, state) => sum + (state === FRAME.free ? 0 : 1), 0);
      if (count !== section.used) found.push(`section ${number} counts ${section.used} frames, not ${count}`);
      used += count;
    }
    const lost = this.used_frames - used;
    if (lost !== 0) found.push(`${lost} page frames are neither used nor free`);
    return found;
  }

  #release(base: number, count: number): void {
    for (let frame = base; frame < base + count; frame++) {
      const state = this.#state(frame);
      if (state !== FRAME.used && state !== FRAME.kernel) {
        throw new Error(`Bad page state: frames ${base}+${count} freed twice`);
      }
      this.#set(frame, FRAME.free);
    }
    this.#free.give(base, count);
    // Large ones give their bytes back; small ones come and go too often for that.
    if (count >= SECTION_FRAMES) this.#forget(base, count);
  }

  #forget(base: number, count: number): void {
    const last = Math.floor((base + count - 1) / SECTION_FRAMES);
    for (let number = Math.floor(base / SECTION_FRAMES); number <= last; number++) {
      if (this.#sections.get(number)?.used === 0) this.#sections.delete(number);
    }
  }

  #own(base: number, count: number, state: number): void {
    for (let frame = base; frame < base + count; frame++) this.#set(frame, state);
  }

  #zero(base: number, count: number): void {
    for (let frame = base; frame < base + count;) {
      const from = frame % SECTION_FRAMES;
      const to = Math.min(SECTION_FRAMES, from + base + count - frame);
      this.#section(Math.floor(frame / SECTION_FRAMES)).zero(from, to);
      frame += to - from;
    }
  }

  #state(frame: number): number {
    return this.#sections.get(Math.floor(frame / SECTION_FRAMES))?.state[frame % SECTION_FRAMES] ??
      FRAME.free;
  }

  #set(frame: number, state: number): void {
    const section = this.#section(Math.floor(frame / SECTION_FRAMES));
    const at = frame % SECTION_FRAMES;
    section.used += Number(state !== FRAME.free) - Number(section.state[at] !== FRAME.free);
    section.state[at] = state;
  }

  #section(number: number): Section {
    const known = this.#sections.get(number);
    if (known !== undefined) return known;
    const section = new Section(this.#background);
    this.#sections.set(number, section);
    return section;
  }
}
