/** Files in /proc and /sys that tell which kernel runs: programs read the model's content, not the host's. */
import { Errno } from "../../ffi/abi/errno.ts";
import { MFD_CLOEXEC, O_CLOEXEC, O_RDONLY, S_IFDIR } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, open, write } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";
import { check } from "../error.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { joined } from "../joined_bytes.ts";

/** The release, the command line, the configuration, the boot, the loaded image, and whether there is live update. */
const KERNEL_FILES = new Set([
  "/proc/cmdline",
  "/proc/config.gz",
  "/proc/version",
  "/proc/misc",
  "/proc/sys/kernel/osrelease",
  "/proc/sys/kernel/random/boot_id",
  "/proc/sys/kernel/kexec_load_disabled",
  "/sys/kernel/kexec_loaded",
  "/sys/kernel/kexec/loaded",
  "/sys/kernel/kexec_crash_loaded",
]);

/** Directories of the kernel whose files are all the model's. Each with a file that is there when the directory is. */
const DIRECTORIES: Readonly<Record<string, string>> = {
  "/sys/kernel/debug/kho": "out/scratch_len",
  "/sys/kernel/debug/kho/out": "scratch_len",
  "/sys/kernel/debug/kho/out/sub_fdts": "LUO",
  "/sys/kernel/debug/kho/in": "fdt",
  "/sys/kernel/debug/kho/in/sub_fdts": "LUO",
  "/sys/class/misc/liveupdate": "dev",
};

const NAMES = new Set([...KERNEL_FILES].map((path) => path.slice(path.lastIndexOf("/") + 1)));
/** A path with one of these components may lead into one of the directories. */
const OF_DIRECTORIES = new Set(["kho", "liveupdate"]);

export function isKernelFile(path: string): boolean {
  return KERNEL_FILES.has(path) ||
    Object.keys(DIRECTORIES).some((directory) => path === directory || path.startsWith(`${directory}/`));
}

/** Whether the components of a path can be those of such a file. */
export function mayBeKernelFile(names: readonly string[]): boolean {
  return NAMES.has(names.at(-1) ?? "") || names.some((name) => OF_DIRECTORIES.has(name));
}

/** The mode of such a file or directory in the model's kernel; undefined: this kernel does not have it. */
export function kernelFileMode(sys: SystemCalls, path: string): number | undefined {
  const witness = DIRECTORIES[path];
  const fd = sys.open(witness === undefined ? path : `${path}/${witness}`, O_RDONLY);
  if (fd < 0) return undefined;
  const stat = sys.fstat(fd);
  sys.close(fd);
  if (witness !== undefined) return S_IFDIR | 0o755;
  return typeof stat === "number" ? undefined : stat.mode;
}

/** A read-only file of the host with the content that the model gives now. The caller closes it. */
export function openKernelFile(sys: SystemCalls, path: string, flags: number, name: string): Ret {
  if (path in DIRECTORIES) return kernelFileMode(sys, path) === undefined ? -Errno.ENOENT : -Errno.EACCES;
  const fd = sys.open(path, flags & ~O_CLOEXEC);
  if (fd < 0) return fd;
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = new Uint8Array(4096);
    const length = sys.read(fd, piece);
    if (length <= 0) break;
    pieces.push(piece.subarray(0, length));
  }
  sys.close(fd);
  const others = path === "/proc/misc" ? otherMiscDevices() : "";
  return readOnlyFile(name, joined([...pieces, new TextEncoder().encode(others)]));
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
    return open(`/proc/self/fd/${memfd}`, O_RDONLY | O_CLOEXEC);
  } finally {
    close(memfd);
  }
}
