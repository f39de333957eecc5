/**
 * Page frames whose contents are not in the model's own memory (`ram.ts`) but in something of the host that `lib/machine_process` plugs
 * in: a host memfd, of which nothing is copied then.
 */

/** The backing store of one allocation of page frames. Offsets and lengths are bytes from its first frame. */
export interface BackingStore {
  /** Fills all of `into`. Bytes the store does not have (a host file shorter than its frames) read as zero. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
  zero(offset: number, length: number): void;
  /**
   * The machine is in a kexec, and these frames survive it: what the next kernel finds in them. The store itself when nobody
   * but the machine can reach it; a private copy when the host's owner still runs and could write into it (this one is then
   * released).
   */
  survive(): BackingStore;
  /** The last frame has been freed, or did not survive the kexec. */
  release(): void;
}
