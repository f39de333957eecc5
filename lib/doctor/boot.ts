/** The installed kernels, their initramfs, and the boot loader's entry that a plain reboot takes. */
import { parseCommandLine, readSwitch } from "../kexec/command_line.ts";
import { wordsRemedy } from "./command_line.ts";
import { type Finding, ok, unknown, warns } from "./finding.ts";
import type { Host } from "./host.ts";

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
  const entry = systemdBoot(host) ?? grub(host);
  if (entry === undefined) {
    return [
      unknown(
        "boot_loader",
        "No configuration of GRUB or systemd-boot can be read: a plain reboot takes an entry that is not known here",
      ),
    ];
  }
  const text = `A plain reboot loses all sessions and takes ${entry.name}`;
  if (entry.line === undefined) return [unknown("boot_loader", `${text}, whose command line cannot be read`)];
  if (readSwitch(parseCommandLine(entry.line), "liveupdate") === true) return [ok("boot_loader", text)];
  return [
    warns("boot_loader", `${text}, which has no liveupdate=on`, wordsRemedy(host, "liveupdate=on kho=on")),
  ];
}

interface Entry {
  readonly name: string;
  /** The kernel's command line in the entry. */
  readonly line?: string;
}

function systemdBoot(host: Host): Entry | undefined {
  for (const directory of ["/boot/loader", "/efi/loader", "/boot/efi/loader"]) {
    const names = host.list(`${directory}/entries`).filter((name) => name.endsWith(".conf"));
    if (names.length === 0) continue;
    const wanted = /^default\s+(\S+)/m.exec(host.text(`${directory}/loader.conf`) ?? "")?.[1];
    const pattern = wanted && new RegExp(`^${RegExp.escape(wanted).replaceAll("\\*", ".*")}(?:\\.conf)?$`);
    // Without a default, systemd-boot takes the newest entry.
    const name = names.find((one) => pattern && pattern.test(one)) ??
      names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
    if (name === undefined) continue;
    const line = /^options\s+(.*)$/m.exec(host.text(`${directory}/entries/${name}`) ?? "")?.[1];
    return { name: `the entry ${name} of systemd-boot`, line };
  }
}

function grub(host: Host): Entry | undefined {
  const defaults = host.text("/etc/default/grub");
  if (defaults === undefined) return undefined;
  const value = (name: string) => new RegExp(`^${name}=(["']?)(.*)\\1$`, "m").exec(defaults)?.[2];
  const chosen = value("GRUB_DEFAULT") ?? "0";
  const saved = ["/boot/grub/grubenv", "/boot/grub2/grubenv"].map(host.text).find((text) =>
    text !== undefined
  );
  const once = /^next_entry=(.+)$/m.exec(saved ?? "")?.[1];
  const kept = /^saved_entry=(.+)$/m.exec(saved ?? "")?.[1];
  const entry = once ?? (chosen === "saved" ? kept ?? "0" : chosen);
  const line = `${value("GRUB_CMDLINE_LINUX") ?? ""} ${value("GRUB_CMDLINE_LINUX_DEFAULT") ?? ""}`;
  return { name: `the entry ${JSON.stringify(entry)} of GRUB`, line };
}
