/**
 * The checks of read, write, lseek, ftruncate and fallocate before the file's own operation runs (fs/read_write.c,
 * fs/open.c).
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import { inode_type, type OpenFile } from "./file.ts";

const MAX_OFFSET = (1n << 63n) - 1n;

export function vfs_read(file: OpenFile | undefined, into: Uint8Array, offset?: bigint): Ret {
  if (offset !== undefined && offset < 0n) return -Errno.EINVAL;
  if (file === undefined) return -Errno.EBADF;
  if (offset !== undefined && !file.operations.positioned) return -Errno.ESPIPE;
  if (!file.readable) return -Errno.EBADF;
  return file.operations.read?.(file, into, offset) ?? -Errno.EINVAL;
}

export function vfs_write(file: OpenFile | undefined, from: Uint8Array, offset?: bigint): Ret {
  if (offset !== undefined && offset < 0n) return -Errno.EINVAL;
  if (file === undefined) return -Errno.EBADF;
  if (offset !== undefined && !file.operations.positioned) return -Errno.ESPIPE;
  if (!file.writable) return -Errno.EBADF;
  if (offset !== undefined && offset + BigInt(from.length) > MAX_OFFSET) return -Errno.EINVAL;
  return file.operations.write?.(file, from, offset) ?? -Errno.EINVAL;
}

export function vfs_lseek(file: OpenFile | undefined, offset: bigint, whence: number): bigint {
  if (file === undefined) return -BigInt(Errno.EBADF);
  if (whence < 0 || whence > 4) return -BigInt(Errno.EINVAL);
  return file.operations.lseek?.(file, offset, whence) ?? -BigInt(Errno.ESPIPE);
}

/** generic_file_llseek_size() for SEEK_SET, SEEK_CUR and SEEK_END. */
export function generic_lseek(file: OpenFile, offset: bigint, whence: number, size: bigint): bigint {
  const base = whence === abi.SEEK_END ? size : whence === abi.SEEK_CUR ? file.position : 0n;
  const position = base + offset;
  if (whence > abi.SEEK_END || position < 0n || position > MAX_OFFSET) return -BigInt(Errno.EINVAL);
  file.position = position;
  return position;
}

export function vfs_ftruncate(file: OpenFile | undefined, length: bigint): Ret {
  if (length < 0n) return -Errno.EINVAL;
  if (file === undefined) return -Errno.EBADF;
  if (!file.writable) return -Errno.EINVAL;
  return file.operations.ftruncate?.(file, length) ?? -Errno.EINVAL;
}

/** FALLOC_FL_ modes that select the operation: at most one of them. */
const FALLOC_MODES = 0xfa;
const FALLOC_FL_INSERT_RANGE = 0x20;
const FALLOC_FL_UNSHARE_RANGE = 0x40;
const FALLOC_FL_WRITE_ZEROES = 0x80;

/** vfs_fallocate(). */
export function vfs_fallocate(
  file: OpenFile | undefined,
  mode: number,
  offset: bigint,
  length: bigint,
): Ret {
  if (file === undefined) return -Errno.EBADF;
  if (offset < 0n || length <= 0n) return -Errno.EINVAL;
  if (!fallocate_mode_known(mode)) return -Errno.EOPNOTSUPP;
  if (!file.writable) return -Errno.EBADF;
  const type = inode_type(file.inode);
  if (type === abi.S_IFIFO) return -Errno.ESPIPE;
  if (type === abi.S_IFDIR) return -Errno.EISDIR;
  if (type !== abi.S_IFREG) return -Errno.ENODEV;
  if (offset + length > MAX_OFFSET) return -Errno.EFBIG;
  return file.operations.fallocate?.(file, mode, offset, length) ?? -Errno.EOPNOTSUPP;
}

function fallocate_mode_known(mode: number): boolean {
  if (mode & ~(FALLOC_MODES | abi.FALLOC_FL_KEEP_SIZE)) return false;
  const keeps = (mode & abi.FALLOC_FL_KEEP_SIZE) !== 0;
  switch (mode & FALLOC_MODES) {
    case 0:
    case FALLOC_FL_UNSHARE_RANGE:
    case abi.FALLOC_FL_ZERO_RANGE:
      return true;
    case abi.FALLOC_FL_PUNCH_HOLE:
      return keeps;
    case abi.FALLOC_FL_COLLAPSE_RANGE:
    case FALLOC_FL_INSERT_RANGE:
    case FALLOC_FL_WRITE_ZEROES:
      return !keeps;
    default:
      return false;
  }
}
