/** Finds the names of the handover formats in an unpacked kernel: `kho-v4`, `luo-v5`, `memfd-v2`, and each file handler's. */
import { Buffer } from "node:buffer";
import { ImageError } from "./image_error.ts";

const PIECE = 1 << 20;
/** Longer than any name: LUO's `compatible` has 48 bytes. */
const OVERLAP = 256;

/** A kernel with every driver has some hundreds. */
const NAMES_MAX = 10_000;

/** A whole C string, or the contents of a `char compatible[48]`, which any byte can precede. A list is separated by `;`. */
const NAME = /(?<![ -~])[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*-v\d+(?:;[a-z0-9_;-]+)?(?=\0)/g;

/**
 * Every name of the form NAME-vN in the kernel, sorted. Most belong to handover formats, some to other things
 * (`operating-points-v2`): a name that is missing says more than one that is there.
 *
 * @throws ImageError `damaged`: so many names are in no kernel
 */
export function handoverFormats(kernel: Uint8Array): string[] {
  const found = new Set<string>();
  const buffer = Buffer.from(kernel.buffer, kernel.byteOffset, kernel.byteLength);
  for (let offset = 0; offset < kernel.length; offset += PIECE) {
    // Pieces overlap at both ends, so that a name at the end of a piece is seen with the bytes before and after it.
    const from = Math.max(0, offset - OVERLAP);
    const text = buffer.toString("latin1", from, Math.min(kernel.length, offset + PIECE + OVERLAP));
    for (const { 0: name, index } of text.matchAll(NAME)) {
      if (index > 0 || from === 0) { for (const one of name.split(";")) found.add(one); }
    }
    if (found.size > NAMES_MAX) {
      throw new ImageError("damaged", "it has more names of formats than any kernel");
    }
  }
  return [...found].sort();
}
