/** The trapped calls, each done on the model. The answer is a value, -errno, or "continue": the host's kernel does it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_NOFOLLOW, SEEK_CUR } from "../../ffi/abi/fcntl.ts";
import {
  LIVEUPDATE_DEVICE,
  LIVEUPDATE_IOCTL_CREATE_SESSION,
  LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
  LIVEUPDATE_SESSION_PRESERVE_FD,
  LIVEUPDATE_SESSION_RETRIEVE_FD,
} from "../../ffi/abi/liveupdate.ts";
import type { Notification, TrappedCall } from "../../ffi/abi/seccomp.ts";
import { close, fstat, lseek } from "../../ffi/file.ts";
import { notify_add_fd } from "../../ffi/seccomp.ts";
import type { Kernel } from "../kernel.ts";
import type { Machine } from "../model/machine.ts";
import { Caller } from "./caller.ts";
import type { Objects } from "./objects.ts";
import { AT_FDCWD, isDevice } from "./paths.ts";
import { encodeDeviceStat, encodeDeviceStatx } from "./device_stat.ts";

export interface Machinery {
  readonly machine: Machine;
  /** The model's process that holds what the program has open. */
  readonly kernel: Kernel;
  readonly objects: Objects;
  readonly listener: number;
}

export type Answer = number | "continue";

const LINUX_REBOOT_MAGIC1 = 0xfee1dead;
const LINUX_REBOOT_MAGIC2 = [0x28121969, 0x05121996, 0x16041998, 0x20112000];
const LINUX_REBOOT_CMD_KEXEC = 0x45584543;
const AT_SYMLINK_NOFOLLOW = 0x100;
const COMMAND_LINE_MAX = 4096n;
/** An ioctl's struct: the kernel takes a page at most. */
const STRUCT_MAX = 4096;

/** @throws ProcessKilled the machine has gone down: a kexec */
export function serve(machinery: Machinery, name: TrappedCall, notification: Notification): Answer {
  const { args, tid } = notification;
  const caller = new Caller(tid);
  const int = (index: number) => Number(BigInt.asIntN(32, args[index] ?? 0n));
  const word = (index: number) => args[index] ?? 0n;
  const named = (dirfd: number, at: number, nofollow = false): boolean => {
    const path = caller.path(word(at));
    return path !== undefined && path !== "" && isDevice(tid, dirfd, path, nofollow);
  };
  const open = (flags: number) => openDevice(machinery, notification, flags);
  const nofollow = (flags: number) => (flags & AT_SYMLINK_NOFOLLOW) !== 0;
  const node = (address: bigint) => caller.write(address, encodeDeviceStat());
  switch (name) {
    case "open":
      return named(AT_FDCWD, 0, (int(1) & O_NOFOLLOW) !== 0) ? open(int(1)) : "continue";
    case "openat":
      return named(int(0), 1, (int(2) & O_NOFOLLOW) !== 0) ? open(int(2)) : "continue";
    case "openat2": {
      if (!named(int(0), 1)) return "continue";
      const how = caller.read(word(2), 24);
      return how.length < 24 ? "continue" : open(new DataView(how.buffer).getUint32(0, true));
    }
    case "access":
      return named(AT_FDCWD, 0) ? access(int(1)) : "continue";
    case "faccessat":
    case "faccessat2":
      return named(int(0), 1) ? access(int(2)) : "continue";
    case "stat":
    case "lstat":
      return named(AT_FDCWD, 0, name === "lstat") ? node(word(1)) : "continue";
    case "newfstatat":
      return named(int(0), 1, nofollow(int(3))) ? node(word(2)) : "continue";
    case "statx":
      return named(int(0), 1, nofollow(int(2))) ? caller.write(word(4), encodeDeviceStatx()) : "continue";
    case "ioctl":
      return ioctl(machinery, notification, caller);
    case "ftruncate":
      return frozenSize(machinery, caller, int(0)) === undefined ||
          frozenSize(machinery, caller, int(0)) === word(1)
        ? "continue"
        : -Errno.EPERM;
    case "fallocate":
      return frozenSize(machinery, caller, int(0)) === undefined ? "continue" : -Errno.EPERM;
    case "write":
    case "writev":
    case "pwrite64":
    case "pwritev":
    case "pwritev2":
      return write(machinery, caller, name, notification);
    case "kexec_file_load":
      return kexecFileLoad(machinery, caller, notification);
    case "reboot":
      return reboot(machinery.kernel, Number(word(0) & 0xffffffffn), int(1) >>> 0, int(2) >>> 0);
  }
}

