/** The findings of `luo doctor` on trees of real files that look like hosts. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { examine } from "../../lib/doctor/examine.ts";
import type { Finding } from "../../lib/doctor/finding.ts";
import { type KnownAgent, linuxHost } from "../../lib/doctor/host.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { luoCommand } from "../luo_under_test.ts";

type Contents = string | Uint8Array | { readonly link: string };
type Tree = Readonly<Record<string, Contents | undefined>>;

const CONFIG = "CONFIG_LIVEUPDATE=y\nCONFIG_KEXEC_HANDOVER=y\nCONFIG_KEXEC_FILE=y\n";
const status = (caps: string, seccomp = 0, privs = 0) =>
  `Name:\tluo\nCapEff:\t${caps}\nNoNewPrivs:\t${privs}\nSeccomp:\t${seccomp}\n`;
const processLimits = (files: string, locked: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\n` +
  `Max open files            ${files}                 524288               files\n` +
  `Max locked memory         ${locked}            8388608              bytes\n`;

/** A host on which nothing stops a live update. */
const GOOD: Tree = {
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

const ENTRIES: Tree = {
  "/boot/loader/loader.conf": "timeout 3\ndefault b*\n",
  "/boot/loader/entries/a.conf": "options quiet\n",
  "/boot/loader/entries/b-1.conf": "options quiet\noptions liveupdate=on kho=on\n",
};

/** An EFI variable with a text: attributes, then UTF-16. */
function variable(text: string): Uint8Array {
  return Uint8Array.of(7, 0, 0, 0, ...[...`${text}\0`].flatMap((letter) => [letter.charCodeAt(0), 0]));
}

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

async function findingsOn(tree: Tree, agent?: KnownAgent): Promise<Finding[]> {
  const root = Deno.makeTempDirSync({ prefix: "luo-doctor-" });
  try {
    plant(root, tree);
    return await examine(linuxHost(linux(), agent, root));
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("doctor: a good host has nothing but ok", async () => {
  const findings = await findingsOn(GOOD);
  assert.deepEqual(findings.filter(({ verdict }) => verdict !== "ok"), []);
  const codes = [
    "kernel_release",
    "kernel_config",
    "command_line",
    "device",
    "kexec_disabled",
    "capability",
    "memory",
  ];
  for (
    const code of [...codes, "cgroup", "open_files", "locked_memory", "initramfs", "systemd", "boot_loader"]
  ) {
    assert.ok(findings.some((one) => one.code === code), code);
  }
});

interface Case {
  readonly name: string;
  /** The differences from the good host; undefined: the file is not there. */
  readonly tree: Tree;
  readonly agent?: KnownAgent;
  readonly finding: readonly [
    code: Finding["code"],
    verdict: Finding["verdict"],
    text: RegExp,
    remedy?: RegExp,
  ];
}

const NO_DEVICE: Tree = { "/dev/liveupdate": undefined };
const held = (comm: string, group: string): Tree => ({
  "/proc/4711/fd/9": { link: "/dev/liveupdate" },
  "/proc/4711/comm": `${comm}\n`,
  "/proc/4711/cgroup": `0::${group}\n`,
});

const CASES: readonly Case[] = [
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
  {
    name: "no CAP_SYS_BOOT",
    tree: { "/proc/self/status": status("000001ffffbfffff") },
    finding: ["capability", "stops", /this process does not have it/, /CAP_SYS_BOOT/],
  },
  {
    name: "the agent without CAP_SYS_BOOT",
    tree: { "/proc/99/status": status("0000000000000000") },
    agent: { pid: 99, holdsDevice: true },
    finding: ["capability", "stops", /the agent \(process 99\) does not/, /AmbientCapabilities/],
  },
  {
    name: "another PID namespace",
    tree: { "/proc/self/ns/pid": { link: "pid:[4026532000]" } },
    finding: ["pid_namespace", "stops", /not the first PID namespace/, /--pid=host/],
  },
  {
    name: "a container, by its file",
    tree: { "/run/.containerenv": "" },
    finding: ["container", "warns", /container \(podman\)/, /host/],
  },
  {
    name: "a container, by the environment of PID 1",
    tree: { "/proc/1/environ": "PATH=/bin\0container=lxc\0" },
    finding: ["container", "warns", /container \(lxc\)/],
  },
  {
    name: "a user namespace",
    tree: { "/proc/self/uid_map": "         0       1000          1\n" },
    finding: ["user_namespace", "stops", /no rights over the kernel/, /root of the host/],
  },
  {
    name: "a seccomp filter",
    tree: { "/proc/self/status": status("000001ffffffffff", 2) },
    finding: ["seccomp", "warns", /kexec_file_load/, /SystemCallFilter/],
  },
  {
    name: "NoNewPrivs",
    tree: { "/proc/self/status": status("000001ffffffffff", 0, 1) },
    finding: ["no_new_privs", "warns", /sudo/, /NoNewPrivileges=no/],
  },
  {
    name: "little memory",
    tree: { "/proc/meminfo": "MemAvailable:     102400 kB\n" },
    finding: ["memory", "stops", /Only 100 MiB/, /memory/],
  },
  {
    name: "a cgroup of a unit with a limit, and a larger one above",
    tree: {
      "/sys/fs/cgroup/system.slice/luo.service/memory.max": "104857600\n",
      "/sys/fs/cgroup/system.slice/memory.max": "204857600\n",
    },
    finding: [
      "cgroup",
      "warns",
      /luo\.service limits .*100 MiB/,
      /systemctl set-property luo\.service MemoryMax=infinity/,
    ],
  },
  {
    name: "a cgroup without a unit",
    tree: { "/proc/self/cgroup": "0::/mine\n", "/sys/fs/cgroup/mine/memory.max": "1048576\n" },
    finding: ["cgroup", "warns", /\/mine limits .* 1 MiB/, /echo max >\/sys\/fs\/cgroup\/mine\/memory\.max/],
  },
  {
    name: "few descriptors",
    tree: { "/proc/self/limits": processLimits("256", "unlimited") },
    finding: ["open_files", "warns", /may hold 256/, /LimitNOFILE/],
  },
  {
    name: "little memory to lock",
    tree: { "/proc/self/limits": processLimits("1024", "65536") },
    finding: ["locked_memory", "warns", /may lock 65536 bytes/, /LimitMEMLOCK/],
  },
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
];

for (const { name, tree, agent, finding: [code, verdict, text, remedy] } of CASES) {
  Deno.test(`doctor: ${name}`, async () => {
    const findings = await findingsOn({ ...GOOD, ...tree }, agent);
    const found = findings.filter((one) => one.code === code);
    const matching = found.find((one) => one.verdict === verdict && text.test(one.text));
    assert.ok(matching, JSON.stringify(found));
    if (remedy === undefined) return;
    assert.match(matching.remedy ?? "", remedy);
  });
}

Deno.test("doctor: whatever is not right has a remedy", async () => {
  for (const { tree, agent } of CASES) {
    for (const finding of await findingsOn({ ...GOOD, ...tree }, agent)) {
      const bad = finding.verdict === "stops" || finding.verdict === "warns";
      assert.equal(finding.remedy !== undefined, bad, JSON.stringify(finding));
    }
  }
});

Deno.test("doctor: a plain reboot is no subject without an image, and without sessions", async () => {
  const image = { "/sys/kernel/kexec_loaded": "1\n" };
  const cases: readonly [Tree, KnownAgent | undefined][] = [
    [{}, { pid: 77, holdsDevice: true, outgoing: 3 }],
    [image, { pid: 77, holdsDevice: true, outgoing: 0 }],
    [image, undefined],
  ];
  for (const [tree, agent] of cases) {
    assert.deepEqual(
      (await findingsOn({ ...GOOD, ...tree }, agent)).filter(({ code }) => code === "reboot"),
      [],
    );
  }
});

Deno.test("doctor: an empty host gives findings and no error", async () => {
  const findings = await findingsOn({});
  assert.ok(findings.some(({ code, verdict }) => code === "device" && verdict === "stops"));
});

Deno.test("luo doctor on this host: exit 4 exactly when a finding stops it", async () => {
  const { code, stdout } = await luoCommand(["doctor", "--backend", "linux"], { stdin: "null" }).output();
  const text = new TextDecoder().decode(stdout);
  const stopped = /^stops /m.test(text);
  assert.equal(code, stopped ? 4 : 0, text);
  assert.match(text, stopped ? /findings? stops? it$/m : /Nothing stops/);
});
