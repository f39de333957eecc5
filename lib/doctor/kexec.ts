/** Whether this kernel and this process may do a kexec. */
import { type Finding, ok, stops, warns } from "./finding.ts";
import { field, type Host, worker } from "./host.ts";

const CAP_SYS_BOOT = 22n;
/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the first PID namespace. */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

export function kexecDisabled(host: Host): Finding[] {
  const disabled = host.text("/proc/sys/kernel/kexec_load_disabled")?.trim();
  if (disabled === "1") {
    return [stops(
      "kexec_disabled",
      "kernel.kexec_load_disabled is 1: no image can be loaded, and only a reboot sets it back",
      "remove kernel.kexec_load_disabled from /etc/sysctl.d and /etc/sysctl.conf, then reboot",
    )];
  }
  const limit = host.text("/proc/sys/kernel/kexec_load_limit_reboot")?.trim();
  if (limit === "0") {
    return [stops(
      "kexec_disabled",
      "kernel.kexec_load_limit_reboot is 0: no image can be loaded any more in this boot",
      "remove kernel.kexec_load_limit_reboot from /etc/sysctl.d, then reboot",
    )];
  }
  if (
    disabled === undefined && !host.exists("/sys/kernel/kexec_loaded") && host.exists("/proc/self/status")
  ) {
    return [
      stops(
        "kexec_disabled",
        "This kernel has no kexec",
        "boot a kernel that is built with CONFIG_KEXEC_FILE=y",
      ),
    ];
  }
  return [ok("kexec_disabled", "kexec is not switched off")];
}

export function lockdown(host: Host): Finding[] {
  const mode = /\[(\w+)\]/.exec(host.text("/sys/kernel/security/lockdown") ?? "")?.[1];
  if (mode === undefined || mode === "none") return [];
  return [warns(
    "lockdown",
    `The kernel is locked down (${mode}): it loads signed images only`,
    "sign the next kernel with a key that this kernel trusts (sbsign), or take the distribution's",
  )];
}

export function capability(host: Host): Finding[] {
  const { proc, name } = worker(host);
  const mask = field(host.text(`${proc}/status`), "CapEff");
  if (mask === undefined) return [];
  if ((BigInt(`0x${mask}`) >> CAP_SYS_BOOT & 1n) === 1n) {
    return [ok("capability", `CAP_SYS_BOOT: ${name} has it`)];
  }
  return [stops(
    "capability",
    `CAP_SYS_BOOT: ${name} does not have it, and cannot do a kexec`,
    "run luo as root; in a unit: AmbientCapabilities=CAP_SYS_BOOT; in a container: --cap-add SYS_BOOT",
  )];
}

export function pidNamespace(host: Host): Finding[] {
  const namespace = host.link(`${worker(host).proc}/ns/pid`);
  if (namespace === undefined || namespace === FIRST_PID_NAMESPACE) return [];
  return [stops(
    "pid_namespace",
    "This is not the first PID namespace: a kexec is not possible from it (EINVAL)",
    "run luo on the host itself, or in a container with --pid=host",
  )];
}
