/** Files in /proc and /sys that tell which kernel runs: programs read the model's content, not the host's. */
import { MFD_CLOEXEC, O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, open, write } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";

/** The release, the command line, the boot and the loaded image. */
const KERNEL_FILES = new Set([
  "/proc/cmdline",
  "/proc/version",
  "/proc/sys/kernel/osrelease",
  "/proc/sys/kernel/random/boot_id",
  "/sys/kernel/kexec_loaded",
  "/sys/kernel/kexec/loaded",
  "/sys/kernel/kexec_crash_loaded",
]);

const NAMES = new Set([...KERNEL_FILES].map((path) => path.slice(path.lastIndexOf("/") + 1)));

export function isKernelFile(path: string): boolean {
  return KERNEL_FILES.has(path);
}

/** Whether the last component of a path is the name of such a file. */
export function isKernelFileName(name: string): boolean {
  return NAMES.has(name);
}

/** A read-only file of the host with the content that the model gives now. The caller closes it. */
export function openKernelFile(sys: SystemCalls, path: string, flags: number): Ret {
  const fd = sys.open(path, flags & ~O_CLOEXEC);
  if (fd < 0) return fd;
  const buffer = new Uint8Array(4096);
  const length = sys.read(fd, buffer);
  sys.close(fd);
  if (length < 0) return length;
  return readOnlyFile(path, buffer.subarray(0, length));
}

/** A read-only file of the host with this content. The caller closes it. */
export function readOnlyFile(path: string, content: Uint8Array): Ret {
  const memfd = check(memfd_create(path.slice(path.lastIndexOf("/") + 1), MFD_CLOEXEC), "memfd_create", path);
  try {
    check(write(memfd, content), "write", path);
    return open(`/proc/self/fd/${memfd}`, O_RDONLY | O_CLOEXEC);
  } finally {
    close(memfd);
  }
}
