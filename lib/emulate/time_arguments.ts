/** The times that utimensat(2) and its older relatives set. */
import { Errno } from "../../ffi/abi/errno.ts";
import { now } from "./device_nodes.ts";

/** linux/stat.h */
const [UTIME_NOW, UTIME_OMIT] = [0x3fff_ffffn, 0x3fff_fffen];
const [SECOND, MICROSECOND] = [1_000_000_000n, 1_000n];

/** How a call spells times: struct timespec[2], struct timeval[2], struct utimbuf. */
export type TimeFormat = "timespec" | "timeval" | "utimbuf";

export interface NewTimes {
  /** In nanoseconds; undefined: as it is. */
  readonly atime: bigint | undefined;
  readonly mtime: bigint | undefined;
  /** Both are the present: who may write the file may set them. */
  readonly present: boolean;
}

export function sizeOfTimes(format: TimeFormat): number {
  return format === "utimbuf" ? 16 : 32;
}

/** `bytes` undefined: the present. -EINVAL */
export function decodeTimes(
  format: TimeFormat,
  bytes: Uint8Array<ArrayBuffer> | undefined,
): NewTimes | number {
  const present = now();
  if (bytes === undefined) return { atime: present, mtime: present, present: true };
  const words = new BigInt64Array(bytes.buffer);
  if (format === "utimbuf") {
    const [atime = 0n, mtime = 0n] = words;
    return { atime: atime * SECOND, mtime: mtime * SECOND, present: false };
  }
  const [seconds = 0n, part = 0n, secondsModified = 0n, partModified = 0n] = words;
  const times = [one(format, seconds, part, present), one(format, secondsModified, partModified, present)];
  if (times.includes("wrong")) return -Errno.EINVAL;
  const [atime, mtime] = times.map((time) => typeof time === "bigint" ? time : undefined);
  return { atime, mtime, present: part === UTIME_NOW && partModified === UTIME_NOW };
}

function one(format: TimeFormat, seconds: bigint, part: bigint, present: bigint): bigint | "omit" | "wrong" {
  if (format === "timespec" && part === UTIME_NOW) return present;
  if (format === "timespec" && part === UTIME_OMIT) return "omit";
  const nanoseconds = format === "timeval" ? part * MICROSECOND : part;
  return nanoseconds < 0n || nanoseconds >= SECOND ? "wrong" : seconds * SECOND + nanoseconds;
}
