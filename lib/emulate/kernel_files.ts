/** Files in /proc and /sys that tell which kernel runs: programs read the model's content, not the host's. */
import { O_RDONLY, S_IFDIR, S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { read_text } from "../../ffi/proc.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import type { Listed } from "./kernel_directories.ts";
import { joined } from "../joined_bytes.ts";

/** The release, the command line, the configuration, the boot, the loaded image, and whether there is live update. */
const KERNEL_FILES = new Set([
  "/proc/cmdline",
  "/proc/config.gz",
  "/proc/version",
  "/proc/sys/kernel/version",
  "/proc/misc",
  "/proc/sys/kernel/osrelease",
  "/proc/sys/kernel/random/boot_id",
  "/proc/sys/kernel/kexec_load_disabled",
  "/proc/sys/kernel/kexec_load_limit_reboot",
  "/proc/sys/kernel/kexec_load_limit_panic",
  "/sys/kernel/kexec_loaded",
  "/sys/kernel/kexec/loaded",
  "/sys/kernel/kexec_crash_loaded",
  "/sys/kernel/kexec/crash_loaded",
  "/sys/kernel/kexec_crash_size",
  "/sys/kernel/kexec/crash_size",
]);

/** Directories of the kernel whose files are all the model's. Each with a file that is there when the directory is. */
const DIRECTORIES: Readonly<Record<string, string>> = {
  "/sys/kernel/debug/kho": "out/scratch_len",
  "/sys/kernel/debug/kho/out": "scratch_len",
  "/sys/kernel/debug/kho/out/sub_fdts": "LUO",
  "/sys/kernel/debug/kho/in": "fdt",
  "/sys/kernel/debug/kho/in/sub_fdts": "LUO",
  "/sys/class/misc/liveupdate": "dev",
  "/sys/devices/virtual/misc/liveupdate": "dev",
};

/** The names of the files in them. */
const NAMES_IN: Readonly<Record<string, readonly string[]>> = {
  "/sys/kernel/debug/kho/out": ["scratch_phys", "scratch_len", "fdt"],
  "/sys/kernel/debug/kho/out/sub_fdts": ["LUO", "kexec-metadata"],
  "/sys/kernel/debug/kho/in": ["fdt"],
  "/sys/kernel/debug/kho/in/sub_fdts": ["LUO", "kexec-metadata"],
  "/sys/devices/virtual/misc/liveupdate": ["dev", "uevent"],
};

/** The links among these files, with their texts. */
const [OF_CLASS, OF_DEVICES] = ["/sys/class/misc/liveupdate", "/sys/devices/virtual/misc/liveupdate"];
const LINKS: Readonly<Record<string, string>> = {
  "/sys/kernel/kexec_loaded": "kexec/loaded",
  "/sys/kernel/kexec_crash_loaded": "kexec/crash_loaded",
  "/sys/kernel/kexec_crash_size": "kexec/crash_size",
  [OF_CLASS]: "../../devices/virtual/misc/liveupdate",
  "/sys/dev/char/10:261": "../../devices/virtual/misc/liveupdate",
  [`${OF_DEVICES}/subsystem`]: "../../../../class/misc",
};

/** The kernel's log, whose device the machine has when the host has it. */
export const KMSG = "/dev/kmsg";

const LINK_NAMES = new Set(Object.keys(LINKS).map((path) => path.slice(path.lastIndexOf("/") + 1)));
/** The links that are there when the device is. */
const OF_DEVICE: readonly string[] = ["/sys/dev/char/10:261", `${OF_DEVICES}/subsystem`];

/** The file systems whose rules differ. */
export type System = "proc" | "sysctl" | "sysfs" | "debugfs";

/** Files of procfs that state their size (fs/proc/cmdline.c, kernel/configs.c). */
const SIZED = new Set(["/proc/cmdline", "/proc/config.gz"]);

/** Files of the host by which a program would stop it, as by reboot(2). */
const STOP_HOST = new Set(["/proc/sysrq-trigger", "/sys/power/state", "/sys/power/disk"]);

const VERSION = "/proc/sys/kernel/version";
const NAMES = new Set([
  ...[...KERNEL_FILES, ...STOP_HOST].map((path) => path.slice(path.lastIndexOf("/") + 1)),
  ...Object.values(NAMES_IN).flat(),
]);
/** A path with one of these components may lead into one of the directories. */
const OF_DIRECTORIES = new Set(["kho", "liveupdate", "10:261"]);

export function isKernelFile(path: string): boolean {
  return KERNEL_FILES.has(path) || OF_DEVICE.includes(path) ||
    Object.keys(DIRECTORIES).some((directory) => path === directory || path.startsWith(`${directory}/`));
}

/** Every name of such a file, directory or link, a directory before the names in it. Some kernels do not have some of them. */
export function kernelNames(): readonly string[] {
  const inside = Object.entries(NAMES_IN).flatMap(([directory, names]) =>
    names.map((name) => `${directory}/${name}`)
  );
  return [...new Set([...KERNEL_FILES, ...Object.keys(DIRECTORIES), ...Object.keys(LINKS), ...inside])]
    .sort();
}

/** Whether the path is the directory of such files, or a link to it. */
export function isKernelDirectory(path: string): boolean {
  return path in DIRECTORIES;
}

/** Whether the components of a path can be those of such a file. */
export function mayBeKernelFile(names: readonly string[]): boolean {
  return NAMES.has(names.at(-1) ?? "") || NAMES.has(names.at(-2) ?? "") ||
    names.some((name) => OF_DIRECTORIES.has(name));
}

/** What is in such a directory. */
export function namesIn(sys: SystemCalls, path: string): Listed[] {
  const directory = path === OF_CLASS ? OF_DEVICES : path;
  const others = [...Object.keys(DIRECTORIES), ...OF_DEVICE].filter((path) =>
    path.startsWith(`${directory}/`)
  )
    .map((path) => path.slice(directory.length + 1)).filter((name) => !name.includes("/"));
  return [...NAMES_IN[directory] ?? [], ...others].flatMap((name) => {
    const inside = `${directory}/${name}`;
    const mode = kernelFileMode(sys, inside);
    if (mode === undefined) return [];
    return [{ name, directory: (mode & S_IFMT) === S_IFDIR, link: kernelLink(inside) }];
  });
}

/** Whether a link of this name can be one of them. */
export function mayBeKernelLink(name: string): boolean {
  return LINK_NAMES.has(name);
}

/** The text of such a link; undefined for every other file. */
export function kernelLink(path: string): string | undefined {
  return LINKS[path];
}

/** One name for each file: the one by which the model knows it. */
export function inModel(path: string): string {
  const [, ofKexec] = /^\/sys\/kernel\/kexec\/(\w+)$/.exec(path) ?? [];
  if (ofKexec !== undefined) return `/sys/kernel/kexec_${ofKexec}`;
  return path.startsWith(OF_DEVICES) ? `${OF_CLASS}${path.slice(OF_DEVICES.length)}` : path;
}

/** As stat(2) tells: a file of sysfs is a page, most files of procfs and debugfs are 0. */
export function kernelFileSize(sys: SystemCalls, path: string, directory: boolean): bigint {
  if (directory) return 0n;
  if (path.startsWith("/sys/") && !path.startsWith("/sys/kernel/debug/")) return 4096n;
  if (!SIZED.has(path)) return 0n;
  const content = readKernelFile(sys, path);
  return typeof content === "number" ? 0n : BigInt(content.length);
}

/** The mode of such a file or directory in the model's kernel; undefined: this kernel does not have it. */
export function kernelFileMode(sys: SystemCalls, path: string): number | undefined {
  if (path === VERSION) return S_IFREG | 0o444;
  // The model has no links of a device.
  if (OF_DEVICE.includes(path)) return kernelFileMode(sys, `${OF_DEVICES}/dev`);
  const witness = DIRECTORIES[path];
  const fd = sys.open(inModel(witness === undefined ? path : `${path}/${witness}`), O_RDONLY);
  if (fd < 0) return undefined;
  const stat = sys.fstat(fd);
  sys.close(fd);
  if (witness !== undefined) return S_IFDIR | 0o755;
  return typeof stat === "number" ? undefined : stat.mode;
}

/** The content that the model gives now. */
export function readKernelFile(sys: SystemCalls, path: string): Uint8Array | Ret {
  if (path === VERSION) return new TextEncoder().encode(`${sys.uname().version}\n`);
  const fd = sys.open(inModel(path), O_RDONLY);
  if (fd < 0) return fd;
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = new Uint8Array(4096);
    const length = sys.read(fd, piece);
    if (length <= 0) break;
    pieces.push(piece.subarray(0, length));
  }
  sys.close(fd);
  if (path === "/proc/version") pieces.splice(-1, 1, withVersion(sys, pieces.at(-1)));
  const others = path === "/proc/misc" ? otherMiscDevices() : "";
  return joined([...pieces, new TextEncoder().encode(others)]);
}

/** Whether a program that writes to the file would stop the host. */
export function stopsHost(path: string): boolean {
  return STOP_HOST.has(path);
}

/** The line ends with the version, as uname(2) gives it. */
function withVersion(sys: SystemCalls, line: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new TextEncoder().encode(`${new TextDecoder().decode(line).trimEnd()} ${sys.uname().version}\n`);
}

/** The host's own misc devices, which the machine has as well. */
function otherMiscDevices(): string {
  return (read_text("/proc/misc") ?? "").replace(/^.* liveupdate\n/m, "");
}