/** Mode 0600, and the program is root's: only executing it is refused. */
function access(mode: number): number {
  return mode & 1 ? -Errno.EACCES : 0;
}

function openDevice({ kernel, objects, listener }: Machinery, { id }: Notification, flags: number): number {
  const fd = kernel.open(LIVEUPDATE_DEVICE, flags | O_CLOEXEC);
  return fd < 0 ? fd : objects.give(listener, id, kernel, fd, (flags & O_CLOEXEC) !== 0);
}

function ioctl(machinery: Machinery, notification: Notification, caller: Caller): Answer {
  const { kernel, objects, listener } = machinery;
  const [fd = 0n, request64 = 0n, address = 0n] = notification.args;
  const model_fd = objects.find(caller.identity(Number(fd)));
  if (model_fd === undefined) return "continue";
  const request = Number(request64 & 0xffffffffn);
  const bytes = readStruct(caller, address);
  // Written back as it is: is it memory that may be written?
  const writable = bytes.length > 0 && caller.write(address, bytes) === 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const theirs = bytes.length >= 8 ? view.getInt32(4, true) : -1;
  const adopted = request === LIVEUPDATE_SESSION_PRESERVE_FD && bytes.length >= 16
    ? adoptFd(machinery, caller, theirs)
    : undefined;
  if (adopted !== undefined) view.setInt32(4, adopted.fd, true);
  const before = adopted === undefined ? theirs : adopted.fd;
  const answer = kernel.ioctl(model_fd, request, address === 0n ? null : { bytes, writable });
  if (adopted?.close === true) kernel.close(adopted.fd);
  if (bytes.length >= 8 && adopted !== undefined && view.getInt32(4, true) === before) {
    view.setInt32(4, theirs, true);
  }
  if (answer < 0) return answer;
  const made = view.byteLength >= 8 ? view.getInt32(4, true) : -1;
  if (request === LIVEUPDATE_IOCTL_CREATE_SESSION || request === LIVEUPDATE_IOCTL_RETRIEVE_SESSION) {
    view.setInt32(4, objects.give(listener, notification.id, kernel, made, true), true);
  } else if (request === LIVEUPDATE_SESSION_RETRIEVE_FD) {
    view.setInt32(4, exposeFd(machinery, notification, made), true);
  }
  const given = bytes.length >= 8 ? view.getInt32(4, true) : 0;
  if (request !== LIVEUPDATE_SESSION_PRESERVE_FD && given < -1) return given;
  return caller.write(address, bytes) < 0 ? -Errno.EFAULT : answer;
}

/** A struct says its own size in its first word. */
function readStruct(caller: Caller, address: bigint): Uint8Array<ArrayBuffer> {
  const head = caller.read(address, 4);
  if (head.length < 4) return head;
  const size = new DataView(head.buffer).getUint32(0, true);
  return caller.read(address, Math.min(Math.max(size, 4), STRUCT_MAX));
}

/** The program's file as one of the model: the same open file, nothing is copied. */
function adoptFd({ kernel, objects }: Machinery, caller: Caller, fd: number): { fd: number; close: boolean } {
  const own = objects.find(caller.identity(fd));
  if (own !== undefined) return { fd: own, close: false };
  const host_fd = caller.take(fd);
  const adopted = host_fd < 0 ? -1 : kernel.adopt(host_fd);
  return { fd: adopted < 0 ? -1 : adopted, close: adopted >= 0 };
}

