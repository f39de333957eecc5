/** The parts of a file that hold data: holes and blocks of zeros are left out. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_RDONLY, SEEK_DATA, SEEK_HOLE } from "../../ffi/abi/fcntl.ts";
import { lseek, open, pread } from "../../ffi/file.ts";
import { is_zero } from "../../ffi/memory.ts";
import { LuoError } from "../error.ts";
import { FileProblem } from "./file_problem.ts";
import { HostFd } from "./host_fd.ts";
import { type End, letSignalsIn, type TransferOptions } from "./transfer.ts";

/** Bytes from `offset` on. */
export interface Extent {
  readonly offset: bigint;
  readonly length: bigint;
}

const PIECE_BYTES = 1 << 20;
/** A shorter run of zeros is written as data: a hole costs an extent in the file system. */
const BLOCK_BYTES = 64 << 10;

/**
 * What the file system knows: everything between `start` and `end` that is not a hole. Moves the position of `fd`. A file system
 * without SEEK_DATA has no holes.
 */
export function extentsWithoutHoles(fd: number, start: bigint, end: bigint): Extent[] {
  const extents: Extent[] = [];
  for (let at = start; at < end;) {
    const data = lseek(fd, at, SEEK_DATA);
    // No data up to the end of the file.
    if (data === BigInt(-Errno.ENXIO)) break;
    const offset = data < 0n ? at : data;
    if (offset >= end) break;
    const hole = data < 0n ? end : lseek(fd, offset, SEEK_HOLE);
    const stop = hole < 0n || hole > end ? end : hole;
    extents.push({ offset, length: stop - offset });
    at = stop;
  }
  return extents;
}

/**
 * The parts of a restored file to write. The kernel fills the holes of a file when it preserves it, so blocks of zeros are looked for
 * too: C compares them, at the speed of memory. The position of the file does not move.
 *
 * @throws LuoError `read`; FileProblem `restored-short`; the signal's reason
 */
export async function extentsWithoutZeros(
  file: End & { readonly size: bigint },
  { signal }: Pick<TransferOptions, "signal"> = {},
): Promise<Extent[]> {
  const found: Extent[] = [];
  const buffer = new Uint8Array(PIECE_BYTES);
  const breathe = letSignalsIn(signal);
  for (const { offset, length } of extentsOfMemfd(file)) {
    for (let at = offset; at < offset + length;) {
      const left = offset + length - at;
      const piece = left < BigInt(PIECE_BYTES) ? buffer.subarray(0, Number(left)) : buffer;
      const bytes = pread(file.fd, piece, at);
      if (bytes === -Errno.EINTR) continue;
      if (bytes < 0) throw new LuoError("read", file.name, -bytes);
      if (bytes === 0) {
        throw new FileProblem("restored-short", { file: file.name, moved: at, size: file.size });
      }
      addData(found, piece.subarray(0, bytes), at);
      at += BigInt(bytes);
      await breathe();
    }
  }
  return found;
}

/** Through a description of its own, because looking for holes moves the position. */
function extentsOfMemfd({ fd, size }: { readonly fd: number; readonly size: bigint }): Extent[] {
  const whole = { offset: 0n, length: size };
  const number = open(`/proc/self/fd/${fd}`, O_RDONLY | O_CLOEXEC);
  if (number < 0) return [whole];
  using own = new HostFd(number);
  return extentsWithoutHoles(own.number, 0n, size);
}

function addData(extents: Extent[], bytes: Uint8Array, at: bigint): void {
  for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
    const block = bytes.subarray(from, from + BLOCK_BYTES);
    if (is_zero(block)) continue;
    const offset = at + BigInt(from);
    const length = BigInt(block.length);
    const last = extents.at(-1);
    if (last !== undefined && last.offset + last.length === offset) {
      extents[extents.length - 1] = { offset: last.offset, length: last.length + length };
    } else extents.push({ offset, length });
  }
}
