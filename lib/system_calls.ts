/**
 * The seam: the system calls that luo needs, as one process sees them. `lib/linux` forwards the calls to libc, `lib/model`
 * implements them in TypeScript, `lib/machine_process` carries them to a model in another process. The code above does not ask
 * which of the three it uses.
 *
 * Every call returns what the kernel's own ABI returns: a value >= 0, or the errno negated. A failed call does not throw;
 * `check` in `lib/error.ts` turns a negative answer into a typed error with operation and subject.
 */

import type { Received, Ret, Stat, UserPointer, Utsname } from "../ffi/abi/values.ts";

export type { Received, Ret, Stat, UserMemory, UserPointer, Utsname } from "../ffi/abi/values.ts";

/** The system calls of one process. Disposing of them ends the process on the model, and does nothing on Linux. */
export interface SystemCalls extends Disposable {
  /** open(2), with the flags of x86-64. */
  open(path: string, flags: number, mode?: number): Ret;
  /** close(2). */
  close(fd: number): Ret;
  /** dup(2): the copy has no FD_CLOEXEC. */
  dup(fd: number): Ret;
  /** fcntl(2): the commands of `ffi/abi/fcntl.ts`. */
  fcntl(fd: number, command: number, argument?: number): Ret;
  /** ioctl(2). */
  ioctl(fd: number, request: number, argument: UserPointer): Ret;
  /** poll(2) of one fd without waiting: the answer is `revents`. */
  poll(fd: number, events: number): Ret;

  /** memfd_create(2). */
  memfd_create(name: string, flags: number): Ret;
  /** read(2). */
  read(fd: number, into: Uint8Array): Ret;
  /** write(2). */
  write(fd: number, from: Uint8Array): Ret;
  /** pread(2). */
  pread(fd: number, into: Uint8Array, offset: bigint): Ret;
  /** pwrite(2). */
  pwrite(fd: number, from: Uint8Array, offset: bigint): Ret;
  /** lseek(2): the new position. */
  lseek(fd: number, offset: bigint, whence: number): bigint;
  /** ftruncate(2). */
  ftruncate(fd: number, length: bigint): Ret;
  /** fallocate(2). */
  fallocate(fd: number, mode: number, offset: bigint, length: bigint): Ret;
  /** fchmod(2). */
  fchmod(fd: number, mode: number): Ret;
  /** fstat(2). */
  fstat(fd: number): Stat | Ret;

  /** mmap(2): the address, or -errno. `load` and `store` read and write there. */
  mmap(length: bigint, prot: number, flags: number, fd: number, offset: bigint): bigint;
  /** munmap(2). */
  munmap(address: bigint, length: bigint): Ret;
  /** madvise(2). */
  madvise(address: bigint, length: bigint, advice: number): Ret;
  /** Reads the process's own memory. */
  load(address: bigint, into: Uint8Array): void;
  /** Writes the process's own memory. */
  store(address: bigint, from: Uint8Array): void;

  /** mkdir(2). */
  mkdir(path: string, mode: number): Ret;
  /** mkfifo(3). */
  mkfifo(path: string, mode: number): Ret;
  /** unlink(2). */
  unlink(path: string): Ret;
  /** linkat(2) of `/proc/self/fd/FD` with AT_SYMLINK_FOLLOW: gives an O_TMPFILE file a name. */
  link_fd(fd: number, path: string): Ret;
  /** readlink(2). On the model only the links `/proc/self/fd/N` can be read. */
  readlink(path: string): string | Ret;

  /** pipe2(2). */
  pipe2(flags: number): [read: number, write: number] | Ret;
  /** socketpair(2): AF_UNIX, SOCK_STREAM, O_CLOEXEC. */
  socketpair(): [number, number] | Ret;
  /** sendmsg(2), with `fds` in one SCM_RIGHTS message. */
  sendmsg(fd: number, data: Uint8Array, fds: readonly number[]): Ret;
  /** recvmsg(2), with room for `max_fds` fds. */
  recvmsg(fd: number, into: Uint8Array, max_fds: number): Received | Ret;

  /** getpid(2). */
  getpid(): number;
  /** pidfd_open(2). */
  pidfd_open(pid: number, flags: number): Ret;
  /** pidfd_getfd(2). */
  pidfd_getfd(pidfd: number, fd: number, flags: number): Ret;

  /** kexec_file_load(2). `cmdline_len` counts the NUL. */
  kexec_file_load(
    kernel_fd: number,
    initrd_fd: number,
    cmdline_len: bigint,
    cmdline: UserPointer,
    flags: bigint,
  ): Ret;
  /**
   * reboot(2). LINUX_REBOOT_CMD_KEXEC returns only when it fails. On the model its success throws `ProcessKilled`, and so does
   * every later call.
   */
  reboot(command: number): Ret;
  /** uname(2). */
  uname(): Utsname;
  /** sync(2). */
  sync(): void;

  /**
   * Brings a file of the host into this kernel: the answer is an fd of this kernel for the same open file description.
   * `host_fd` belongs to this kernel afterwards. On Linux the answer is `host_fd` itself. A model without a host answers
   * -ENOSYS.
   */
  adopt(host_fd: number): Ret;
  /** The opposite of `adopt`: a new fd of the host for the open file description of `fd`. The caller closes it. On Linux a dup. */
  expose(fd: number): Ret;
}

/**
 * The model throws this from every call of a process that has ended, by a kill or by a reboot of its machine. Only the code
 * that started the process catches it.
 */
export class ProcessKilled extends Error {
  /** Tells this error from others across modules. */
  override readonly name = "ProcessKilled";
}
