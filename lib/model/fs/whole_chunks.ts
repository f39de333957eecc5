/** How far a write into a preserved file gets: Linux writes in chunks, and refuses whole the one that would cross the end. */
import { CHUNK } from "./shmem.ts";

/**
 * The number of bytes written before the refused chunk; `at`, `length` and `size` in bytes.
 * From memory that is not present Linux halves the chunk at every page fault and gets further, up to the last whole page.
 */
export function whole_chunks(at: number, length: number, size: number): number {
  let done = 0;
  while (done < length) {
    const chunk = Math.min(CHUNK - (at + done) % CHUNK, length - done);
    if (at + done + chunk > size) break;
    done += chunk;
  }
  return done;
}
