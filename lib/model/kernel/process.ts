/** A process of the model: the system calls of the seam (`lib/system_calls.ts`), each on the process's own fd table. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_ON_CRASH } from "../../../ffi/abi/kexec.ts";
import { ProcessKilled, type Received, type Ret, type SystemCalls } from "../../system_calls.ts";
import type { Stat, UserPointer, Utsname } from "../../system_calls.ts";
import { do_fcntl } from "../fs/fcntl.ts";
import type { OpenFile } from "../fs/file.ts";
import { generic_ioctl } from "../fs/generic_ioctl.ts";
import { load_image } from "./kexec.ts";
import { MemoryFault } from "./mappings.ts";
import { memfd_create } from "../fs/memfd_create.ts";
import { do_pidfd_getfd, do_pidfd_open } from "./pidfd.ts";
import { make_pipe } from "../fs/pipe.ts";
import { vfs_fallocate, vfs_ftruncate, vfs_lseek, vfs_read, vfs_write } from "../fs/read_write.ts";
import { make_socketpair } from "../fs/socket.ts";
import { do_recvmsg, do_sendmsg } from "../fs/socket_messages.ts";
import { Task } from "./task.ts";
import { vfs_change, vfs_open, vfs_readlink } from "./vfs.ts";

const POLLNVAL = 0x20;
/** POLLIN, POLLOUT, POLLRDNORM and POLLWRNORM: of files without a poll of their own (include/linux/poll.h). */
const DEFAULT_POLLMASK = 0x145;

