import { Errno } from "../../ffi/abi/errno.ts";
import { pread } from "../../ffi/file.ts";
import { LuoError } from "../error.ts";
import { FileProblem } from "./file_problem.ts";
import type { End } from "./transfer.ts";

const PIECE_BYTES = 4 << 20;

/**
 * `sha256:` and 64 hex digits of the whole contents, read without moving the file position.
 *
 * @throws LuoError `read`
 */
export async function digestOf(file: End, onBytes?: (bytes: number) => void): Promise<string> {
  // Costs 19 ms to load: only who needs a digest pays.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let offset = 0n;;) {
    const bytes = pread(file.fd, buffer, offset);
    if (bytes === -Errno.EINTR) continue;
    if (bytes < 0) throw new LuoError("read", file.name, -bytes);
    if (bytes === 0) return `sha256:${hash.digest("hex")}`;
    hash.update(buffer.subarray(0, bytes));
    onBytes?.(bytes);
    offset += BigInt(bytes);
  }
}

/**
 * Holds the contents to the digest that was recorded when they were preserved.
 *
 * @throws FileProblem `digest`
 */
export async function verifyDigest(
  file: End,
  expected: string,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const found = await digestOf(file, onBytes);
  if (found === expected) return;
  throw new FileProblem("digest", `Cannot restore ${file.name}: its contents are not what was preserved`, [
    `preserved: ${expected}`,
    `found:     ${found}`,
    "nothing was written; --force writes it all the same",
  ]);
}
