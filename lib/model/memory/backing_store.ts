/**
 * The interface for page frames whose bytes lie outside the model's own memory: in a host memfd, for example, which is
 * not copied then. `lib/machine_process` implements it.
 */

/** The bytes of one allocation of page frames. Offsets and lengths are bytes from its first frame. */
export interface BackingStore {
  /**
   * Fills all of `into`. Bytes that the store does not have (the host file is shorter than its frames) read as zero.
   */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
  zero(offset: number, length: number): void;
  /**
   * Called during a kexec when frames of this store survive; returns the store that the next kernel uses. The store
   * returns itself when no process outside the machine can reach it. It returns a private copy when the host's owner still
   * runs and could write into it; the caller then releases this store.
   */
  survive(): BackingStore;
  /** Called after the last frame was freed, or when no frame survived the kexec. */
  release(): void;
}
