/** All subjects that the doctor looks at, in the order of the output. */
import { bootLoader, initramfs } from "./boot.ts";
import { commandLine } from "./command_line.ts";
import { container, seccomp, userNamespace } from "./container.ts";
import { device } from "./device.ts";
import type { Finding } from "./finding.ts";
import type { Host } from "./host.ts";
import { capability, kexecDisabled, lockdown, pidNamespace } from "./kexec.ts";
import { kernelConfig, kernelRelease } from "./kernel.ts";
import { limits } from "./limits.ts";
import { memory, memoryCgroup } from "./memory.ts";
import { plainReboot } from "./plain_reboot.ts";
import { systemd } from "./systemd.ts";

/** Each function looks at one subject. A missing fact gives no finding, or a finding that says so. */
const SUBJECTS: readonly ((host: Host) => Finding[] | Promise<Finding[]>)[] = [
  kernelRelease,
  kernelConfig,
  commandLine,
  device,
  kexecDisabled,
  lockdown,
  capability,
  pidNamespace,
  container,
  userNamespace,
  seccomp,
  memory,
  memoryCgroup,
  limits,
  initramfs,
  systemd,
  bootLoader,
  plainReboot,
];

export async function examine(host: Host): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const subject of SUBJECTS) findings.push(...await subject(host));
  return findings;
}
