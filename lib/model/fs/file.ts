/** Open file descriptions (`struct file` of include/linux/fs.h): shared by dup, by passed fds, by mappings, and by LUO. */
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOFOLLOW,
  O_PATH,
} from "../../../ffi/abi/fcntl.ts";
import { O_RDONLY, O_TRUNC, O_WRONLY, S_IFMT, S_IFREG } from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat, UserPointer } from "../../system_calls.ts";

/** A file's identity and attributes; several open file descriptions may share one. */
export interface Inode {
  stat(): Stat;
  fchmod?(mode: number): Ret;
  /** F_GET_SEALS, and F_ADD_SEALS through a writable fd; EINVAL without. */
  readonly seals?: number;
  add_seals?(seals: number): Ret;
  /** For a write opening (get_write_access) and kexec_file_load (deny_write_access); see `kexec.ts`. */
  writers?: number;
  /** S_ISREG() of the inode where stat(2) says less (pidfs). */
  readonly regular?: boolean;
  /** What mmap(2) of a file that is not shmem's answers; missing: ENODEV. */
  mmap?(offset: bigint): Ret;
  /** One user more or less of an inode that is freed without any. */
  get?(): void;
  put?(): void;
}

/**
 * What a kind of file can do (`struct file_operations`). A missing one gives the errno Linux gives for it. `offset` undefined
 * means the description's own position, which the operation moves.
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
  /** The revents; missing: always readable and writable (DEFAULT_POLLMASK). */
  poll?(file: OpenFile, events: number): number;
  /** /proc/self/fd/N opened: missing gives ENXIO, as for sockets and anonymous inodes. */
  reopen?(file: OpenFile, flags: number): OpenFile | Ret;
  set_flags?(file: OpenFile, flags: number): Ret;
  /** The last reference is gone. */
  release?(file: OpenFile): void;
  /** pread and pwrite work (FMODE_PREAD, FMODE_PWRITE); else ESPIPE. */
  readonly positioned?: boolean;
}

/** The process that makes a call, as far as a file may use it: its user and its file descriptors. */
export interface Caller {
  readonly uid: number;
  readonly fds: Descriptors;
}

/** What a file may do with its caller's fds; `FdTable` implements it. */
export interface Descriptors {
  get(fd: number): OpenFile | undefined;
  unused(): Ret;
  install(file: OpenFile, cloexec: boolean): Ret;
  install_or_put(file: OpenFile, cloexec: boolean): Ret;
  set_cloexec(fd: number, cloexec: boolean): void;
}

export class OpenFile {
  position = 0n;
  #references = 1;

  constructor(
    public inode: Inode,
    public operations: FileOperations,
    /** F_GETFL. */
    public flags: number,
    /** What /proc/self/fd/N says. */
    readonly link: () => string,
  ) {}

  /** The same description, and whoever refers to it, from now on with the inode and operations of another (`host_file.ts`). */
  become({ inode, operations }: OpenFile): void {
    [this.inode, this.operations] = [inode, operations];
  }

  get path_only(): boolean {
    return (this.flags & O_PATH) !== 0;
  }

  /** FMODE_READ. */
  get readable(): boolean {
    return !this.path_only && (this.flags & O_ACCMODE) !== O_WRONLY;
  }

  /** FMODE_WRITE. */
  get writable(): boolean {
    return !this.path_only && (this.flags & O_ACCMODE) !== O_RDONLY;
  }

  /** One more reference: an fd, a message in flight, a mapping, a preserved file. */
  get(): this {
    this.#references++;
    return this;
  }

  /** One reference less; the last one releases the file. */
  put(): void {
    if (--this.#references === 0) this.operations.release?.(this);
  }
}

/** S_IFREG and the like. */
export function inode_type(inode: Inode): number {
  return inode.regular ? S_IFREG : inode.stat().mode & S_IFMT;
}

/** What F_GETFL tells of a file opened with O_PATH. */
const PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW;

/** O_PATH: can do nothing but keep the inode, and be opened anew (/proc/self/fd/N). */
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

/** F_GETFL of a file that was opened by path: creation flags are gone, and 64-bit callers get O_LARGEFILE (fs/open.c). */
export function opened_flags(flags: number): number {
  return (flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)) | O_LARGEFILE;
}

const O_NOCTTY = 0o400;

/** The fields of a stat that are not said, zero. */
export function stat(fields: Partial<Stat>): Stat {
  return { dev: 0n, ino: 0n, mode: 0, nlink: 1, uid: 0, size: 0n, blocks: 0n, ...fields };
}
