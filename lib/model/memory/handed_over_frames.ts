/** Blocks of page frames that the previous kernel handed over and this kernel has not given an owner yet. */
import type { Frames } from "./frames.ts";
import { FRAME } from "./section.ts";

export class HandedOverFrames {
  /** Frames of the blocks that have no owner yet. */
  unclaimed = 0;

  readonly frames: Frames;

  constructor(frames: Frames) {
    this.frames = frames;
  }

  /**
   * Marks a block of 2^order frames as handed over. False when this kernel uses a frame of it already: the map is
   * damaged.
   */
  keep(base: number, order: number): boolean {
    for (let frame = base; frame < base + 2 ** order; frame++) {
      const state = this.frames.state(frame);
      if (state === FRAME.kernel || state === FRAME.used) return false;
      if (state === FRAME.free) this.unclaimed++;
      this.frames.set(frame, frame === base ? FRAME.kept + order : FRAME.tail);
    }
    return true;
  }

  /**
   * kho_restore_page(): gives the block that begins at `frame` an owner, and returns its order. Undefined for any other
   * frame, so a block can be restored once only.
   */
  restore(frame: number, state: number): number | undefined {
    const found = this.frames.state(frame);
    if (found < FRAME.kept) return undefined;
    const order = found - FRAME.kept;
    // A damaged map can list two blocks that overlap.
    for (let tail = 1; tail < 2 ** order; tail++) {
      if (this.frames.state(frame + tail) !== FRAME.tail) return undefined;
    }
    for (let at = 0; at < 2 ** order; at++) this.frames.set(frame + at, state);
    this.unclaimed -= 2 ** order;
    return order;
  }
}
