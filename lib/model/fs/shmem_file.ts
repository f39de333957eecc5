/** Open descriptions of shmem files, and the creation of a memfd's file (mm/memfd.c, mm/shmem.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import { type FileOperations, opened_flags, OpenFile } from "./file.ts";
import type { Ram } from "../memory/ram.ts";
import { generic_lseek } from "./read_write.ts";
import { ShmemInode } from "./shmem.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";

/** st_dev of the kernel's own tmpfs mount, where memfds live. */
const SHM_MNT_DEV = 1n;

const shmem_operations: FileOperations = {
  positioned: true,
  read(file, into, offset) {
    const got = inode_of(file).read(offset ?? file.position, into);
    if (offset === undefined && got > 0) file.position += BigInt(got);
    return got;
  },
  write(file, from, offset) {
    const inode = inode_of(file);
    // O_APPEND writes at the end, even with pwrite (generic_write_checks).
    const at = file.flags & abi.O_APPEND ? inode.size : offset ?? file.position;
    const done = inode.write(at, from);
    if (offset === undefined && done > 0) file.position = at + BigInt(done);
    return done;
  },
  lseek(file, offset, whence) {
    const inode = inode_of(file);
    if (whence === abi.SEEK_DATA || whence === abi.SEEK_HOLE) return seek_data(file, inode, offset, whence);
    return generic_lseek(file, offset, whence, inode.size);
  },
  ftruncate: (file, length) => inode_of(file).truncate(length),
  fallocate: (file, mode, offset, length) => inode_of(file).fallocate(mode, offset, length),
  reopen: (file, flags) => open_shmem(inode_of(file), flags, file.link),
  release(file) {
    const inode = inode_of(file);
    inode.files.delete(file);
    inode.put();
  },
};

/** The operations of a description that was opened by path for writing and so holds write access (get_write_access). */
const opened_for_writing: FileOperations = {
  ...shmem_operations,
  release(file) {
    const inode = inode_of(file);
    inode.writers--;
    inode.files.delete(file);
    inode.put();
  },
};

function inode_of(file: OpenFile): ShmemInode {
  if (!(file.inode instanceof ShmemInode)) throw new TypeError("Not a shmem file");
  return file.inode;
}

/** Creates a description of the inode without any check; `open_shmem` does what open(2) does. */
function shmem_file(
  inode: ShmemInode,
  flags: number,
  link: () => string,
  operations = shmem_operations,
): OpenFile {
  inode.get();
  const file = new OpenFile(inode, operations, flags, link);
  inode.files.add(file);
  return file;
}

/** open(2) of a regular tmpfs file: takes write access, and truncates for O_TRUNC. */
export function open_shmem(inode: ShmemInode, flags: number, link: () => string): OpenFile | Ret {
  const writes = (flags & abi.O_ACCMODE) !== abi.O_RDONLY;
  if (writes) inode.writers++;
  const operations = writes ? opened_for_writing : shmem_operations;
  const file = shmem_file(inode, opened_flags(flags), link, operations);
  const answer = flags & abi.O_TRUNC ? inode.truncate(0n) : 0;
  if (answer < 0) {
    file.put();
    return answer;
  }
  return file;
}

/** memfd_alloc_file(): a file without a name. Its mode is 0777 unless MFD_NOEXEC_SEAL removes the x bits. */
export function memfd_file(ram: Ram, ino: bigint, uid: number, name: string, flags: number): OpenFile {
  const inode = new ShmemInode(ram, ino, 0o777, uid, SHM_MNT_DEV);
  if (flags & abi.MFD_NOEXEC_SEAL) {
    inode.mode &= ~0o111;
    inode.seals = abi.F_SEAL_EXEC;
  } else if (flags & abi.MFD_ALLOW_SEALING) {
    inode.seals = 0;
  }
  const text = name === "" ? "/ (deleted)" : `/${name} (deleted)`;
  const file = shmem_file(inode, abi.O_RDWR | abi.O_LARGEFILE, () => text);
  // Only open(2) of tmpfs sets FMODE_CAN_ODIRECT (shmem_file_open).
  file.can_direct = false;
  return file;
}

function seek_data(file: OpenFile, inode: ShmemInode, offset: bigint, whence: number): bigint {
  if (offset < 0n || offset >= inode.size) return -BigInt(Errno.ENXIO);
  const page = Math.floor(Number(offset) / PAGE_SIZE);
  const found = whence === abi.SEEK_DATA ? inode.cache.next_page(page) : inode.cache.next_hole(page);
  if (found === undefined) return -BigInt(Errno.ENXIO);
  const at = BigInt(found) * BigInt(PAGE_SIZE);
  if (at >= inode.size && whence === abi.SEEK_DATA) return -BigInt(Errno.ENXIO);
  file.position = at < offset ? offset : at > inode.size ? inode.size : at;
  return file.position;
}
