/** systemd: whether it knows live update, and what it does with the sessions. */
import { type Finding, ok, warns } from "./finding.ts";
import type { Host } from "./host.ts";

/** The first version that carries fd stores over a kexec by LUO. */
const KNOWS_LUO = 261;
/** Its shared library has the version in its name. */
const DIRECTORIES = [
  "/usr/lib/systemd",
  "/lib/systemd",
  "/usr/lib/x86_64-linux-gnu/systemd",
  "/usr/lib/aarch64-linux-gnu/systemd",
];

export function systemd(host: Host): Finding[] {
  if (host.text("/proc/1/comm")?.trim() !== "systemd") return [];
  const version = versionOf(host);
  if (version === undefined) {
    return [warns(
      "systemd",
      "PID 1 is systemd of an unknown version: from 261 on it opens the device at systemctl kexec",
      "execute the kexec with: luo kexec exec",
    )];
  }
  if (version < KNOWS_LUO) {
    return [warns(
      "systemd",
      `systemd ${version} does not know live update: systemctl kexec ends the agent, and its sessions are lost`,
      "execute the kexec with: luo kexec exec (systemd 261 keeps the fd stores of services by itself)",
    )];
  }
  return [ok(
    "systemd",
    `systemd ${version} keeps the fd stores of services over systemctl kexec, in a session of its own; it opens the ` +
      "device then, so the agent must not hold it",
  )];
}

function versionOf(host: Host): number | undefined {
  for (const directory of DIRECTORIES) {
    for (const name of host.list(directory)) {
      const version = /^libsystemd-(?:shared|core)-(\d+)/.exec(name)?.[1];
      if (version !== undefined) return Number(version);
    }
  }
}
