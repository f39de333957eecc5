/** What `luo doctor` finds about systemd, the boot loader and a plain reboot. */
import type { Tree } from "./hosts.ts";
import { tryCases } from "./try_cases.ts";

const ENTRIES: Tree = {
  "/boot/loader/loader.conf": "timeout 3\ndefault b*\n",
  "/boot/loader/entries/a.conf": "options quiet\n",
  "/boot/loader/entries/b-1.conf": "options quiet\noptions liveupdate=on kho=on\n",
};

/** An EFI variable with a text: attributes, then UTF-16. */
function variable(text: string): Uint8Array {
  return Uint8Array.of(7, 0, 0, 0, ...[...`${text}\0`].flatMap((letter) => [letter.charCodeAt(0), 0]));
}

tryCases([
  {
    name: "a kernel without an initramfs",
    tree: { "/boot/vmlinuz-7.4.0": "" },
    finding: ["initramfs", "warns", /vmlinuz-7\.4\.0 has no initramfs/, /update-initramfs -c -k 7\.4\.0/],
  },
  {
    name: "an older systemd",
    tree: {
      "/usr/lib/systemd/libsystemd-shared-262.so": undefined,
      "/usr/lib/systemd/libsystemd-shared-257.13.so": "",
    },
    finding: ["systemd", "warns", /systemd 257 does not know/, /luo kexec exec/],
  },
  {
    name: "an agent with places in the fd store",
    tree: { "/proc/77/environ": "HOME=/\0FDSTORE=4096\0" },
    agent: { pid: 77, holdsDevice: true },
    finding: ["systemd", "ok", /systemd 262 carries the agent's sessions.* 4096 places/],
  },
  {
    name: "an agent without a fd store",
    tree: { "/proc/77/environ": "HOME=/\0" },
    agent: { pid: 77, holdsDevice: true },
    finding: [
      "systemd",
      "warns",
      /systemctl kexec ends the agent \(process 77\)/,
      /FileDescriptorStorePreserve=yes/,
    ],
  },
  {
    name: "GRUB's saved entry without liveupdate=on",
    tree: { "/etc/default/grub": "GRUB_DEFAULT=saved\n", "/boot/grub/grubenv": "# x\nsaved_entry=old\n" },
    finding: [
      "boot_loader",
      "warns",
      /entry "old" of GRUB, which has no liveupdate=on/,
      /GRUB_CMDLINE_LINUX/,
    ],
  },
  {
    name: "systemd-boot's default entry",
    tree: ENTRIES,
    finding: ["boot_loader", "ok", /entry b-1\.conf of systemd-boot/],
  },
  {
    name: "systemd-boot's entry for the next boot alone",
    tree: {
      ...ENTRIES,
      "/sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": variable("a.conf"),
      "/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": variable(
        "b-1.conf",
      ),
    },
    finding: [
      "boot_loader",
      "warns",
      /entry a\.conf of systemd-boot, which has no liveupdate=on/,
      /cmdline|GRUB/,
    ],
  },
  {
    name: "systemd-boot's entry that bootctl set",
    tree: {
      ...ENTRIES,
      "/boot/loader/loader.conf": "default a\n",
      "/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f": variable(
        "b-1.conf",
      ),
    },
    finding: ["boot_loader", "ok", /entry b-1\.conf of systemd-boot/],
  },
  {
    name: "a unified kernel image: its command line is not in an entry",
    tree: { "/efi/loader/loader.conf": "timeout 3\n", "/efi/EFI/Linux/debian-7.3.4.efi": "" },
    finding: [
      "boot_loader",
      "unknown",
      /entry debian-7\.3\.4\.efi of systemd-boot, whose command line cannot be read/,
    ],
  },
  {
    name: "GRUB that reads entries from files, as on Fedora",
    tree: {
      "/etc/default/grub": 'GRUB_DEFAULT=saved\nGRUB_CMDLINE_LINUX="quiet"\n',
      "/boot/grub2/grubenv": "# x\nsaved_entry=b\nkernelopts=liveupdate=on kho=on\n",
      "/boot/loader/entries/a.conf": "options quiet\n",
      "/boot/loader/entries/b.conf": "title b\noptions $kernelopts quiet\n",
    },
    finding: ["boot_loader", "ok", /entry "b" of GRUB$/],
  },
  {
    name: "a loaded image: systemctl makes a kexec of a plain reboot",
    tree: { "/sys/kernel/kexec_loaded": "1\n" },
    finding: ["boot_loader", "ok", /^A cold boot loses all sessions and takes the entry "0" of GRUB/],
  },
  {
    name: "a loaded image and sessions that systemd carries over",
    tree: { "/sys/kernel/kexec_loaded": "1\n", "/proc/77/environ": "FDSTORE=4096\0" },
    agent: { pid: 77, holdsDevice: true, outgoing: 3 },
    finding: [
      "reboot",
      "warns",
      /systemctl reboot is a kexec into it, and the agent \(process 77\) takes its 3 sessions along/,
      /luo kexec unload/,
    ],
  },
  {
    name: "an image of another program",
    tree: { "/sys/kernel/kexec/loaded": "1\n", "/proc/77/environ": "FDSTORE=4096\0" },
    agent: { pid: 77, holdsDevice: true, outgoing: 1, foreignImage: true },
    finding: ["reboot", "warns", /luo did not load it, so its session can be lost/, /luo kexec load/],
  },
  {
    name: "a loaded image and an agent without a fd store",
    tree: { "/sys/kernel/kexec_loaded": "1\n", "/proc/77/environ": "HOME=/\0" },
    agent: { pid: 77, holdsDevice: true, outgoing: 1 },
    finding: [
      "reboot",
      "warns",
      /which ends the agent \(process 77\) and loses its session$/,
      /luo kexec exec/,
    ],
  },
  {
    name: "a loaded image and an agent that survives the shutdown of an older systemd",
    tree: {
      "/usr/lib/systemd/libsystemd-shared-262.so": undefined,
      "/usr/lib/systemd/libsystemd-shared-257.13.so": "",
      "/sys/kernel/kexec_loaded": "1\n",
      "/proc/77/cgroup": "0::/system.slice/luo-agent-surviving.service\n",
    },
    agent: { pid: 77, holdsDevice: true, outgoing: 1 },
    finding: ["reboot", "warns", /takes its session along/, /luo kexec unload/],
  },
  {
    name: "a loaded image, sessions, and another init",
    tree: { "/proc/1/comm": "init\n", "/sys/kernel/kexec_loaded": "1\n" },
    agent: { pid: 77, holdsDevice: true, outgoing: 2 },
    finding: [
      "reboot",
      "warns",
      /a plain reboot ends the agent \(process 77\) and loses its 2 sessions/,
      /luo kexec exec/,
    ],
  },
  {
    name: "no boot loader",
    tree: { "/etc/default/grub": undefined },
    finding: ["boot_loader", "unknown", /not known here/],
  },
]);