export class Process extends Task implements SystemCalls {
  #file(fd: number): OpenFile | undefined {
    this.check_alive();
    return this.fds.get(fd);
  }

  #install(file: OpenFile | Ret, cloexec: boolean): Ret {
    return typeof file === "number" ? file : this.fds.install_or_put(file, cloexec);
  }

  open(path: string, flags: number, mode = 0): Ret {
    this.check_alive();
    const fd = this.fds.unused();
    if (fd < 0) return fd;
    return this.#install(vfs_open(this, path, flags, mode), (flags & abi.O_CLOEXEC) !== 0);
  }

  close(fd: number): Ret {
    this.check_alive();
    return this.fds.close(fd);
  }

  dup(fd: number): Ret {
    this.check_alive();
    const file = this.fds.raw(fd);
    return file === undefined ? -Errno.EBADF : this.#install(file.get(), false);
  }

  fcntl(fd: number, command: number, argument = 0): Ret {
    this.check_alive();
    return do_fcntl(this.fds, fd, command, argument);
  }

  ioctl(fd: number, request: number, argument: UserPointer): Ret {
    const file = this.#file(fd);
    if (file === undefined) return -Errno.EBADF;
    return generic_ioctl(this, fd, file, request, argument) ??
      file.operations.ioctl?.(this, file, request, argument) ?? -Errno.ENOTTY;
  }

  poll(fd: number, events: number): Ret {
    this.check_alive();
    if (fd < 0) return 0;
    const file = this.fds.get(fd);
    if (file === undefined) return POLLNVAL;
    return file.operations.poll?.(file, events) ?? (events & DEFAULT_POLLMASK);
  }

  memfd_create(name: string, flags: number): Ret {
    const { hardware: { ram } } = this.system;
    const file = memfd_create(ram, () => this.system.new_ino(), this.uid, name, flags, this.fds);
    return this.#install(file, (flags & abi.MFD_CLOEXEC) !== 0);
  }

  read(fd: number, into: Uint8Array): Ret {
    return vfs_read(this.#file(fd), into);
  }

  write(fd: number, from: Uint8Array): Ret {
    return vfs_write(this.#file(fd), from);
  }

  pread(fd: number, into: Uint8Array, offset: bigint): Ret {
    return vfs_read(this.#file(fd), into, offset);
  }

  pwrite(fd: number, from: Uint8Array, offset: bigint): Ret {
    return vfs_write(this.#file(fd), from, offset);
  }

  lseek(fd: number, offset: bigint, whence: number): bigint {
    return vfs_lseek(this.#file(fd), offset, whence);
  }

  ftruncate(fd: number, length: bigint): Ret {
    return vfs_ftruncate(this.#file(fd), length);
  }

  fallocate(fd: number, mode: number, offset: bigint, length: bigint): Ret {
    return vfs_fallocate(this.#file(fd), mode, offset, length);
  }

  fchmod(fd: number, mode: number): Ret {
    const file = this.#file(fd);
    if (file === undefined) return -Errno.EBADF;
    return file.inode.fchmod?.(mode & 0o7777) ?? -Errno.EOPNOTSUPP;
  }

  fstat(fd: number): Stat | Ret {
    this.check_alive();
    return this.fds.raw(fd)?.inode.stat() ?? -Errno.EBADF;
  }

  mmap(length: bigint, prot: number, flags: number, fd: number, offset: bigint): bigint {
    return this.mappings.mmap(length, prot, flags, this.#file(fd), offset);
  }

  munmap(address: bigint, length: bigint): Ret {
    this.check_alive();
    return this.mappings.munmap(address, length);
  }

  madvise(address: bigint, length: bigint, advice: number): Ret {
    this.check_alive();
    return this.mappings.madvise(address, length, advice);
  }

  load(address: bigint, into: Uint8Array): void {
    this.check_alive();
    this.#access(() => this.mappings.load(address, into));
  }

  store(address: bigint, from: Uint8Array): void {
    this.check_alive();
    this.#access(() => this.mappings.store(address, from));
  }

  /** Runs an access to memory. A fault kills the process, as SIGSEGV and SIGBUS do. */
  #access(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error;
      this.exit();
      throw new ProcessKilled(`Process ${this.pid} was killed: ${error.message}`);
    }
  }

  mkdir(path: string, mode: number): Ret {
    const { disk } = this.system.disk;
    return vfs_change(this, path, (fs, rest) => fs.mkdir(rest, mode, this.uid), (at) => disk.mkdir(at, mode));
  }

  mkfifo(path: string, mode: number): Ret {
    return vfs_change(this, path, (fs, rest) => fs.mkfifo(rest, mode, this.uid), () => -Errno.EPERM);
  }

  unlink(path: string): Ret {
    return vfs_change(this, path, (fs, rest) => fs.unlink(rest), (at) => this.system.disk.disk.unlink(at));
  }

  link_fd(fd: number, path: string): Ret {
    this.check_alive();
    const file = this.fds.raw(fd);
    if (file === undefined) return -Errno.ENOENT;
    return vfs_change(this, path, (fs, rest) => fs.link(file.inode, rest), () => -Errno.EXDEV);
  }

  readlink(path: string): string | Ret {
    return vfs_readlink(this, path);
  }

  pipe2(flags: number): [number, number] | Ret {
    if (flags & ~(abi.O_CLOEXEC | abi.O_NONBLOCK)) return -Errno.EINVAL;
    return this.fds.install_pair(
      make_pipe(this.system.new_ino(), this.uid, flags),
      (flags & abi.O_CLOEXEC) !== 0,
    );
  }

  socketpair(): [number, number] | Ret {
    const ino = this.system.new_ino();
    this.system.new_ino();
    return this.fds.install_pair(make_socketpair(ino), true);
  }

  sendmsg(fd: number, data: Uint8Array, fds: readonly number[]): Ret {
    return do_sendmsg(this.fds, this.#file(fd), data, fds);
  }

  recvmsg(fd: number, into: Uint8Array, max_fds: number): Received | Ret {
    return do_recvmsg(this.fds, this.#file(fd), into, max_fds);
  }

  getpid(): number {
    this.check_alive();
    return this.pid;
  }

  pidfd_open(pid: number, flags: number): Ret {
    return this.#install(do_pidfd_open(this.system.processes, pid, flags), true);
  }

  pidfd_getfd(pidfd: number, fd: number, flags: number): Ret {
    return this.#install(do_pidfd_getfd(this.#file(pidfd), fd, flags, this.uid), true);
  }

  kexec_file_load(
    kernel_fd: number,
    initrd_fd: number,
    cmdline_len: bigint,
    cmdline: UserPointer,
    flags: bigint,
  ): Ret {
    const image = load_image(this, { kernel_fd, initrd_fd, cmdline_len, cmdline, flags });
    if (typeof image === "number") return image;
    if (flags & BigInt(KEXEC_FILE_ON_CRASH)) this.system.crash.loaded = image !== undefined;
    else this.system.image = image;
    return 0;
  }

  reboot(command: number): Ret {
    if (this.uid !== 0) return -Errno.EPERM;
    const answer = this.system.reboot(command);
    // When the machine went down, the process has ended and the call does not return.
    this.check_alive();
    return answer;
  }

  uname(): Utsname {
    const { release, hardware: { architecture: machine } } = this.system;
    return { sysname: "Linux", nodename: "model", release, version: "#1 SMP luo model", machine };
  }

  sync(): void {
    this.check_alive();
  }

  adopt(host_fd: number): Ret {
    return this.#install(this.system.host_files.adopt(host_fd), true);
  }

  expose(fd: number): Ret {
    const file = this.#file(fd);
    return file === undefined ? -Errno.EBADF : this.system.host_files.expose(file);
  }
}
