/** pidfd_open(2) and pidfd_getfd(2) (kernel/pid.c, fs/pidfs.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import { O_ACCMODE, O_EXCL, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, POLLIN } from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat } from "../../system_calls.ts";
import { type FileOperations, type Inode, opened_flags, OpenFile, stat } from "../fs/file.ts";
import type { Task } from "./task.ts";

/**
 * The inode that all pidfds of a process share: a regular file of the file system pidfs, though stat(2) does not say
 * so.
 */
export class PidfdInode implements Inode {
  readonly regular = true;
  writers = 0;

  readonly ino: bigint;

  constructor(ino: bigint) {
    this.ino = ino;
  }

  stat(): Stat {
    return stat({ dev: 9n, ino: this.ino, mode: 0o700 });
  }
}

const PIDFD_FLAGS = O_NONBLOCK | O_EXCL;

export function do_pidfd_open(
  processes: ReadonlyMap<number, Task>,
  pid: number,
  flags: number,
): OpenFile | Ret {
  if (flags & ~PIDFD_FLAGS || pid <= 0) return -Errno.EINVAL;
  const target = processes.get(pid);
  return target === undefined ? -Errno.ESRCH : open_pidfd(target, O_RDWR | (flags & O_NONBLOCK));
}

/** The file that fd number `fd` of the pidfd's process refers to, with a reference for the caller. */
export function do_pidfd_getfd(
  pidfd: OpenFile | undefined,
  fd: number,
  flags: number,
  uid: number,
): OpenFile | Ret {
  if (flags !== 0) return -Errno.EINVAL;
  const target = pidfd && pidfd_target(pidfd);
  if (target === undefined) return -Errno.EBADF;
  if (target.ended) return -Errno.ESRCH;
  if (uid !== 0 && uid !== target.uid) return -Errno.EPERM;
  return target.fds.raw(fd)?.get() ?? -Errno.EBADF;
}

function open_pidfd(target: Task, flags: number): OpenFile {
  const inode = target.pidfd_inode;
  if (writes(flags)) inode.writers++;
  return new OpenFile(inode, new PidfdOperations(target), flags, () => "anon_inode:[pidfd]");
}

function writes(flags: number): boolean {
  return (flags & O_ACCMODE) !== O_RDONLY;
}

/** The process of a pidfd; undefined for any other file. */
function pidfd_target(file: OpenFile): Task | undefined {
  return file.operations instanceof PidfdOperations ? file.operations.target : undefined;
}

/** The operations of a pidfd: no read, write or lseek. pidfs_setattr() refuses changes of the inode. */
class PidfdOperations implements FileOperations {
  readonly positioned = true;

  readonly target: Task;

  constructor(target: Task) {
    this.target = target;
  }

  /** A pidfd is readable after its process has ended. */
  poll(_file: OpenFile, events: number): number {
    return this.target.ended ? events & POLLIN : 0;
  }

  ftruncate(): Ret {
    return -Errno.EOPNOTSUPP;
  }

  fallocate(): Ret {
    return -Errno.EOPNOTSUPP;
  }

  reopen(_file: OpenFile, flags: number): OpenFile | Ret {
    return flags & O_TRUNC ? -Errno.EOPNOTSUPP : open_pidfd(this.target, opened_flags(flags));
  }

  release(file: OpenFile): void {
    if (writes(file.flags)) this.target.pidfd_inode.writers--;
  }
}
