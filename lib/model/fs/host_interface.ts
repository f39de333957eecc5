/**
 * The interface between the model and the host's files. `lib/machine_process` implements it, so that files of the host
 * can enter the model (`SystemCalls.adopt`) and files of the model can leave it (`SystemCalls.expose`). Host fds are
 * numbers of the process in which the model runs. A model without a host answers -ENOSYS to both.
 */
import type { Ret, Stat } from "../../system_calls.ts";
import type { BackingStore } from "../memory/backing_store.ts";

/** Access to the host's files. */
export interface Host {
  /** Takes `host_fd` over. The result owns it; when the result is an errno, `host_fd` has been closed. */
  adopt(host_fd: number): HostFile | Ret;
  /**
   * Creates a host memfd with the name, mode, contents and position of a file of the model. From then on the model uses
   * that memfd instead of its own frames, so that both sides see one file. Seals are added last.
   */
  materialize(file: Leaving): HostFile | Ret;
}

/** A file of the model that is about to become a file of the host. */
export interface Leaving {
  readonly name: string;
  readonly size: bigint;
  readonly position: bigint;
  readonly seals: number;
  readonly mode: number;
  /** The flags for opening the host fd: O_RDONLY, O_WRONLY or O_RDWR, O_APPEND ... */
  readonly flags: number;
  /**
   * The store that holds the whole file from offset 0; undefined when there are several. When the host knows the store
   * as its own (a private copy from `survive`), it can hand the file out without copying. The model calls `release` of
   * the store afterwards, so the host must keep a reference.
   */
  readonly pages: BackingStore | undefined;
  /** Reads the contents, for copying. Offsets are bytes; holes read as zero. */
  read(offset: bigint, into: Uint8Array): void;
}

/** One open file description of the host. Its calls answer as the system calls of the same name do. */
export interface HostFile {
  /** `dev:ino`. The model gives two files with the same identity the same inode. */
  readonly identity: string;
  /** True for a regular file on tmpfs and for a memfd that is not hugetlb: the answer of `shmem_file()`. */
  readonly shmem: boolean;
  /** F_GETFL. */
  flags(): number;
  set_flags(flags: number): Ret;
  fstat(): Stat;
  /** The target of the link /proc/self/fd/N. */
  link(): string;
  read(into: Uint8Array): Ret;
  write(from: Uint8Array): Ret;
  pread(into: Uint8Array, offset: bigint): Ret;
  pwrite(from: Uint8Array, offset: bigint): Ret;
  lseek(offset: bigint, whence: number): bigint;
  ftruncate(length: bigint): Ret;
  fallocate(mode: number, offset: bigint, length: bigint): Ret;
  fchmod(mode: number): Ret;
  get_seals(): Ret;
  add_seals(seals: number): Ret;
  poll(events: number): Ret;
  /** Whether a process of the host has the inode open for writing, as far as the host tells. */
  open_for_writing(): boolean;
  /**
   * The pages of this file's inode from offset 0, including holes, for as long as the model preserves the file. The
   * store does not depend on this description, which may be closed before the store is released. Undefined: the host has no free
   * file descriptor for it.
   */
  pages(): BackingStore | undefined;
  /** Another description of the same inode, as opening /proc/self/fd/N gives. */
  reopen(flags: number): HostFile | Ret;
  /** A host fd of this same description. The caller closes it. */
  dup(): Ret;
  close(): void;
}
