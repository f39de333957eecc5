/** SHA-256 digests of open files: computed, and compared with what was recorded when the file was preserved. */
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
  // node:crypto takes 19 ms to load. Only commands that need a digest load it.
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
 * Compares the contents with the digest that was recorded when the file was preserved.
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
  throw new FileProblem("digest", { file: file.name, preserved: expected, found });
}
