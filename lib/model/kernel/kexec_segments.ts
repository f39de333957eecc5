/** Places the segments of an image into scratch: kho_locate_mem_hole() of kernel/liveupdate/kexec_handover.c. */
import { Errno } from "../../../ffi/abi/errno.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ret } from "../../system_calls.ts";
import type { Scratch } from "../kho/kho.ts";

export interface Segment {
  readonly bytes: number;
  /** The address is a multiple of it. */
  readonly alignment: number;
}

/** 0, or -EADDRNOTAVAIL when a segment has no room. Each one goes to the top of the first area that has room (`top_down`). */
export function place_segments(scratch: readonly Scratch[], segments: readonly Segment[]): Ret {
  // The page at the start of the first area holds KHO's list of areas.
  const areas = scratch.map(({ base, count }, index) => ({
    start: (base + (index === 0 ? 1 : 0)) * PAGE_SIZE,
    end: (base + count) * PAGE_SIZE,
  }));
  for (const { bytes, alignment } of segments) {
    const size = Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
    const address = (end: number) => Math.floor((end - size) / alignment) * alignment;
    const area = areas.find(({ start, end }) => address(end) >= start);
    if (area === undefined) return -Errno.EADDRNOTAVAIL;
    area.end = address(area.end);
  }
  return 0;
}
