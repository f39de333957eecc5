/** The clocks of the kernel (clock_gettime(2)), in microseconds. */
import { libc } from "./libc.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;

/** Microseconds since 1970. */
export function realtime_us(): number {
  return clock_us(CLOCK_REALTIME);
}

/** Microseconds since the kernel's start, without the time of suspends. */
export function monotonic_us(): number {
  return clock_us(CLOCK_MONOTONIC);
}

/** Microseconds since the kernel's start. */
export function boottime_us(): number {
  return clock_us(CLOCK_BOOTTIME);
}

function clock_us(clock: number): number {
  const timespec = new BigInt64Array(2);
  libc().clock_gettime(clock, timespec);
  return Number(timespec[0] ?? 0n) * 1_000_000 + Math.floor(Number(timespec[1] ?? 0n) / 1000);
}
