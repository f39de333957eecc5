/** The parts of a file that are not holes. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_RDONLY, SEEK_DATA, SEEK_HOLE } from "../../ffi/abi/fcntl.ts";
import { lseek, open } from "../../ffi/file.ts";
import { HostFd } from "./host_fd.ts";

/** Bytes from `offset` on. */
export interface Extent {
  readonly offset: bigint;
  readonly length: bigint;
}

/**
 * Everything between `start` and `end` that is not a hole, by what the file system says. Moves the position of `fd`. A file system
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

/** The parts of a memfd that are not holes. Its position does not move: another open file description looks for the holes. */
export function extentsOfMemfd({ fd, size }: { readonly fd: number; readonly size: bigint }): Extent[] {
  const whole = { offset: 0n, length: size };
  const number = open(`/proc/self/fd/${fd}`, O_RDONLY | O_CLOEXEC);
  if (number < 0) return [whole];
  using own = new HostFd(number);
  return extentsWithoutHoles(own.number, 0n, size);
}
