/** The installed kernels, their initramfs, and the boot loader's entry that a plain reboot takes. */
import { bootEntry } from "./boot_entry.ts";
import { parseCommandLine, readSwitch } from "../kexec/command_line.ts";
import { wordsRemedy } from "./command_line.ts";
import { type Finding, ok, unknown, warns } from "./finding.ts";
import type { Host } from "./host.ts";
import { imageIsLoaded } from "./plain_reboot.ts";

/** How distributions name the initramfs of a release. */
const INITRAMFS: readonly ((release: string) => string)[] = [
  (release) => `/boot/initrd.img-${release}`,
  (release) => `/boot/initramfs-${release}.img`,
  (release) => `/boot/initrd-${release}`,
  (release) => `/usr/lib/modules/${release}/initrd`,
];

export function initramfs(host: Host): Finding[] {
  const releases = host.list("/boot").filter((name) => name.startsWith("vmlinuz-"))
    .map((name) => name.slice("vmlinuz-".length));
  return releases.map((release) => {
    const found = INITRAMFS.map((path) => path(release)).find(host.exists);
    if (found !== undefined) return ok("initramfs", `/boot/vmlinuz-${release} has ${found}`);
    const make = host.exists("/usr/bin/dracut")
      ? `dracut --kver ${release}`
      : `update-initramfs -c -k ${release}`;
    return warns(
      "initramfs",
      `/boot/vmlinuz-${release} has no initramfs: where the root file system needs drivers it does not boot`,
      make,
    );
  });
}

/** The entry that a plain reboot takes. A plain reboot ends every session. */
export function bootLoader(host: Host): Finding[] {
  const entry = bootEntry(host);
  if (entry === undefined) {
    return [
      unknown(
        "boot_loader",
        "No configuration of GRUB or systemd-boot can be read: a plain reboot takes an entry that is not known here",
      ),
    ];
  }
  // When an image is loaded, systemctl makes a kexec of a plain reboot.
  const reboot = imageIsLoaded(host) ? "A cold boot" : "A plain reboot";
  const text = `${reboot} loses all sessions and takes ${entry.name}`;
  if (entry.line === undefined) return [unknown("boot_loader", `${text}, whose command line cannot be read`)];
  if (readSwitch(parseCommandLine(entry.line), "liveupdate") === true) return [ok("boot_loader", text)];
  return [
    warns("boot_loader", `${text}, which has no liveupdate=on`, wordsRemedy(host, "liveupdate=on kho=on")),
  ];
}
