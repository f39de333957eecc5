/** Two megabytes of physical memory: the state of each page frame in them, and their bytes. */
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";

export const SECTION_FRAMES = 512;
export const SECTION_SIZE: number = SECTION_FRAMES * PAGE_SIZE;

/** States of a page frame, as far as `struct page` distinguishes them. Frames without a section are free. */
export const FRAME = {
  free: 0,
  /** Allocated: a file, or another user, holds it. */
  used: 1,
  /** Owned by the kernel: the structs that it writes for the next kernel, and its scratch area. */
  kernel: 2,
  /** Part of a block that was handed over and has no owner yet, but not its first frame. */
  tail: 3,
  /** `kept` + order: the first frame of such a block (KHO_PAGE_MAGIC in page->private). */
  kept: 0x80,
} as const;

/** Value of memory that was not preserved: the pattern of mm/page_poison.c. */
export const POISON = 0xaa;

export class Section {
  readonly state: Uint8Array<ArrayBuffer> = new Uint8Array(SECTION_FRAMES);
  /** Frames that are not free. */
  used = 0;
  /** Undefined until a frame of the section is allocated. Until then every byte is `background`. */
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  /** Frames from this one on were never allocated. Their bytes are zero in `#bytes`, whatever the background is. */
  #clean = 0;

  readonly background: number;

  /** `background` is the value of every byte that was not written yet. */
  constructor(background: number) {
    this.background = background;
  }

  /** Zeroes the frames `from` to `to` for a new owner. */
  zero(from: number, to: number): void {
    this.#bytes ??= new Uint8Array(SECTION_SIZE);
    this.#settle(from);
    if (from < this.#clean) this.#bytes.fill(0, from * PAGE_SIZE, Math.min(to, this.#clean) * PAGE_SIZE);
    this.#clean = Math.max(this.#clean, to);
  }

  /** Fills the frames below `frame` that were never allocated with the background. */
  #settle(frame: number): void {
    if (frame <= this.#clean) return;
    if (this.background !== 0) {
      this.#bytes?.fill(this.background, this.#clean * PAGE_SIZE, frame * PAGE_SIZE);
    }
    this.#clean = frame;
  }

  /** The bytes of a frame: a copy when the frame was never allocated. */
  page(frame: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes === undefined || frame >= this.#clean) {
      return new Uint8Array(PAGE_SIZE).fill(this.background);
    }
    return this.#bytes.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
  }

  /** Bytes of allocated frames, from byte `at` of the section on. */
  bytes(at: number, length: number): Uint8Array {
    return this.#bytes?.subarray(at, at + length) ?? new Uint8Array(length);
  }

  /** The kexec: returns the section that the next kernel finds, or undefined when no frame of it was kept. */
  survive(kept: (frame: number) => boolean): Section | undefined {
    const next = new Section(POISON);
    let any = false;
    for (let frame = 0; frame < SECTION_FRAMES; frame++) {
      if (kept(frame)) any = true;
      else if (frame < this.#clean) this.#bytes?.fill(POISON, frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
    }
    if (!any) return undefined;
    [next.#bytes, next.#clean] = [this.#bytes, this.#clean];
    return next;
  }
}
