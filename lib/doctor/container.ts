/** Containers, user namespaces and seccomp filters, which hide files or forbid system calls. */
import { type Finding, stops, warns } from "./finding.ts";
import { field, type Host, worker } from "./host.ts";

/** Files that container engines leave in the root of a container. */
const MARKS: readonly (readonly [path: string, engine: string])[] = [
  ["/run/.containerenv", "podman"],
  ["/.dockerenv", "docker"],
  ["/run/systemd/container", "systemd-nspawn or another engine"],
];

export function container(host: Host): Finding[] {
  const mark = MARKS.find(([path]) => host.exists(path));
  const variable = /(?:^|\0)container=([^\0]*)/.exec(host.text("/proc/1/environ") ?? "")?.[1];
  const engine = mark?.[1] ?? variable;
  if (engine === undefined) return [];
  return [warns(
    "container",
    `This is a container (${engine}): the device, /sys and system calls may be hidden`,
    "run luo on the host itself",
  )];
}

export function userNamespace(host: Host): Finding[] {
  const map = host.text(`${worker(host).proc}/uid_map`)?.trim().split(/\s+/);
  if (map === undefined || map.join(" ") === "0 0 4294967295") return [];
  return [stops(
    "user_namespace",
    "This is a user namespace: its root has no rights over the kernel (EPERM)",
    "run luo as root of the host",
  )];
}

export function seccomp(host: Host): Finding[] {
  const { proc, name } = worker(host);
  const status = host.text(`${proc}/status`);
  const findings: Finding[] = [];
  if (field(status, "Seccomp") === "2") {
    findings.push(warns(
      "seccomp",
      `A seccomp filter is on ${name}: it may forbid kexec_file_load(2) or reboot(2)`,
      "allow them in the profile (in a unit: SystemCallFilter=@reboot), or run luo without one",
    ));
  }
  if (field(status, "NoNewPrivs") === "1") {
    findings.push(warns(
      "no_new_privs",
      `NoNewPrivs is set on ${name}: sudo gives it no rights`,
      "run luo as root from the start; in a unit: NoNewPrivileges=no",
    ));
  }
  return findings;
}
