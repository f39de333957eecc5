/** The running kernel's command line, and where its words are written down for the next boot. */
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import { parseCommandLine, readSwitch } from "../kexec/command_line.ts";
import { type Finding, ok, stops, unknown } from "./finding.ts";
import type { Host } from "./host.ts";
import { configOf } from "./kernel.ts";

/** How a user adds words to the command line of this host's boot loader. */
export function wordsRemedy(host: Host, words: string): string {
  if (host.exists("/etc/kernel/cmdline")) {
    return `add ${words} to /etc/kernel/cmdline, then: kernel-install add-all; reboot`;
  }
  if (host.exists("/etc/default/grub")) {
    const update = host.exists("/etc/redhat-release")
      ? "grub2-mkconfig -o /boot/grub2/grub.cfg"
      : "update-grub";
    return `add ${words} to GRUB_CMDLINE_LINUX in /etc/default/grub, then: ${update}; reboot`;
  }
  return `boot with ${words} on the kernel's command line`;
}

export async function commandLine(host: Host): Promise<Finding[]> {
  const line = host.text("/proc/cmdline");
  if (line === undefined) return [unknown("command_line", "/proc/cmdline cannot be read")];
  // The kernel makes the device when both are on, by words or by defaults of its configuration (luo_core.c).
  if (host.exists(LIVEUPDATE_DEVICE)) {
    return [ok("command_line", "The running kernel has live update switched on")];
  }
  const words = parseCommandLine(line);
  const defaults = (await configOf(host))?.value.get("CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT") === "y";
  const off = [
    ...readSwitch(words, "liveupdate") === true ? [] : ["liveupdate=on"],
    ...(readSwitch(words, "kho") ?? defaults) ? [] : ["kho=on"],
  ];
  if (off.length === 0) return [ok("command_line", "The kernel's command line switches live update on")];
  return off.map((word) =>
    stops(
      "command_line",
      `The kernel's command line lacks ${word}`,
      wordsRemedy(host, "liveupdate=on kho=on"),
    )
  );
}
