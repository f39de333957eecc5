/** Copies a regular file with a digest that sees the same bytes that are written. Blocks of zeros become holes. */
import { Errno } from "../../ffi/abi/errno.ts";
import { pread, pwrite, pwrite_in_thread } from "../../ffi/file.ts";
import { is_zero } from "../../ffi/memory.ts";
import { LuoError } from "../error.ts";
import type { Extent } from "./data_extents.ts";
import { BLOCK_BYTES } from "./data_transfer.ts";
import { type End, letSignalsIn } from "./transfer.ts";

export interface BlockCopyOptions {
  /** The offset in the target of the extent's first byte; without it, the same offset as in the source. */
  readonly at?: bigint;
  /** Sees all bytes in order. The blocks are then written in another thread, while the next ones are read and seen. */
  readonly onData: (bytes: Uint8Array) => void;
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Long enough that the change of threads does not count. */
const PIECE_BYTES = 4 << 20;
/** Small enough to be in the processor's cache when the digest sees the bytes. */
const SEEN_BYTES = 128 << 10;

/**
 * Copies an extent of the source to a target that is all hole there. No position moves.
 *
 * @returns the number of bytes; fewer than the extent has when the source ended
 * @throws LuoError `read` or `write`; the signal's reason
 */
export async function copyBlocks(
  from: End,
  to: End,
  { offset, length }: Extent,
  { at = offset, onData, onBytes, signal }: BlockCopyOptions,
): Promise<bigint> {
  // While one is written, the other one is filled.
  let [filled, written] = [new Uint8Array(PIECE_BYTES), new Uint8Array(PIECE_BYTES)];
  const breathe = letSignalsIn(signal);
  let writing: Promise<void> | undefined;
  let moved = 0n;
  try {
    while (moved < length) {
      const bytes = readPiece(from, filled, offset + moved, length - moved, onData);
      if (bytes.length === 0) break;
      await writing;
      writing = writeRunsInThread(to, bytes, at + moved);
      // Its error is thrown where it is awaited, after the next bytes were read.
      writing.catch(() => {});
      [filled, written] = [written, filled];
      moved += BigInt(bytes.length);
      onBytes?.(bytes.length);
      await breathe();
    }
    return moved;
  } finally {
    // The thread must not write to a descriptor that is closed, or to another file with its number.
    await writing;
  }
}

function readPiece(
  from: End,
  buffer: Uint8Array<ArrayBuffer>,
  at: bigint,
  left: bigint,
  onData: (bytes: Uint8Array) => void,
): Uint8Array<ArrayBuffer> {
  const most = left < BigInt(buffer.length) ? Number(left) : buffer.length;
  let done = 0;
  while (done < most) {
    const part = buffer.subarray(done, Math.min(done + SEEN_BYTES, most));
    const bytes = pread(from.fd, part, at + BigInt(done));
    if (bytes === -Errno.EINTR) continue;
    if (bytes < 0) throw new LuoError("read", from.name, -bytes);
    if (bytes === 0) break;
    onData(part.subarray(0, bytes));
    done += bytes;
  }
  return buffer.subarray(0, done);
}

async function writeRunsInThread(to: End, bytes: Uint8Array<ArrayBuffer>, at: bigint): Promise<void> {
  for (const { start, end } of runs(bytes)) {
    const written = await pwrite_in_thread(to.fd, bytes.subarray(start, end), at + BigInt(start));
    // After a failure the errno is in the other thread: this thread tries again and finds it out.
    const from = start + Math.max(0, written);
    writeAllAt(to, bytes.subarray(from, end), at + BigInt(from));
  }
}

function writeAllAt(to: End, bytes: Uint8Array, at: bigint): void {
  for (let done = 0; done < bytes.length;) {
    const written = pwrite(to.fd, bytes.subarray(done), at + BigInt(done));
    if (written === -Errno.EINTR) continue;
    if (written < 0) throw new LuoError("write", to.name, -written);
    done += written;
  }
}

/** The parts with blocks that are not all zero. */
function runs(bytes: Uint8Array): { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, bytes.length);
    if (bytes[start] === 0 && is_zero(bytes.subarray(start, end))) continue;
    const last = found.at(-1);
    if (last?.end === start) last.end = end;
    else found.push({ start, end });
  }
  return found;
}
