/** SHA-256 digests of open files: computed, and compared with what was recorded when the file was preserved. */
import { Errno } from "../../ffi/abi/errno.ts";
import { pread } from "../../ffi/file.ts";
import { LuoError } from "../error.ts";
import { FileProblem } from "./file_problem.ts";
import type { End } from "./transfer.ts";

/** Small enough to be in the processor's cache when the digest sees the bytes. */
const PIECE_BYTES = 256 << 10;

/** A SHA-256 digest of bytes that come one after the other. */
export interface RunningDigest {
  /** The number of bytes so far. */
  readonly bytes: number;
  update(bytes: Uint8Array): void;
  /** `sha256:` and 64 hex digits of all bytes. Called once, at the end. */
  text(): string;
}

export async function startDigest(): Promise<RunningDigest> {
  // node:crypto takes 19 ms to load. Only commands that need a digest load it.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  let seen = 0;
  return {
    get bytes() {
      return seen;
    },
    update(bytes) {
      hash.update(bytes);
      seen += bytes.length;
    },
    text: () => `sha256:${hash.digest("hex")}`,
  };
}

/**
 * The digest of the whole contents, read without moving the file position.
 *
 * @throws LuoError `read`
 */
export async function digestOf(file: End, onBytes?: (bytes: number) => void): Promise<string> {
  const digest = await startDigest();
  const buffer = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const bytes = pread(file.fd, buffer, BigInt(digest.bytes));
    if (bytes === -Errno.EINTR) continue;
    if (bytes < 0) throw new LuoError("read", file.name, -bytes);
    if (bytes === 0) return digest.text();
    digest.update(buffer.subarray(0, bytes));
    onBytes?.(bytes);
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
  checkDigest(file.name, expected, await digestOf(file, onBytes));
}

/** @throws FileProblem `digest` */
export function checkDigest(file: string, expected: string, found: string): void {
  if (found === expected) return;
  throw new FileProblem("digest", { file, preserved: expected, found });
}
