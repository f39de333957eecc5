/** Consecutive page frames of one owner, and the backing store that holds their bytes when the frames do not. */
import type { BackingStore } from "./backing_store.ts";

export interface Extent {
  /** Page frame number of the first one. */
  readonly base: number;
  readonly count: number;
  /** Undefined: the frames hold their bytes themselves. */
  readonly store?: Store | undefined;
  /** Bytes from the start of `store` to the first frame. */
  readonly offset: number;
}

/** A backing store, and the number of its frames that are still in use. The end of the last one releases the store. */
export interface Store {
  readonly pages: BackingStore;
  frames: number;
}