/** The model's file as one of the program. LUO keeps the file, so the model's descriptor may go. */
function exposeFd({ kernel, listener }: Machinery, { id }: Notification, model_fd: number): number {
  const host_fd = kernel.expose(model_fd);
  kernel.close(model_fd);
  if (host_fd < 0) return host_fd;
  const number = notify_add_fd(listener, id, host_fd, O_CLOEXEC);
  close(host_fd);
  return number;
}

/** The size of a preserved file; undefined for all others. */
function frozenSize({ machine }: Machinery, caller: Caller, fd: number): bigint | undefined {
  const inodes = machine.system.host_inodes;
  if (inodes.size === 0) return undefined;
  const inode = inodes.get(caller.identity(fd) ?? "");
  return inode?.frozen === true ? inode.size : undefined;
}

function write(machinery: Machinery, caller: Caller, name: TrappedCall, { args }: Notification): Answer {
  const [fd64 = 0n, address = 0n, count = 0n, offset = 0n] = args;
  const fd = Number(BigInt.asIntN(32, fd64));
  const size = frozenSize(machinery, caller, fd);
  if (size === undefined) return "continue";
  const vector = name !== "write" && name !== "pwrite64";
  const length = vector ? vectorLength(caller.read(address, Number(count & 0xffffn) * 16)) : count;
  const positioned = name === "pwrite64" || name === "pwritev" || (name === "pwritev2" && offset !== -1n);
  const at = positioned ? offset : position(caller, fd);
  return at + length > size ? -Errno.EPERM : "continue";
}

function vectorLength(iovecs: Uint8Array<ArrayBuffer>): bigint {
  const words = new BigUint64Array(iovecs.slice().buffer);
  return words.filter((_word, index) => index % 2 === 1).reduce((sum, length) => sum + length, 0n);
}

function position(caller: Caller, fd: number): bigint {
  const host_fd = caller.take(fd);
  if (host_fd < 0) return 0n;
  const at = lseek(host_fd, 0n, SEEK_CUR);
  close(host_fd);
  return at < 0n ? 0n : at;
}

const KEXEC_FILE_UNLOAD = 1n;
const KEXEC_FILE_NO_INITRAMFS = 4n;

function kexecFileLoad({ kernel }: Machinery, caller: Caller, { args }: Notification): number {
  const [kernel64 = 0n, initrd64 = 0n, length = 0n, address = 0n, flags = 0n] = args;
  const take = (fd64: bigint) => {
    const host_fd = caller.take(Number(BigInt.asIntN(32, fd64)));
    const there = host_fd >= 0 && typeof fstat(host_fd) === "object";
    return there ? kernel.adopt(host_fd) : -1;
  };
  const kernel_fd = flags & KEXEC_FILE_UNLOAD ? -1 : take(kernel64);
  const initrd_fd = flags & (KEXEC_FILE_UNLOAD | KEXEC_FILE_NO_INITRAMFS) ? -1 : take(initrd64);
  const bytes = caller.read(address, Number(length < COMMAND_LINE_MAX ? length : COMMAND_LINE_MAX));
  const text = address === 0n ? null : { bytes, writable: false };
  const answer = kernel.kexec_file_load(kernel_fd, initrd_fd, length, text, flags);
  for (const fd of [kernel_fd, initrd_fd]) if (fd >= 0) kernel.close(fd);
  return answer;
}

/** Only the kexec is this machine's affair; never the host's. */
function reboot(kernel: Kernel, magic1: number, magic2: number, command: number): number {
  if (magic1 !== LINUX_REBOOT_MAGIC1 || !LINUX_REBOOT_MAGIC2.includes(magic2)) return -Errno.EINVAL;
  return command === LINUX_REBOOT_CMD_KEXEC ? kernel.reboot(command) : -Errno.EPERM;
}
