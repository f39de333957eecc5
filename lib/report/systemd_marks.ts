/** The moments of a boot, and of the shutdown before it, as systemd tells them. */
import type { Moment } from "../schema/types.ts";
import type { Mark } from "./timeline.ts";

/**
 * Properties of systemd's manager (org.freedesktop.systemd1(5)): microseconds of CLOCK_MONOTONIC. Those of the shutdown came over the
 * kexec in systemd's own session, from systemd 262 on.
 */
const MOMENTS: readonly (readonly [property: string, name: string, boot: Moment["boot"]])[] = [
  ["PreviousShutdownStartTimestampMonotonic", "systemd begins the shutdown", "from"],
  ["PreviousShutdownFinishTimestampMonotonic", "all services are stopped", "from"],
  ["PreviousShutdownLateStartTimestampMonotonic", "systemd-shutdown starts", "from"],
  ["PreviousShutdownLateFinishTimestampMonotonic", "systemd-shutdown executes the kernel", "from"],
  ["InitRDTimestampMonotonic", "the initrd's systemd starts", "to"],
  ["UserspaceTimestampMonotonic", "systemd starts", "to"],
  ["FinishTimestampMonotonic", "systemd has started everything", "to"],
];

/** The properties to ask for: `systemctl show --property=`. */
export const MARK_PROPERTIES: readonly string[] = MOMENTS.map(([property]) => property);

/** What `systemctl show` printed. A property that systemd does not have, or 0, is no moment. */
export function marksIn(shown: string): Mark[] {
  const values = new Map(
    shown.split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
  return MOMENTS.flatMap(([property, name, boot]) => {
    const monotonic = values.get(property);
    return monotonic !== undefined && Number.isSafeInteger(monotonic) && monotonic > 0
      ? [{ name, monotonic, boot }]
      : [];
  });
}
