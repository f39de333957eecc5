/** The present moment on three clocks, as the record of an update tells it. */
import { boottime_us, monotonic_us, realtime_us } from "../../../ffi/clock.ts";
import type { Moment } from "../../schema/types.ts";

/** Now, on the clocks of the kernel before the kexec (`from`) or of the next one (`to`). */
export function moment(boot: Moment["boot"]): Moment {
  const realtime = realtime_us();
  return { at: rfc3339(realtime), boottime: boottime_us(), monotonic: monotonic_us(), boot };
}

/** Microseconds since 1970 as RFC 3339 in UTC. */
export function rfc3339(realtime: number): string {
  const milliseconds = Math.floor(realtime / 1000);
  const rest = String(realtime % 1000).padStart(3, "0");
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}Z`;
}

/** Microseconds since 1970 of such a text. */
export function realtimeOf(at: string): number {
  return Date.parse(`${at.slice(0, 23)}Z`) * 1000 + Number(at.slice(23, 26).replace(/\D/g, "") || 0);
}

/** The start of this process, which is a moment of the kernel that runs. Deno notes it in milliseconds. */
export function processStart(): Moment {
  const now = moment("to");
  const since = Math.max(0, Math.round(realtime_us() - performance.timeOrigin * 1000));
  return {
    ...now,
    at: rfc3339(realtimeOf(now.at) - since),
    boottime: now.boottime - since,
    monotonic: now.monotonic - since,
  };
}
