/** Trees of real files that look like hosts, and what `luo doctor` finds on them. */
import { gzipSync } from "node:zlib";
import { examine } from "../../lib/doctor/examine.ts";
import type { Finding } from "../../lib/doctor/finding.ts";
import { type KnownAgent, linuxHost } from "../../lib/doctor/host.ts";
import { linux } from "../../lib/linux/system_calls.ts";

type Contents = string | Uint8Array | { readonly link: string };
export type Tree = Readonly<Record<string, Contents | undefined>>;

export const CONFIG = "CONFIG_LIVEUPDATE=y\nCONFIG_KEXEC_HANDOVER=y\nCONFIG_KEXEC_FILE=y\n";
export const status = (caps: string, seccomp = 0, privs = 0) =>
  `Name:\tluo\nCapEff:\t${caps}\nNoNewPrivs:\t${privs}\nSeccomp:\t${seccomp}\n`;
export const processLimits = (files: string, locked: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\n` +
  `Max open files            ${files}                 524288               files\n` +
  `Max locked memory         ${locked}            8388608              bytes\n`;

/** A host on which nothing stops a live update. */
export const GOOD: Tree = {
  "/proc/sys/kernel/osrelease": "7.3.4\n",
  "/proc/config.gz": gzipSync(CONFIG),
  "/proc/cmdline": "root=/dev/vda liveupdate=on kho=on\n",
  "/dev/liveupdate": "",
  "/proc/sys/kernel/kexec_load_disabled": "0\n",
  "/sys/kernel/kexec_loaded": "0\n",
  "/sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
  "/proc/self/status": status("000001ffffffffff"),
  "/proc/self/ns/pid": { link: "pid:[4026531836]" },
  "/proc/self/uid_map": "         0          0 4294967295\n",
  "/proc/self/cgroup": "0::/system.slice/luo.service\n",
  "/sys/fs/cgroup/system.slice/luo.service/memory.max": "max\n",
  "/proc/self/limits": processLimits("1048576", "unlimited"),
  "/proc/meminfo": "MemTotal:  4000000 kB\nMemAvailable:    2000000 kB\n",
  "/proc/1/comm": "systemd\n",
  "/usr/lib/systemd/libsystemd-shared-262.so": "",
  "/boot/vmlinuz-7.3.4": "",
  "/boot/initrd.img-7.3.4": "",
  "/etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX="liveupdate=on kho=on"\n',
};

function plant(root: string, tree: Tree): void {
  for (const [path, contents] of Object.entries(tree)) {
    if (contents === undefined) continue;
    const place = root + path;
    Deno.mkdirSync(place.slice(0, place.lastIndexOf("/")), { recursive: true });
    if (typeof contents === "string") Deno.writeTextFileSync(place, contents);
    else if (contents instanceof Uint8Array) Deno.writeFileSync(place, contents);
    else Deno.symlinkSync(contents.link, place);
  }
}

export async function findingsOn(tree: Tree, agent?: KnownAgent): Promise<Finding[]> {
  const root = Deno.makeTempDirSync({ prefix: "luo-doctor-" });
  try {
    plant(root, tree);
    return await examine(linuxHost(linux(), agent, root));
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}
