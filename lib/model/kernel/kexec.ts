/** kexec_file_load(2) (kernel/kexec_file.c): checks an image, and keeps it for the reboot. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import { decodeOsText } from "../../../ffi/abi/os_text.ts";
import * as kexec from "../../../ffi/abi/kexec.ts";
import type { Ret, UserPointer } from "../../system_calls.ts";
import { IMAGE_LOADERS, type ImageHead } from "./image_loader.ts";
import { inode_type, type OpenFile } from "../fs/file.ts";
import { place_segments, type Segment } from "./kexec_segments.ts";
import type { Task } from "./task.ts";
import { UserBuffer } from "../fs/user_memory.ts";

/** The part of an image that the model needs to boot it. */
export interface LoadedImage {
  readonly release: string | undefined;
  readonly command_line: string;
}

const FLAGS = kexec.KEXEC_FILE_UNLOAD | kexec.KEXEC_FILE_ON_CRASH | kexec.KEXEC_FILE_NO_INITRAMFS |
  kexec.KEXEC_FILE_DEBUG | kexec.KEXEC_FILE_NO_CMA | kexec.KEXEC_FILE_FORCE_DTB;
/** KEXEC_FILE_SIZE_MAX, the largest file that is read. */
const FILE_SIZE_MAX = BigInt(Math.min(0x7fffffff, 4 * 1024 * 1024 * 1024));
const INT_MAX = 0x7fffffffn;
/** linux/kern_levels.h */
const KERN_ERR = 3;
/** Bytes of the image that are checked: the setup sectors, at most 256 of them. */
const SETUP_MAX = 256 * 512;

export interface KexecArguments {
  readonly kernel_fd: number;
  readonly initrd_fd: number;
  readonly cmdline_len: bigint;
  readonly cmdline: UserPointer;
  readonly flags: bigint;
}

/** The loaded image, undefined for UNLOAD, or -errno. On an error the caller keeps the image that was loaded before. */
export function load_image(task: Task, a: KexecArguments): LoadedImage | undefined | Ret {
  const crash = (a.flags & BigInt(kexec.KEXEC_FILE_ON_CRASH)) !== 0n;
  if (!task.system.kexec.use(task.uid, crash ? "panic" : "reboot")) return -Errno.EPERM;
  if (a.flags & ~BigInt(FLAGS)) return -Errno.EINVAL;
  const flags = Number(a.flags);
  if (flags & kexec.KEXEC_FILE_UNLOAD) return undefined;
  const loader = IMAGE_LOADERS[task.system.hardware.architecture];
  const print = (line: string) => task.system.printk(line, KERN_ERR);
  const kernel = read_head(task.fds.get(a.kernel_fd));
  if (typeof kernel === "number") return kernel;
  const probed = loader.probe(kernel, print);
  if (probed < 0) return probed;
  let initrd_bytes = 0;
  if (!(flags & kexec.KEXEC_FILE_NO_INITRAMFS)) {
    const initrd = read_head(task.fds.get(a.initrd_fd));
    if (typeof initrd === "number") return initrd;
    initrd_bytes = initrd.length;
  }
  const command_line = read_command_line(a);
  if (typeof command_line === "number") return command_line;
  const checked = loader.check(kernel, Number(a.cmdline_len), print);
  if (checked < 0) return checked;
  const segments = loader.segments(kernel, initrd_bytes);
  const { kho } = task.system;
  const placed = crash
    ? fits_in(task.system.crash.size_bytes, segments)
    : kho === undefined
    ? 0
    : place_segments(kho.scratch, segments);
  if (placed < 0) return placed;
  return { release: loader.release(kernel), command_line: loader.command_line(command_line) };
}

function fits_in(size_bytes: number, segments: readonly Segment[]): Ret {
  const wanted = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  return size_bytes > 0 && wanted < size_bytes ? 0 : -Errno.EADDRNOTAVAIL;
}

function read_command_line(a: KexecArguments): string | Ret {
  if (a.cmdline_len === 0n) return "";
  if (a.cmdline_len > INT_MAX) return -Errno.ENOMEM;
  const { bytes } = new UserBuffer(a.cmdline);
  const length = Number(a.cmdline_len);
  if (bytes.length < length) return -Errno.EFAULT;
  if (bytes[length - 1] !== 0) return -Errno.EINVAL;
  const text = bytes.subarray(0, length);
  return decodeOsText(text.subarray(0, text.indexOf(0)));
}

/** kernel_read_file_from_fd(): the start of the file and its length. */
function read_head(file: OpenFile | undefined): ImageHead | Ret {
  if (file === undefined || !file.readable) return -Errno.EBADF;
  if (inode_type(file.inode) !== abi.S_IFREG) return -Errno.EINVAL;
  // deny_write_access(): memfd_create does not count as an open for writing, so a memfd is accepted although its fd is
  // writable.
  if ((file.inode.writers ?? 0) > 0) return -Errno.ETXTBSY;
  const { size } = file.inode.stat();
  if (size <= 0n) return -Errno.EINVAL;
  if (size > FILE_SIZE_MAX) return -Errno.EFBIG;
  const { operations } = file;
  const length = Number(size);
  const read = (offset: number, bytes: number) => {
    const into = new Uint8Array(Math.max(0, Math.min(bytes, length - offset)));
    return into.subarray(0, Math.max(0, operations.read?.(file, into, BigInt(offset)) ?? 0));
  };
  const head = new Uint8Array(Math.min(length, SETUP_MAX));
  const got = operations.read?.(file, head, 0n) ?? -Errno.EINVAL;
  return got < 0 ? got : { head: head.subarray(0, got), length, read };
}
