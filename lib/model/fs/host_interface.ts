/**
 * What `lib/machine_process` plugs into a model so that files of the host can enter it (`SystemCalls.adopt`) and files of the model can leave
 * it (`SystemCalls.expose`). Host fds are numbers of the process the model runs in. A model without a host answers -ENOSYS to both.
 */
import type { Ret, Stat } from "../../system_calls.ts";
import type { BackingStore } from "../memory/backing_store.ts";

export interface Host {
  /** Takes `host_fd` over: the answer owns it (or closed it, when it is an errno). */
  adopt(host_fd: number): HostFile | Ret;
  /**
   * A file of the model's own is to leave it: the host makes a memfd of the same name, mode, contents and position. From then
   * on the model uses that memfd instead of the frames it had, so both sides see one file. Seals are added last.
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
  /** O_RDONLY, O_WRONLY or O_RDWR, O_APPEND ...: what the host fd is to be opened with. */
  readonly flags: number;
  /**
   * The one store that holds the whole file from offset 0, when there is just one: a host that knows it as its own (a private
   * copy it made in `survive`) can hand it out without copying. Its `release` comes afterwards: keep a reference of your own.
   */
  readonly pages: BackingStore | undefined;
  /** The contents, for copying. Offsets are bytes; holes read as zero. */
  read(offset: bigint, into: Uint8Array): void;
}

/** One open file description of the host. Calls answer like the system calls of the same name. */
export interface HostFile {
  /** `dev:ino`: two files with the same identity are the same inode to the model. */
  readonly identity: string;
  /** A regular file on tmpfs or a memfd, not hugetlb: what `shmem_file()` says. */
  readonly shmem: boolean;
  /** F_GETFL. */
  flags(): number;
  set_flags(flags: number): Ret;
  fstat(): Stat;
  /** What /proc/self/fd/N says. */
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
  /**
   * The pages of this file's inode from offset 0, holes and all, for as long as the model preserves it. Independent of this
   * description: it may be closed before `release` of the pages.
   */
  pages(): BackingStore;
  /** Another description of the same inode, as opening /proc/self/fd/N would give. */
  reopen(flags: number): HostFile | Ret;
  /** A host fd of this very description, the caller's to close. */
  dup(): Ret;
  close(): void;
}
