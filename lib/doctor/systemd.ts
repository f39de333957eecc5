/** systemd: whether it knows live update, and what it does with the sessions. */
import { type Finding, ok, warns } from "./finding.ts";
import type { Host } from "./host.ts";
import { KNOWS_LUO, systemdVersion } from "./systemd_version.ts";

export function systemd(host: Host): Finding[] {
  const version = systemdVersion(host);
  if (version === undefined) return [];
  if (version === "unknown") {
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
      "execute the kexec with: luo kexec exec; or run luo-agent-surviving.service in place of luo-agent.service",
    )];
  }
  return [knowsLuo(host, version)];
}

/** systemctl kexec ends the agent like every service. Descriptors in a fd store go over in a session of systemd's own. */
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
