/** The page frames whose bytes lie in backing stores: memfds and other shmem files of the host. */
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { BackingStore } from "./backing_store.ts";
import type { Extent, Store } from "./extent.ts";

export interface Plugged extends Extent {
  readonly store: Store;
}

export class PluggedFrames {
  /** By first frame. Extents do not overlap. */
  #plugged = new Map<number, Plugged>();

  add(extent: Plugged): Plugged {
    this.#plugged.set(extent.base, extent);
    return extent;
  }

  remove(base: number, count: number, store: Store): void {
    this.#plugged.delete(base);
    store.frames -= count;
    if (store.frames === 0) store.pages.release();
  }

  /** Cuts the extent at `base` so that one extent ends after `count` frames. */
  split(base: number, count: number): void {
    const whole = this.#plugged.get(base);
    if (whole === undefined || whole.count <= count) return;
    this.add({ ...whole, count });
    const offset = whole.offset + count * PAGE_SIZE;
    this.add({ ...whole, base: base + count, count: whole.count - count, offset });
  }

  /** Divides a range of frames into extents, so that the bytes of each lie in one store or in the frames themselves. */
  cut(base: number, count: number): Extent[] {
    if (this.#plugged.size === 0) return [{ base, count, offset: 0 }];
    const extents: Extent[] = [];
    let [plain, at] = [base, base];
    const end_plain = () => {
      if (at > plain) extents.push({ base: plain, count: at - plain, offset: 0 });
    };
    while (at < base + count) {
      this.split(at, base + count - at);
      const found = this.#plugged.get(at);
      if (found === undefined) at++;
      else {
        end_plain();
        extents.push(found);
        plain = at += found.count;
      }
    }
    end_plain();
    return extents;
  }

  /**
   * The kexec: every store with a kept frame survives (`BackingStore.survive`), for its kept frames only. All others
   * are released.
   */
  kexec(kept: (frame: number) => boolean): void {
    const before = [...this.#plugged.values()];
    this.#plugged = new Map();
    const survivors = new Map<Store, Store>();
    const gone = new Set<Store>();
    for (const extent of before) {
      gone.add(extent.store);
      for (const { base, count } of kept_parts(extent, kept)) {
        const store = survivors.get(extent.store) ?? { pages: outlive(extent.store.pages), frames: 0 };
        survivors.set(extent.store, store);
        store.frames += count;
        this.add({ base, count, store, offset: extent.offset + (base - extent.base) * PAGE_SIZE });
      }
    }
    for (const store of gone) if (!survivors.has(store)) store.pages.release();
  }
}

/** The kept frames of an extent as ranges. */
function kept_parts({ base, count }: Extent, kept: (frame: number) => boolean) {
  const parts: { base: number; count: number }[] = [];
  for (let frame = base; frame < base + count; frame++) {
    if (!kept(frame)) continue;
    const last = parts.at(-1);
    if (last !== undefined && last.base + last.count === frame) last.count++;
    else parts.push({ base: frame, count: 1 });
  }
  return parts;
}

function outlive(pages: BackingStore): BackingStore {
  const survivor = pages.survive();
  if (survivor !== pages) pages.release();
  return survivor;
}
