/** What `luo doctor` finds about the kernel and the device. */
import { gzipSync } from "node:zlib";
import { CONFIG, type Tree } from "./hosts.ts";
import { tryCases } from "./try_cases.ts";

const NO_DEVICE: Tree = { "/dev/liveupdate": undefined };
const held = (comm: string, group: string): Tree => ({
  "/proc/4711/fd/9": { link: "/dev/liveupdate" },
  "/proc/4711/comm": `${comm}\n`,
  "/proc/4711/cgroup": `0::${group}\n`,
});

tryCases([
  {
    name: "an old kernel",
    tree: { "/proc/sys/kernel/osrelease": "6.18.44-x\n" },
    finding: ["kernel_release", "stops", /6\.18\.44-x.*6\.19 is the first/, /boot Linux 6\.19/],
  },
  {
    name: "6.19 is new enough",
    tree: { "/proc/sys/kernel/osrelease": "6.19.0-rc1\n" },
    finding: ["kernel_release", "ok", /6\.19\.0-rc1/],
  },
  {
    name: "built without live update, by the file of /boot",
    tree: { "/proc/config.gz": undefined, "/boot/config-7.3.4": CONFIG.replace("CONFIG_LIVEUPDATE=y\n", "") },
    finding: [
      "kernel_config",
      "stops",
      /CONFIG_LIVEUPDATE is not set in \/boot\/config-7\.3\.4/,
      /CONFIG_LIVEUPDATE=y/,
    ],
  },
  {
    name: "the configuration of the modules' directory",
    tree: { "/proc/config.gz": undefined, "/usr/lib/modules/7.3.4/config": CONFIG },
    finding: ["kernel_config", "ok", /\/usr\/lib\/modules\/7\.3\.4\/config/],
  },
  {
    name: "no configuration anywhere",
    tree: { "/proc/config.gz": undefined },
    finding: ["kernel_config", "unknown", /not in/],
  },
  {
    name: "signed images only",
    tree: { "/proc/config.gz": gzipSync(`${CONFIG}CONFIG_KEXEC_SIG_FORCE=y\n`) },
    finding: ["signature", "warns", /signed images only/, /sign/],
  },
  {
    name: "no liveupdate=on, with GRUB",
    tree: { ...NO_DEVICE, "/proc/cmdline": "kho=on quiet\n" },
    finding: [
      "command_line",
      "stops",
      /lacks liveupdate=on/,
      /GRUB_CMDLINE_LINUX in \/etc\/default\/grub.*update-grub/,
    ],
  },
  {
    name: "no kho=on, with kernel-install",
    tree: { ...NO_DEVICE, "/proc/cmdline": "liveupdate=on\n", "/etc/kernel/cmdline": "quiet" },
    finding: ["command_line", "stops", /lacks kho=on/, /\/etc\/kernel\/cmdline.*kernel-install/],
  },
  {
    name: "KHO is on by default, live update off by the last word",
    tree: {
      ...NO_DEVICE,
      "/proc/config.gz": gzipSync(`${CONFIG}CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y\n`),
      "/proc/cmdline": "liveupdate=on liveupdate=off\n",
    },
    finding: ["command_line", "stops", /lacks liveupdate=on/],
  },
  {
    name: "no device",
    tree: NO_DEVICE,
    finding: ["device", "stops", /no \/dev\/liveupdate/, /--backend model/],
  },
  {
    name: "a device that /dev hides",
    tree: { ...NO_DEVICE, "/proc/misc": "122 liveupdate\n 62 kvm\n" },
    finding: ["device", "stops", /not in \/dev/, /mknod -m 600 \/dev\/liveupdate c 10 122/],
  },
  {
    name: "the device held by a service",
    tree: held("luod", "/system.slice/luod.service"),
    finding: ["device", "stops", /Process 4711 \(luod\) holds/, /systemctl stop luod\.service/],
  },
  {
    name: "the device held by a program",
    tree: held("vmm", "/user.slice/session-1.scope"),
    finding: ["device", "stops", /Process 4711 \(vmm\) holds/, /kill 4711/],
  },
  {
    name: "the device held by the agent",
    tree: held("luo", "/"),
    agent: { pid: 4711, holdsDevice: true },
    finding: ["device", "ok", /agent \(process 4711\) can open/],
  },
  {
    name: "kexec switched off",
    tree: { "/proc/sys/kernel/kexec_load_disabled": "1\n" },
    finding: ["kexec_disabled", "stops", /kexec_load_disabled is 1/, /sysctl\.d.*reboot/],
  },
  {
    name: "no loads left",
    tree: { "/proc/sys/kernel/kexec_load_limit_reboot": "0\n" },
    finding: ["kexec_disabled", "stops", /kexec_load_limit_reboot is 0/, /reboot/],
  },
  {
    name: "no kexec at all",
    tree: { "/proc/sys/kernel/kexec_load_disabled": undefined, "/sys/kernel/kexec_loaded": undefined },
    finding: ["kexec_disabled", "stops", /no kexec/, /CONFIG_KEXEC_FILE/],
  },
  {
    name: "locked down",
    tree: { "/sys/kernel/security/lockdown": "none [integrity] confidentiality\n" },
    finding: ["lockdown", "warns", /locked down \(integrity\)/, /sign/],
  },
]);
