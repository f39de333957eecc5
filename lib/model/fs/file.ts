/**
 * Open file descriptions (`struct file` of include/linux/fs.h). Duplicated fds, fds in flight, mappings and LUO share
 * them.
 */
import {
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOFOLLOW,
  O_PATH,
} from "../../../ffi/abi/fcntl.ts";
import { O_TRUNC, S_IFMT, S_IFREG } from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat, UserPointer } from "../../system_calls.ts";

/** A file's identity and attributes; several open file descriptions may share one. */
export interface Inode {
  stat(): Stat;
  fchmod?(mode: number): Ret;
  /** The seals that F_GET_SEALS returns. Files without seals give EINVAL. */
  readonly seals?: number;
  /** F_ADD_SEALS through a writable fd. */
  add_seals?(seals: number): Ret;
  /**
   * Number of descriptions with write access (get_write_access). kexec_file_load needs it to be 0 (deny_write_access;
   * `../kernel/kexec.ts`).
   */
  writers?: number;
  /** True: a regular file, although stat(2) does not say so (pidfs). */
  readonly regular?: boolean;
  /** The answer of mmap(2) for files other than shmem's. Missing: ENODEV. */
  mmap?(offset: bigint): Ret;
  /** Adds a user. An inode without users is freed. */
  get?(): void;
  /** Drops a user. */
  put?(): void;
}

/**
 * The operations of a kind of file (`struct file_operations`). A missing operation gives the errno that Linux gives for
 * it. `offset` undefined means the description's own position, which the operation moves.
 */
export interface FileOperations {
  read?(file: OpenFile, into: Uint8Array, offset: bigint | undefined): Ret;
  write?(file: OpenFile, from: Uint8Array, offset: bigint | undefined): Ret;
  /** Missing: ESPIPE. */
  lseek?(file: OpenFile, offset: bigint, whence: number): bigint;
  ftruncate?(file: OpenFile, length: bigint): Ret;
  fallocate?(file: OpenFile, mode: number, offset: bigint, length: bigint): Ret;
  /** Missing: ENOTTY. */
  ioctl?(caller: Caller, file: OpenFile, request: number, argument: UserPointer): Ret;
  /** The revents. Missing: always readable and writable (DEFAULT_POLLMASK). */
  poll?(file: OpenFile, events: number): number;
  /** Opens /proc/self/fd/N. Missing: ENXIO, as for sockets and anonymous inodes. */
  reopen?(file: OpenFile, flags: number): OpenFile | Ret;
  set_flags?(file: OpenFile, flags: number): Ret;
  /** Called when the last reference is dropped. */
  release?(file: OpenFile): void;
  /** True: pread and pwrite work (FMODE_PREAD, FMODE_PWRITE). Else they give ESPIPE. */
  readonly positioned?: boolean;
}

/** The process that makes a call, reduced to what a file may use: its user and its fds. */
export interface Caller {
  readonly uid: number;
  readonly fds: Descriptors;
}

/** The operations that a file may use on its caller's fds; `FdTable` implements them. */
export interface Descriptors {
  get(fd: number): OpenFile | undefined;
  unused(): Ret;
  install(file: OpenFile, cloexec: boolean): Ret;
  install_or_put(file: OpenFile, cloexec: boolean): Ret;
  set_cloexec(fd: number, cloexec: boolean): void;
}

export class OpenFile {
  position = 0n;
  /** False: FMODE_CAN_ODIRECT is missing though the type has it, as in a memfd that was never opened by a path. */
  can_direct = true;
  #references = 1;

  inode: Inode;
  operations: FileOperations;
  /** F_GETFL. */
  flags: number;
  /** The target of the link /proc/self/fd/N. */
  readonly link: () => string;

  constructor(inode: Inode, operations: FileOperations, flags: number, link: () => string) {
    this.inode = inode;
    this.operations = operations;
    this.flags = flags;
    this.link = link;
  }

  /**
   * Replaces the inode and the operations by those of another description. All references stay valid (`host_files.ts`).
   */
  become({ inode, operations }: OpenFile): void {
    [this.inode, this.operations] = [inode, operations];
  }

  get path_only(): boolean {
    return (this.flags & O_PATH) !== 0;
  }

  /** FMODE_READ. The access mode 3 allows neither reading nor writing (OPEN_FMODE). */
  get readable(): boolean {
    return !this.path_only && ((this.flags + 1) & 1) !== 0;
  }

  /** FMODE_WRITE. */
  get writable(): boolean {
    return !this.path_only && ((this.flags + 1) & 2) !== 0;
  }

  /** Adds a reference: for an fd, a message in flight, a mapping, or a preserved file. */
  get(): this {
    this.#references++;
    return this;
  }

  /** Drops a reference. The last one releases the file. */
  put(): void {
    if (--this.#references === 0) this.operations.release?.(this);
  }
}

/** The type bits of the mode, S_IFREG for example. */
export function inode_type(inode: Inode): number {
  return inode.regular ? S_IFREG : inode.stat().mode & S_IFMT;
}

/** The flags that F_GETFL returns for a file opened with O_PATH. */
const PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW;

/**
 * A description opened with O_PATH: it keeps the inode, and can be opened again through /proc/self/fd/N. It can do
 * nothing else.
 */
export function path_file(
  inode: Inode,
  link: () => string,
  flags: number,
  reopen: ((file: OpenFile, flags: number) => OpenFile | Ret) | undefined,
): OpenFile {
  inode.get?.();
  const release = () => inode.put?.();
  return new OpenFile(
    inode,
    reopen === undefined ? { release } : { reopen, release },
    flags & PATH_FLAGS,
    link,
  );
}

/**
 * The flags that F_GETFL returns for a file opened by path: without creation flags, and with O_LARGEFILE for 64-bit
 * callers (fs/open.c).
 */
export function opened_flags(flags: number): number {
  return (flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)) | O_LARGEFILE;
}

const O_NOCTTY = 0o400;

/** A `Stat` with the given fields; all others have a default, mostly 0. */
export function stat(fields: Partial<Stat>): Stat {
  return { dev: 0n, ino: 0n, mode: 0, nlink: 1, uid: 0, size: 0n, blocks: 0n, ...fields };
}
