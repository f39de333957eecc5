/** The entry that the boot loader takes next: that of systemd-boot, or that of GRUB with or without entries in files of its own. */
import type { Host } from "./host.ts";

export interface BootEntry {
  /** `the entry a.conf of systemd-boot`. */
  readonly name: string;
  /** The kernel's command line in the entry. Undefined: it cannot be read. */
  readonly line?: string;
}

/** Undefined: no configuration of a boot loader can be read. */
export function bootEntry(host: Host): BootEntry | undefined {
  return systemdBoot(host) ?? grub(host);
}

/** systemd-boot has a loader.conf. A distribution whose GRUB reads entries from the same directory has none. */
function systemdBoot(host: Host): BootEntry | undefined {
  for (const top of ["/boot", "/efi", "/boot/efi"]) {
    const entries = host.list(`${top}/loader/entries`).filter((name) => name.endsWith(".conf"));
    const images = host.list(`${top}/EFI/Linux`).filter((name) => name.endsWith(".efi"));
    const loader = host.text(`${top}/loader/loader.conf`);
    if (entries.length + images.length === 0 || loader === undefined && grubenv(host) !== undefined) continue;
    const name = chosen(host, loader ?? "", [...entries, ...images]);
    const line = name.endsWith(".conf") ? optionsIn(host, `${top}/loader/entries/${name}`) : undefined;
    return { name: `the entry ${name} of systemd-boot`, line };
  }
}

/** bootctl set-oneshot, then bootctl set-default, then loader.conf, then the newest entry. */
function chosen(host: Host, loader: string, names: readonly string[]): string {
  const wishes = [
    loaderVariable(host, "LoaderEntryOneShot"),
    loaderVariable(host, "LoaderEntryDefault"),
    /^default\s+(\S+)/m.exec(loader)?.[1],
  ];
  for (const wish of wishes) {
    const wanted = wish === "@saved" ? loaderVariable(host, "LoaderEntryLastBooted") : wish;
    const pattern = wanted &&
      new RegExp(`^${RegExp.escape(wanted).replaceAll("\\*", ".*")}(?:\\.conf)?$`, "i");
    const name = pattern && names.find((one) => pattern.test(one));
    if (name) return name;
  }
  return names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1) ?? "";
}

/** A variable of the boot loader interface of systemd: four bytes of attributes, then text in UTF-16. */
function loaderVariable(host: Host, name: string): string | undefined {
  const bytes = host.bytes(`/sys/firmware/efi/efivars/${name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f`);
  if (bytes === undefined || bytes.length <= 4) return undefined;
  return new TextDecoder("utf-16le").decode(bytes.subarray(4)).replaceAll("\0", "") || undefined;
}

function optionsIn(host: Host, path: string): string | undefined {
  const entry = host.text(path);
  if (entry === undefined) return undefined;
  // An entry can have several lines of options.
  return entry.matchAll(/^options\s+(.*)$/gm).map(([, words]) => words).toArray().join(" ");
}

function grub(host: Host): BootEntry | undefined {
  const defaults = host.text("/etc/default/grub");
  if (defaults === undefined) return undefined;
  const value = (name: string) => new RegExp(`^${name}=(["']?)(.*)\\1$`, "m").exec(defaults)?.[2];
  const chosen = value("GRUB_DEFAULT") ?? "0";
  const saved = grubenv(host) ?? "";
  const once = /^next_entry=(.+)$/m.exec(saved)?.[1];
  const kept = /^saved_entry=(.+)$/m.exec(saved)?.[1];
  const entry = once ?? (chosen === "saved" ? kept ?? "0" : chosen);
  const name = `the entry ${JSON.stringify(entry)} of GRUB`;
  const inFile = optionsIn(host, `/boot/loader/entries/${entry}.conf`);
  if (inFile !== undefined) {
    return { name, line: inFile.replaceAll("$kernelopts", /^kernelopts=(.*)$/m.exec(saved)?.[1] ?? "") };
  }
  return {
    name,
    line: `${value("GRUB_CMDLINE_LINUX") ?? ""} ${value("GRUB_CMDLINE_LINUX_DEFAULT") ?? ""}`,
  };
}

function grubenv(host: Host): string | undefined {
  return ["/boot/grub/grubenv", "/boot/grub2/grubenv"].map(host.text).find((text) => text !== undefined);
}
