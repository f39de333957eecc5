/** The users and groups of a user namespace that a program made, as luo and as the program number them. */
import { read_text } from "../../ffi/proc.ts";

/** The number that an id has in a namespace without it (kernel.overflowuid, kernel.overflowgid). */
const OVERFLOW = 65534;

/** `uid_map` and `gid_map` in /proc, which show luo the ids outside as luo has them. */
export type IdMap = "uid_map" | "gid_map";

interface Range {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** As the process `tid` sees luo's `id`. */
export function idInside(tid: number, map: IdMap, id: number): number {
  return translated(rangesOf(tid, map).map(({ inside, outside, count }) => [outside, inside, count]), id) ??
    OVERFLOW;
}

/** luo's number for an `id` of the process `tid`; undefined: the namespace does not have it. */
export function idOutside(tid: number, map: IdMap, id: number): number | undefined {
  return translated(rangesOf(tid, map).map(({ inside, outside, count }) => [inside, outside, count]), id);
}

export function hasId(tid: number, map: IdMap, id: number): boolean {
  return rangesOf(tid, map).some(({ outside, count }) => id >= outside && id < outside + count);
}

function translated(ranges: readonly (readonly [from: number, to: number, count: number])[], id: number) {
  const range = ranges.find(([from, , count]) => id >= from && id < from + count);
  return range && range[1] + id - range[0];
}

function rangesOf(tid: number, map: IdMap): Range[] {
  const lines = (read_text(`/proc/${tid}/${map}`) ?? "").trim().split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    return { inside, outside, count };
  });
}
