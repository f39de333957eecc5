/**
 * Where the contents of page frames live. RAM (`ram.ts`) knows frames by number; their bytes are behind this interface: bytes
 * of the model's own, or something of the host that `lib/machine` plugs in (a host memfd: then nothing is copied).
 */

export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12n;

/** The backing store of one allocation of page frames. Offsets and lengths are bytes from its first frame. */
export interface Pages {
  /** Fills all of `into`. Bytes the store does not have (a host file shorter than its frames) read as zero. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
  zero(offset: number, length: number): void;
  /**
   * The machine is in a kexec, and these frames survive it: what the next kernel finds in them. The store itself when nobody
   * but the machine can reach it; a private copy when the host's owner still runs and could write into it.
   */
  survive(): Pages;
  /** The last frame has been freed, or did not survive the kexec. */
  release(): void;
}

/** Bytes of the model's own. */
export class BytePages implements Pages {
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(count: number) {
    this.#bytes = new Uint8Array(count * PAGE_SIZE);
  }

  read(offset: number, into: Uint8Array): void {
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  write(offset: number, from: Uint8Array): void {
    this.#bytes.set(from, offset);
  }

  zero(offset: number, length: number): void {
    this.#bytes.fill(0, offset, offset + length);
  }

  survive(): Pages {
    return this;
  }

  release(): void {
    this.#bytes = new Uint8Array(0);
  }
}
