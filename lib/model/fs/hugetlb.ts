/**
 * Memfds of huge pages (fs/hugetlbfs/inode.c) on a machine without huge pages. They show that LUO refuses such files.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat } from "../../system_calls.ts";
import { type FileOperations, type Inode, opened_flags, OpenFile, stat } from "./file.ts";
import { generic_lseek } from "./read_write.ts";
import { ALL_SEALS, implied_seals } from "./shmem.ts";

const HUGE_PAGE = 2n * 1024n * 1024n;

export class HugetlbInode implements Inode {
  size = 0n;
  seals: number;
  writers = 0;
  mode = 0o777;

  readonly ino: bigint;
  readonly uid: number;

  constructor(ino: bigint, uid: number, flags: number) {
    this.ino = ino;
    this.uid = uid;
    this.seals = flags & abi.MFD_ALLOW_SEALING ? 0 : abi.F_SEAL_SEAL;
    if (flags & abi.MFD_NOEXEC_SEAL) [this.seals, this.mode] = [abi.F_SEAL_EXEC, 0o666];
  }

  stat(): Stat {
    const { ino, uid, size } = this;
    return stat({ dev: 14n, ino, mode: abi.S_IFREG | this.mode, nlink: 0, uid, size });
  }

  add_seals(seals: number): Ret {
    if (seals & ~ALL_SEALS) return -Errno.EINVAL;
    if (this.seals & abi.F_SEAL_SEAL) return -Errno.EPERM;
    this.seals |= seals | implied_seals(seals, this.mode);
    return 0;
  }

  /** hugetlbfs_file_mmap(): fails, because there is no huge page to reserve. */
  mmap(offset: bigint): Ret {
    return offset % HUGE_PAGE === 0n ? -Errno.ENOMEM : -Errno.EINVAL;
  }

  fchmod(mode: number): Ret {
    this.mode = mode;
    return 0;
  }

  /** hugetlbfs_fallocate(): fails, because there is no huge page left. */
  fallocate(mode: number, end: bigint): Ret {
    if (mode & ~(abi.FALLOC_FL_KEEP_SIZE | abi.FALLOC_FL_PUNCH_HOLE)) return -Errno.EOPNOTSUPP;
    const changes = this.seals & (abi.F_SEAL_WRITE | abi.F_SEAL_FUTURE_WRITE);
    if (mode & abi.FALLOC_FL_PUNCH_HOLE) return changes ? -Errno.EPERM : 0;
    return this.seals & abi.F_SEAL_GROW && end > this.size ? -Errno.EPERM : -Errno.ENOSPC;
  }

  truncate(length: bigint): Ret {
    if (length % HUGE_PAGE !== 0n) return -Errno.EINVAL;
    if (length < this.size && this.seals & abi.F_SEAL_SHRINK) return -Errno.EPERM;
    if (length > this.size && this.seals & abi.F_SEAL_GROW) return -Errno.EPERM;
    this.size = length;
    return 0;
  }
}

export function hugetlb_file(ino: bigint, uid: number, name: string, flags: number): OpenFile {
  const inode = new HugetlbInode(ino, uid, flags);
  return open_hugetlb(inode, abi.O_RDWR | abi.O_LARGEFILE, `/memfd:${name} (deleted)`);
}

function open_hugetlb(
  inode: HugetlbInode,
  flags: number,
  link: string,
  more: FileOperations = {},
): OpenFile {
  const operations: FileOperations = {
    positioned: true,
    read(file, into, offset) {
      const at = offset ?? file.position;
      if (at >= inode.size) return 0;
      const left = inode.size - at;
      const length = left < BigInt(into.length) ? Number(left) : into.length;
      into.fill(0, 0, length);
      if (offset === undefined) file.position += BigInt(length);
      return length;
    },
    lseek: (file, offset, whence) => default_llseek(file, offset, whence, inode.size),
    ftruncate: (_file, length) => inode.truncate(length),
    fallocate: (_file, mode, offset, length) => inode.fallocate(mode, offset + length),
    reopen: (_file, again) => reopen_hugetlb(inode, opened_flags(again), link),
    ...more,
  };
  return new OpenFile(inode, operations, flags, () => link);
}

/** Opens the inode with write access (get_write_access), which the description of memfd_create() does not hold. */
function reopen_hugetlb(inode: HugetlbInode, flags: number, link: string): OpenFile {
  if ((flags & abi.O_ACCMODE) === abi.O_RDONLY) return open_hugetlb(inode, flags, link);
  inode.writers++;
  return open_hugetlb(inode, flags, link, { release: () => inode.writers-- });
}

/** default_llseek() of fs/read_write.c: treats the whole file as data. */
function default_llseek(file: OpenFile, offset: bigint, whence: number, size: bigint): bigint {
  if (whence <= abi.SEEK_END) return generic_lseek(file, offset, whence, size);
  if (offset >= size) return -BigInt(Errno.ENXIO);
  return generic_lseek(file, whence === abi.SEEK_HOLE ? size : offset, abi.SEEK_SET, size);
}
