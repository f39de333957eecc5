/**
 * The seam: the system calls this job needs, as one process sees them. `lib/linux` forwards them to libc, `lib/model`
 * implements them in TypeScript, `lib/machine_process` carries them to a model in another process. Nothing above asks which it is.
 *
 * Every call returns what the kernel's own ABI returns: a value >= 0, or the errno negated. Nothing here throws for an error
 * of the call; `check` in `lib/error.ts` turns a negative answer into a typed error with operation and subject.
 */

import type { Received, Ret, Stat, UserPointer, Utsname } from "../ffi/abi/values.ts";

export type { Received, Ret, Stat, UserMemory, UserPointer, Utsname } from "../ffi/abi/values.ts";

export interface SystemCalls extends Disposable {
  open(path: string, flags: number, mode?: number): Ret;
  close(fd: number): Ret;
  dup(fd: number): Ret;
  fcntl(fd: number, command: number, argument?: number): Ret;
  ioctl(fd: number, request: number, argument: UserPointer): Ret;
  /** Zero timeout; the answer is `revents`. */
  poll(fd: number, events: number): Ret;

  memfd_create(name: string, flags: number): Ret;
  read(fd: number, into: Uint8Array): Ret;
  write(fd: number, from: Uint8Array): Ret;
  pread(fd: number, into: Uint8Array, offset: bigint): Ret;
  pwrite(fd: number, from: Uint8Array, offset: bigint): Ret;
  lseek(fd: number, offset: bigint, whence: number): bigint;
  ftruncate(fd: number, length: bigint): Ret;
  fallocate(fd: number, mode: number, offset: bigint, length: bigint): Ret;
  fchmod(fd: number, mode: number): Ret;
  fstat(fd: number): Stat | Ret;

  /** The address, or -errno. `load` and `store` are the process's own reads and writes of it. */
  mmap(length: bigint, prot: number, flags: number, fd: number, offset: bigint): bigint;
  munmap(address: bigint, length: bigint): Ret;
  madvise(address: bigint, length: bigint, advice: number): Ret;
  load(address: bigint, into: Uint8Array): void;
  store(address: bigint, from: Uint8Array): void;

  mkdir(path: string, mode: number): Ret;
  mkfifo(path: string, mode: number): Ret;
  unlink(path: string): Ret;
  /** linkat(2) of `/proc/self/fd/FD` with AT_SYMLINK_FOLLOW: gives an O_TMPFILE file a name. */
  link_fd(fd: number, path: string): Ret;
  /** Only what `/proc/self/fd/N` says is promised on the model. */
  readlink(path: string): string | Ret;

  pipe2(flags: number): [read: number, write: number] | Ret;
  /** AF_UNIX, SOCK_STREAM, O_CLOEXEC. */
  socketpair(): [number, number] | Ret;
  sendmsg(fd: number, data: Uint8Array, fds: readonly number[]): Ret;
  recvmsg(fd: number, into: Uint8Array, max_fds: number): Received | Ret;

  getpid(): number;
  pidfd_open(pid: number, flags: number): Ret;
  pidfd_getfd(pidfd: number, fd: number, flags: number): Ret;

  /** `cmdline_len` counts the NUL. */
  kexec_file_load(
    kernel_fd: number,
    initrd_fd: number,
    cmdline_len: bigint,
    cmdline: UserPointer,
    flags: bigint,
  ): Ret;
  /** Success of LINUX_REBOOT_CMD_KEXEC does not return; on the model it throws `ProcessKilled`, like every later call. */
  reboot(command: number): Ret;
  uname(): Utsname;
  sync(): void;

  /**
   * A file of the host enters: the answer is an fd of this kernel for the same open file description. The caller's
   * `host_fd` is taken over (closed, or the same fd). The identity on Linux; -ENOSYS on a model that has no host.
   */
  adopt(host_fd: number): Ret;
  /** The other way: an fd of the host, the caller's to close, for the open file description behind `fd`. A dup on Linux. */
  expose(fd: number): Ret;
}

/** Thrown by a model's calls once their process is gone: killed, or its machine rebooted. Nobody catches it but the process's host. */
export class ProcessKilled extends Error {
  override readonly name = "ProcessKilled";
}
