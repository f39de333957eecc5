/** fcntl(2): fd flags, status flags and seals (fs/fcntl.c, mm/memfd.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import type { FdTable } from "./fd_table.ts";
import { inode_type, type OpenFile } from "./file.ts";

export const O_DIRECT = 0o40000;
const O_NOATIME = 0o1000000;
/** The flags that F_SETFL can change. */
const SETFL_MASK = abi.O_APPEND | abi.O_NONBLOCK | O_DIRECT | O_NOATIME;

export function do_fcntl(fds: FdTable, fd: number, command: number, argument: number): Ret {
  const file = fds.raw(fd);
  if (file === undefined) return -Errno.EBADF;
  switch (command) {
    case abi.F_DUPFD:
    case abi.F_DUPFD_CLOEXEC:
      return dup_from(fds, file, argument, command === abi.F_DUPFD_CLOEXEC);
    case abi.F_GETFD:
      return fds.cloexec(fd) ? abi.FD_CLOEXEC : 0;
    case abi.F_SETFD:
      fds.set_cloexec(fd, (argument & abi.FD_CLOEXEC) !== 0);
      return 0;
    case abi.F_GETFL:
      return file.flags;
  }
  // check_fcntl_cmd(): an O_PATH fd accepts only the commands above.
  if (file.path_only) return -Errno.EBADF;
  switch (command) {
    case abi.F_SETFL:
      if (argument & O_DIRECT && !takes_direct(file)) return -Errno.EINVAL;
      file.flags = (argument & SETFL_MASK) | (file.flags & ~SETFL_MASK);
      return file.operations.set_flags?.(file, file.flags) ?? 0;
    case abi.F_GET_SEALS:
      return file.inode.seals ?? -Errno.EINVAL;
    case abi.F_ADD_SEALS:
      return add_seals(file, argument);
    case abi.F_SETPIPE_SZ:
      return inode_type(file.inode) === abi.S_IFIFO ? -Errno.EINVAL : -Errno.EBADF;
    default:
      return -Errno.EINVAL;
  }
}

/** FMODE_CAN_ODIRECT, as far as the model has such files; for pipes O_DIRECT means packets. */
export function takes_direct({ inode, can_direct }: OpenFile): boolean {
  if (!can_direct) return false;
  const type = inode_type(inode);
  return type === abi.S_IFREG || type === abi.S_IFIFO;
}

function dup_from(fds: FdTable, file: OpenFile, from: number, cloexec: boolean): Ret {
  if (from < 0 || from >= fds.limit) return -Errno.EINVAL;
  const fd = fds.install(file, cloexec, from);
  if (fd >= 0) file.get();
  return fd;
}

function add_seals(file: OpenFile, seals: number): Ret {
  if (!file.writable) return -Errno.EPERM;
  return file.inode.add_seals?.(seals) ?? -Errno.EINVAL;
}
