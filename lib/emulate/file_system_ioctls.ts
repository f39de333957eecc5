/** The ioctls that the kernel answers for every file, before the file's own (fs/ioctl.c: do_vfs_ioctl): of the device and of sessions. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { close, fstat, stat } from "../../ffi/file.ts";
import type { Ret } from "../system_calls.ts";
import { int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_SYS_ADMIN } from "./credentials.ts";
import type { EmulatedFd, EmulatedFds } from "./emulated_fds.ts";
import { DEVICE_DIRECTORY } from "./device_nodes.ts";

/** linux/fs.h, asm-generic/ioctls.h. */
const [FIGETBSZ, FIOQSIZE, FIFREEZE, FIEMAP] = [2, 0x5460, 0xc004_5877, 0xc020_660b];
const [FICLONE, FICLONERANGE] = [0x4004_9409, 0x4020_940d];
const [SETFLAGS, FSSETXATTR, FIDEDUPERANGE] = [0x4008_6602, 0x401c_5820, 0xc018_9436];
/** struct file_clone_range: i64 src_fd, then three u64. */
const CLONE_RANGE_SIZE = 32;
const [GET_UUID, GET_SYSFS_PATH] = [0x8011_1500, 0x8081_1501];
/** struct fsuuid2: u8 length, the bytes. */
const UUID = new Uint8Array([16, ...new TextEncoder().encode("luo emulated /dev").subarray(0, 16)]);
const BLOCK_SIZE = new Uint8Array(new Int32Array([4096]).buffer);

/** Undefined: the file's own ioctl answers. */
export function fileSystemIoctl(
  { tid, args: [, raw, address] }: Notification,
  object: EmulatedFd,
  program: CallingProgram,
  objects: EmulatedFds,
): Ret | undefined {
  switch (Number(BigInt.asUintN(32, raw))) {
    case FIGETBSZ:
      return program.write(tid, address, BLOCK_SIZE);
    case FIOQSIZE:
      return -Errno.ENOTTY;
    // Neither file system can be frozen, and neither tells where a file's blocks are.
    case FIFREEZE:
      return program.credentials(tid).has(CAP_SYS_ADMIN) ? -Errno.EOPNOTSUPP : -Errno.EPERM;
    case FIEMAP:
      return -Errno.EOPNOTSUPP;
    case GET_UUID:
      return object.kind === "device" ? program.write(tid, address, UUID) : -Errno.ENOTTY;
    case GET_SYSFS_PATH:
      return -Errno.ENOTTY;
    case SETFLAGS:
    case FSSETXATTR:
    case FIDEDUPERANGE:
      return isReadable(tid, address, raw, program) ? undefined : -Errno.EFAULT;
    case FICLONE:
      return clone(tid, int(address), object, program, objects);
    case FICLONERANGE: {
      const range = program.bytes(tid, address, CLONE_RANGE_SIZE);
      if (typeof range === "number" || range.length < CLONE_RANGE_SIZE) return -Errno.EFAULT;
      return clone(tid, new DataView(range.buffer).getInt32(0, true), object, program, objects);
    }
  }
  return undefined;
}

/** Whether the struct of the request, of the size that the request itself tells, can be read. */
function isReadable(tid: number, address: bigint, request: bigint, program: CallingProgram): boolean {
  const size = Number((request >> 16n) & 0x3fffn);
  // FS_IOC_SETFLAGS tells the size of a long and takes an int.
  const wanted = Number(BigInt.asUintN(32, request)) === SETFLAGS ? 4 : size;
  const bytes = program.bytes(tid, address, wanted);
  return typeof bytes !== "number" && bytes.length === wanted;
}

/** From another file system EXDEV; from the same one EINVAL, because the target is no regular file. */
function clone(
  tid: number,
  from: number,
  object: EmulatedFd,
  program: CallingProgram,
  objects: EmulatedFds,
): Ret {
  const source = objects.find(tid, from);
  if (source !== undefined) return source.kind === object.kind ? -Errno.EINVAL : -Errno.EXDEV;
  const copy = program.fd(tid, from);
  if (copy < 0) return -Errno.EBADF;
  const [found, directory] = [fstat(copy), stat(object.entry?.directory ?? DEVICE_DIRECTORY)];
  close(copy);
  const same = typeof found !== "number" && typeof directory !== "number" && found.dev === directory.dev;
  return same && object.kind === "device" ? -Errno.EINVAL : -Errno.EXDEV;
}
