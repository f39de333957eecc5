/** Which systemd runs this host. */
import type { Host } from "./host.ts";

/** The first version that carries fd stores over a kexec by LUO. */
export const KNOWS_LUO = 261;

/** Its shared library has the version in its name. */
const DIRECTORIES = [
  "/usr/lib/systemd",
  "/lib/systemd",
  "/usr/lib/x86_64-linux-gnu/systemd",
  "/usr/lib/aarch64-linux-gnu/systemd",
];

/** Undefined: PID 1 is another program. `"unknown"`: it is systemd, and its version cannot be told. */
export function systemdVersion(host: Pick<Host, "text" | "list">): number | "unknown" | undefined {
  if (host.text("/proc/1/comm")?.trim() !== "systemd") return undefined;
  for (const directory of DIRECTORIES) {
    for (const name of host.list(directory)) {
      const version = /^libsystemd-(?:shared|core)-(\d+)/.exec(name)?.[1];
      if (version !== undefined) return Number(version);
    }
  }
  return "unknown";
}
