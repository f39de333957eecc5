/** An open file of the host inside the model: the host does every operation, on its own file. */
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { TMPFS_MAGIC } from "../../ffi/abi/stat.ts";
import { poll } from "../../ffi/epoll.ts";
import * as file from "../../ffi/file.ts";
import { hostAvailableMemory } from "../files/free_memory.ts";
import { isOpenForWriting } from "../files/open_for_writing.ts";
import type { Ret, Stat } from "../system_calls.ts";
import type { HostFile } from "../model/fs/host_interface.ts";
import { HostPages } from "./host_pages.ts";

const NO_STAT: Stat = { dev: 0n, ino: 0n, mode: 0, nlink: 0, uid: 0, size: 0n, blocks: 0n };

/** One open file description of the host. */
export class LinuxHostFile implements HostFile {
  readonly identity: string;
  readonly shmem: boolean;
  readonly #regular: boolean;

  /** Owns `fd` from now on. Calls `closed` when the file is closed. */
  constructor(readonly fd: number, readonly closed: (file: LinuxHostFile) => void) {
    const { dev, ino, mode } = this.fstat();
    this.identity = `${dev}:${ino}`;
    this.#regular = (mode & abi.S_IFMT) === abi.S_IFREG;
    // The magic number of tmpfs, also of the kernel's internal tmpfs for memfds. hugetlbfs has another one.
    this.shmem = this.#regular && file.fstatfs_type(fd) === TMPFS_MAGIC;
  }

  flags(): number {
    return file.fcntl(this.fd, abi.F_GETFL);
  }

  set_flags(flags: number): Ret {
    return file.fcntl(this.fd, abi.F_SETFL, flags);
  }

  fstat(): Stat {
    const stat = file.fstat(this.fd);
    return typeof stat === "number" ? NO_STAT : stat;
  }

  link(): string {
    const link = file.readlink(`/proc/self/fd/${this.fd}`);
    return typeof link === "string" ? link : "";
  }

  read(into: Uint8Array): Ret {
    return this.#ready(abi.POLLIN) ? file.read(this.fd, into) : -Errno.EAGAIN;
  }

  write(from: Uint8Array): Ret {
    return this.#ready(abi.POLLOUT) ? file.write(this.fd, from) : -Errno.EAGAIN;
  }

  pread(into: Uint8Array, offset: bigint): Ret {
    return file.pread(this.fd, into, offset);
  }

  pwrite(from: Uint8Array, offset: bigint): Ret {
    return file.pwrite(this.fd, from, offset);
  }

  lseek(offset: bigint, whence: number): bigint {
    return file.lseek(this.fd, offset, whence);
  }

  ftruncate(length: bigint): Ret {
    return file.ftruncate(this.fd, length);
  }

  fallocate(mode: number, offset: bigint, length: bigint): Ret {
    return file.fallocate(this.fd, mode, offset, length);
  }

  fchmod(mode: number): Ret {
    return file.fchmod(this.fd, mode);
  }

  get_seals(): Ret {
    return file.fcntl(this.fd, abi.F_GET_SEALS);
  }

  add_seals(seals: number): Ret {
    return file.fcntl(this.fd, abi.F_ADD_SEALS, seals);
  }

  poll(events: number): Ret {
    return poll(this.fd, events, 0);
  }

  /** Asks with a lease, which belongs to an open file description. A new description leaves leases on `fd` alone. */
  open_for_writing(): boolean {
    const fd = file.open(`/proc/self/fd/${this.fd}`, abi.O_RDONLY | abi.O_CLOEXEC);
    if (fd < 0) return false;
    const answer = isOpenForWriting(fd);
    file.close(fd);
    return answer;
  }

  /** Fills the holes of the file, as PRESERVE_FD does on Linux. */
  pages(): HostPages | undefined {
    const fd = this.#forReadingAndWriting();
    if (fd < 0) return undefined;
    this.#fill(fd);
    return new HostPages(fd, false);
  }

  reopen(flags: number): LinuxHostFile | Ret {
    const fd = file.open(`/proc/self/fd/${this.fd}`, flags | abi.O_CLOEXEC);
    return fd < 0 ? fd : new LinuxHostFile(fd, this.closed);
  }

  dup(): Ret {
    return file.dup_cloexec(this.fd);
  }

  close(): void {
    file.close(this.fd);
    this.closed(this);
  }

  /** A call that blocks would stop the whole machine, so a read or write needs a pipe or socket that is ready. */
  #ready(events: number): boolean {
    return this.#regular || poll(this.fd, events, 0) !== 0;
  }

  /**
   * A description that can read and write at an offset, where the host allows this: the model also reads a file that is open
   * write-only. An open is an event for those who watch the file, and on Linux PRESERVE_FD opens nothing.
   */
  #forReadingAndWriting(): Ret {
    const able = (this.flags() & (abi.O_ACCMODE | abi.O_APPEND)) === abi.O_RDWR;
    const same = able ? this.dup() : -1;
    if (same >= 0) return same;
    for (const flags of [abi.O_RDWR, abi.O_RDONLY]) {
      const fd = file.open(`/proc/self/fd/${this.fd}`, flags | abi.O_CLOEXEC);
      if (fd >= 0) return fd;
    }
    return this.dup();
  }

  /** Leaves a sparse file alone that could exhaust the memory of the host. A hole reads as zero, so no data is lost. */
  #fill(fd: number): void {
    const { size, blocks } = this.fstat();
    const missing = size - blocks * 512n;
    if (missing > 0n && missing <= (hostAvailableMemory() ?? 0n) / 2n) file.fallocate(fd, 0, 0n, size);
  }
}
