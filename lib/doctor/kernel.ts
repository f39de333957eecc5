/** The running kernel: its release and its configuration. */
import { runningConfig } from "../kexec/check/kernel_config.ts";
import type { Fact } from "../kexec/check/line.ts";
import type { KernelConfig } from "../kexec/image/embedded_config.ts";
import { type Finding, ok, stops, unknown, warns } from "./finding.ts";
import type { Host } from "./host.ts";

/** LUO came with this release. */
const FIRST = [6, 19] as const;

/** Options without which there is no live update, with what each is for. */
const NEEDED: readonly (readonly [option: string, purpose: string])[] = [
  ["CONFIG_LIVEUPDATE", "live update itself"],
  ["CONFIG_KEXEC_HANDOVER", "memory that survives a kexec"],
  ["CONFIG_KEXEC_FILE", "kexec_file_load(2)"],
];

export function releaseOf(host: Host): string {
  return host.text("/proc/sys/kernel/osrelease")?.trim() ?? host.sys.uname().release;
}

export function kernelRelease(host: Host): Finding[] {
  const release = releaseOf(host);
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  if (major > FIRST[0] || (major === FIRST[0] && minor >= FIRST[1])) {
    return [ok("kernel_release", `Linux ${release} is new enough for live update`)];
  }
  return [stops(
    "kernel_release",
    `Linux ${release} has no live update: ${FIRST.join(".")} is the first release with it`,
    `boot Linux ${FIRST.join(".")} or later, built with CONFIG_LIVEUPDATE=y`,
  )];
}

/** The configuration that the kernel shows, or the file that its package installed. */
export function configOf(host: Host): Promise<Fact<KernelConfig> | undefined> {
  return runningConfig((path) => host.bytes(path), releaseOf(host));
}

export async function kernelConfig(host: Host): Promise<Finding[]> {
  const found = await configOf(host);
  if (found === undefined) {
    const places = "/proc/config.gz, /boot/config-* or /usr/lib/modules/*/config";
    return [unknown("kernel_config", `The kernel's configuration is not in ${places}`)];
  }
  const { source: path, value: config } = found;
  const missing = NEEDED.filter(([option]) => config.get(option) !== "y");
  if (missing.length > 0) {
    return missing.map(([option, purpose]) =>
      stops(
        "kernel_config",
        `${option} is not set in ${path}: it is ${purpose}`,
        `boot a kernel that is built with ${option}=y`,
      )
    );
  }
  return [
    ok("kernel_config", `${NEEDED.map(([option]) => option).join(", ")} are set in ${path}`),
    ...config.get("CONFIG_KEXEC_SIG_FORCE") === "y"
      ? [warns(
        "signature",
        "CONFIG_KEXEC_SIG_FORCE is set: this kernel loads signed images only",
        "sign the next kernel with a key that this kernel trusts (sbsign), or take the distribution's",
      )]
      : [],
  ];
}
