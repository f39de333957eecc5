/** The page frames of a machine: the state and the bytes of each. A section exists only where a frame is used. */
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { FRAME, POISON, Section, SECTION_FRAMES, SECTION_SIZE } from "./section.ts";

export class Frames {
  #sections = new Map<number, Section>();
  /** Value of every byte that was not written: 0 at power-on, `POISON` after a kexec. */
  #background = 0;

  readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  state(frame: number): number {
    return this.#sections.get(Math.floor(frame / SECTION_FRAMES))?.state[frame % SECTION_FRAMES] ??
      FRAME.free;
  }

  set(frame: number, state: number): void {
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

  own(base: number, count: number, state: number): void {
    for (let frame = base; frame < base + count; frame++) this.set(frame, state);
  }

  /** Marks allocated frames as free. @throws Error when one is not allocated */
  free(base: number, count: number): void {
    for (let frame = base; frame < base + count; frame++) {
      const state = this.state(frame);
      if (state !== FRAME.used && state !== FRAME.kernel) {
        throw new Error(`Bad page state: frames ${base}+${count} freed twice`);
      }
      this.set(frame, FRAME.free);
    }
  }

  /** Gives the free frames of a range to the kernel. Returns their number. */
  reserve(base: number, count: number): number {
    let reserved = 0;
    for (let frame = base; frame < base + count; frame++) {
      if (this.state(frame) !== FRAME.free) continue;
      this.set(frame, FRAME.kernel);
      reserved++;
    }
    return reserved;
  }

  zero(base: number, count: number): void {
    for (let frame = base; frame < base + count;) {
      const from = frame % SECTION_FRAMES;
      const to = Math.min(SECTION_FRAMES, from + base + count - frame);
      this.#section(Math.floor(frame / SECTION_FRAMES)).zero(from, to);
      frame += to - from;
    }
  }

  /** Gives the bytes of a large free range back to the host. */
  forget(base: number, count: number): void {
    const last = Math.floor((base + count - 1) / SECTION_FRAMES);
    for (let number = Math.floor(base / SECTION_FRAMES); number <= last; number++) {
      if (this.#sections.get(number)?.used === 0) this.#sections.delete(number);
    }
  }

  /**
   * Calls `piece` for each part of the range that lies in one section; `done` is the number of bytes before that part.
   */
  pieces(address: number, length: number, piece: (bytes: Uint8Array, done: number) => void): void {
    for (let done = 0; done < length;) {
      const at = (address + done) % SECTION_SIZE;
      const size = Math.min(SECTION_SIZE - at, length - done);
      piece(this.#section(Math.floor((address + done) / SECTION_SIZE)).bytes(at, size), done);
      done += size;
    }
  }

  /**
   * The bytes of a frame, as the kernel's direct map shows them. The kernel may write to the result when it owns the
   * frame. Undefined when there is no such memory.
   */
  page(frame: number): Uint8Array<ArrayBuffer> | undefined {
    if (!Number.isInteger(frame) || frame < 0 || frame >= this.count) return undefined;
    const section = this.#sections.get(Math.floor(frame / SECTION_FRAMES));
    return section?.page(frame % SECTION_FRAMES) ?? new Uint8Array(PAGE_SIZE).fill(this.#background);
  }

  /** The number of frames that are not free, and the counts that are wrong. */
  audit(): { used: number; found: string[] } {
    const found: string[] = [];
    let used = 0;
    for (const [number, section] of this.#sections) {
      const count = section.state.reduce((sum, state) => sum + Number(state !== FRAME.free), 0);
      if (count !== section.used) found.push(`section ${number} counts ${section.used} frames, not ${count}`);
      used += count;
    }
    return { used, found };
  }

  /** Power-on: all memory is free and zero. */
  reset(): void {
    [this.#sections, this.#background] = [new Map(), 0];
  }

  /**
   * The kexec: keeps the bytes of the frames in `kept`, fills all others with poison, and marks every frame as free.
   * Returns a function that says whether a frame was kept.
   */
  kexec(kept: Iterable<readonly [base: number, count: number]>): (frame: number) => boolean {
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
    [this.#sections, this.#background] = [sections, POISON];
    return (frame) => keeps.get(Math.floor(frame / SECTION_FRAMES))?.[frame % SECTION_FRAMES] === 1;
  }

  /** Ranges of free frames, from `first` on. */
  *free_ranges(first: number): Iterable<readonly [base: number, count: number]> {
    let start = first;
    for (const [number, { state }] of [...this.#sections].sort(([a], [b]) => a - b)) {
      for (let at = 0; at < SECTION_FRAMES; at++) {
        if (state[at] === FRAME.free) continue;
        const frame = number * SECTION_FRAMES + at;
        if (frame > start) yield [start, frame - start];
        start = Math.max(start, frame + 1);
      }
    }
    if (this.count > start) yield [start, this.count - start];
  }

  /** Every frame from `first` on that is not free. */
  *used(first: number): Iterable<number> {
    let next = first;
    for (const [base, count] of [...this.free_ranges(first), [this.count, 0] as const]) {
      for (; next < base; next++) yield next;
      next = base + count;
    }
  }

  any_free(base: number, count: number): boolean {
    for (let frame = base; frame < base + count; frame++) {
      if (this.state(frame) === FRAME.free) return true;
    }
    return false;
  }
}
