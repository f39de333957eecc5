/** Two megabytes of physical memory: what every page frame of it is used for, and its bytes. */
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";

export const SECTION_FRAMES = 512;
export const SECTION_SIZE = SECTION_FRAMES * PAGE_SIZE;

/** What a page frame is, as far as `struct page` says it. Frames without a section are free. */
export const FRAME = {
  free: 0,
  /** Somebody's, who knows that. */
  used: 1,
  /** The kernel's own: what it writes for the next one, and its scratch area. */
  kernel: 2,
  /** Of a block that was handed over and is nobody's yet; its first frame is `kept` + order (KHO_PAGE_MAGIC in page->private). */
  tail: 3,
  kept: 0x80,
} as const;

/** What memory holds that nobody preserved: the value of mm/page_poison.c. */
export const POISON = 0xaa;

export class Section {
  readonly state = new Uint8Array(SECTION_FRAMES);
  /** Frames that are not free. */
  used = 0;
  /** Undefined as long as no frame of it was given out: there is nothing in it but `background`. */
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  /** Frames from here on were never given out. Their bytes are all zero here, whatever the background is. */
  #clean = 0;

  /** `background` is in every byte that nobody has written yet. */
  constructor(readonly background: number) {}

  /** Zeroed frames for a new owner. */
  zero(from: number, to: number): void {
    this.#bytes ??= new Uint8Array(SECTION_SIZE);
    this.#settle(from);
    if (from < this.#clean) this.#bytes.fill(0, from * PAGE_SIZE, Math.min(to, this.#clean) * PAGE_SIZE);
    this.#clean = Math.max(this.#clean, to);
  }

  /** Frames below `frame` that were left out hold the background. */
  #settle(frame: number): void {
    if (frame <= this.#clean) return;
    if (this.background !== 0) {
      this.#bytes?.fill(this.background, this.#clean * PAGE_SIZE, frame * PAGE_SIZE);
    }
    this.#clean = frame;
  }

  /** The bytes of a frame; a copy when it was never given out. */
  page(frame: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes === undefined || frame >= this.#clean) {
      return new Uint8Array(PAGE_SIZE).fill(this.background);
    }
    return this.#bytes.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
  }

  /** Bytes of frames that were given out; `at` bytes into the section. */
  bytes(at: number, length: number): Uint8Array {
    return this.#bytes?.subarray(at, at + length) ?? new Uint8Array(length);
  }

  /** The kexec: what the next kernel finds here. Undefined when nothing of it was kept. */
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
