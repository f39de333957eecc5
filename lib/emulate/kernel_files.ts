/** Files in /proc and /sys that tell which kernel runs: programs read the model's content, not the host's. */
import { Errno } from "../../ffi/abi/errno.ts";
import {
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  S_IFDIR,
  S_IFREG,
} from "../../ffi/abi/fcntl.ts";
import { close, fchmod, memfd_create, open, write } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";
import { check } from "../error.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
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
  "/sys/kernel/kexec_loaded",
  "/sys/kernel/kexec/loaded",
  "/sys/kernel/kexec_crash_loaded",
  "/sys/kernel/kexec/crash_loaded",
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

/** The links among these files, with their texts. */
const [OF_CLASS, OF_DEVICES] = ["/sys/class/misc/liveupdate", "/sys/devices/virtual/misc/liveupdate"];
const LINKS: Readonly<Record<string, string>> = {
  "/sys/kernel/kexec_loaded": "kexec/loaded",
  "/sys/kernel/kexec_crash_loaded": "kexec/crash_loaded",
  [OF_CLASS]: "../../devices/virtual/misc/liveupdate",
  "/sys/dev/char/10:261": "../../devices/virtual/misc/liveupdate",
};

const VERSION = "/proc/sys/kernel/version";
const NAMES = new Set([...KERNEL_FILES].map((path) => path.slice(path.lastIndexOf("/") + 1)));
/** A path with one of these components may lead into one of the directories. */
const OF_DIRECTORIES = new Set(["kho", "liveupdate", "10:261"]);

export function isKernelFile(path: string): boolean {
  return KERNEL_FILES.has(path) ||
    Object.keys(DIRECTORIES).some((directory) => path === directory || path.startsWith(`${directory}/`));
}

/** Whether the components of a path can be those of such a file. */
export function mayBeKernelFile(names: readonly string[]): boolean {
  return NAMES.has(names.at(-1) ?? "") || names.some((name) => OF_DIRECTORIES.has(name));
}

/** The text of such a link; undefined for every other file. */
export function kernelLink(path: string): string | undefined {
  return LINKS[path];
}

/** As the model knows the file. */
function inModel(path: string): string {
  if (path === "/sys/kernel/kexec/crash_loaded") return "/sys/kernel/kexec_crash_loaded";
  return path.startsWith(OF_DEVICES) ? `${OF_CLASS}${path.slice(OF_DEVICES.length)}` : path;
}

/** The mode of such a file or directory in the model's kernel; undefined: this kernel does not have it. */
export function kernelFileMode(sys: SystemCalls, path: string): number | undefined {
  if (path === VERSION) return S_IFREG | 0o444;
  const witness = DIRECTORIES[path];
  const fd = sys.open(inModel(witness === undefined ? path : `${path}/${witness}`), O_RDONLY);
  if (fd < 0) return undefined;
  const stat = sys.fstat(fd);
  sys.close(fd);
  if (witness !== undefined) return S_IFDIR | 0o755;
  return typeof stat === "number" ? undefined : stat.mode;
}

/** A read-only file of the host with the content that the model gives now. The caller closes it. */
export function openKernelFile(sys: SystemCalls, path: string, flags: number, name: string): Ret {
  if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return -Errno.EEXIST;
  if (path in LINKS) return -Errno.ELOOP;
  if (!(path in DIRECTORIES) && flags & O_DIRECTORY) return -Errno.ENOTDIR;
  if (path in DIRECTORIES) return kernelFileMode(sys, path) === undefined ? -Errno.ENOENT : -Errno.EACCES;
  if (path === VERSION) return readOnlyFile(name, new TextEncoder().encode(`${sys.uname().version}\n`));
  const fd = sys.open(inModel(path), flags & ~(O_CLOEXEC | O_DIRECTORY | O_CREAT));
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
  return readOnlyFile(name, joined([...pieces, new TextEncoder().encode(others)]));
}

/** The line ends with the version, as uname(2) gives it. */
function withVersion(sys: SystemCalls, line: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new TextEncoder().encode(`${new TextDecoder().decode(line).trimEnd()} ${sys.uname().version}\n`);
}

/** The host's own misc devices, which the machine has as well. */
function otherMiscDevices(): string {
  return (read_text("/proc/misc") ?? "").replace(/^.* liveupdate\n/m, "");
}

/** A read-only file of the host with this content: a memfd. The caller closes it. */
export function readOnlyFile(name: string, content: Uint8Array): Ret {
  const memfd = check(memfd_create(name, MFD_CLOEXEC), "memfd_create", name);
  try {
    check(write(memfd, content), "write", name);
    fchmod(memfd, 0o444);
    return open(`/proc/self/fd/${memfd}`, O_RDONLY | O_CLOEXEC);
  } finally {
    close(memfd);
  }
}
