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
      "PID 1 is systemd of an unknown version: before 261, systemctl kexec ends the agent and its sessions are lost",
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
  return [knowsLuo(host, version)];
}

/** systemctl kexec ends the agent like every service. What is in a fd store goes over in a session of systemd's own. */
function knowsLuo({ agent, text }: Host, version: number): Finding {
  const environment = agent && text(`/proc/${agent.pid}/environ`);
  if (agent === undefined || environment === undefined) {
    return ok("systemd", `systemd ${version} carries the fd stores of services over systemctl kexec`);
  }
  const room = /(?:^|\0)FDSTORE=(\d+)/.exec(environment)?.[1];
  if (room !== undefined) {
    return ok(
      "systemd",
      `systemd ${version} carries the agent's sessions over systemctl kexec: its fd store has ${room} places`,
    );
  }
  return warns(
    "systemd",
    `systemctl kexec ends the agent (process ${agent.pid}), and its sessions are lost: it has no fd store in systemd ${version}`,
    "execute the kexec with: luo kexec exec; or run the agent in a unit with FileDescriptorStoreMax=4096 and " +
      "FileDescriptorStorePreserve=yes",
  );
}

function versionOf(host: Host): number | undefined {
  for (const directory of DIRECTORIES) {
    for (const name of host.list(directory)) {
      const version = /^libsystemd-(?:shared|core)-(\d+)/.exec(name)?.[1];
      if (version !== undefined) return Number(version);
    }
  }
}
