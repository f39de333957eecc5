/** A process of the model: the seam (`lib/system_calls.ts`), each call against its own fd table. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import { ProcessKilled, type Received, type Ret, type SystemCalls } from "../../system_calls.ts";
import type { Stat, UserPointer, Utsname } from "../../system_calls.ts";
import { do_fcntl } from "../fs/fcntl.ts";
import { FdTable } from "../fs/fd_table.ts";
import type { OpenFile } from "../fs/file.ts";
import { generic_ioctl } from "../fs/ioctl.ts";
import { load_image } from "./kexec.ts";
import { Mappings, MemoryFault } from "./mappings.ts";
import { memfd_create } from "../fs/memfd_create.ts";
import { pidfd_file, pidfd_target, PidfdInode } from "./pidfd.ts";
import { make_pipe } from "../fs/pipe.ts";
import { vfs_fallocate, vfs_ftruncate, vfs_lseek, vfs_read, vfs_write } from "../fs/read_write.ts";
import { make_socketpair, SCM_MAX_FD, socket_of } from "../fs/socket.ts";
import type { System } from "./system.ts";
import { vfs_change, vfs_open, vfs_readlink } from "./vfs.ts";

const POLLNVAL = 0x20;
const PIDFD_FLAGS = abi.O_NONBLOCK | abi.O_EXCL;

export class Process implements SystemCalls {
  readonly fds: FdTable;
  readonly pidfd_inode: PidfdInode;
  readonly #mappings = new Mappings();
  #system: System | undefined;

  constructor(system: System, readonly pid: number, readonly uid: number, nofile: number) {
    this.#system = system;
    this.fds = new FdTable(nofile);
    this.pidfd_inode = new PidfdInode(system.new_ino());
  }

  /** Every call comes through here: a process that is gone makes none. @throws ProcessKilled */
  get system(): System {
    if (this.#system === undefined) throw new ProcessKilled(`Process ${this.pid} is gone`);
    return this.#system;
  }

  #alive(): void {
    if (this.ended) throw new ProcessKilled(`Process ${this.pid} is gone`);
  }

  get ended(): boolean {
    return this.#system === undefined;
  }

  /** exit(2), or a signal: mappings and fds are released as the kernel does it. */
  exit(): void {
    if (this.#system === undefined) return;
    this.#mappings.unmap_all();
    this.fds.close_all();
    this.#system.processes.delete(this.pid);
    this.#system = undefined;
  }

  [Symbol.dispose](): void {
    this.exit();
  }

  /** The machine is reset under it: nothing is released, and nothing of its kernel stays reachable from here. */
  forget(): void {
    this.#mappings.forget();
    this.fds.forget();
    this.#system = undefined;
  }

  #file(fd: number): OpenFile | undefined {
    this.#alive();
    return this.fds.get(fd);
  }

  #install(file: OpenFile | Ret, cloexec: boolean): Ret {
    return typeof file === "number" ? file : this.fds.install_or_put(file, cloexec);
  }

  open(path: string, flags: number, mode = 0): Ret {
    this.#alive();
    const fd = this.fds.unused();
    if (fd < 0) return fd;
    return this.#install(vfs_open(this, path, flags, mode), (flags & abi.O_CLOEXEC) !== 0);
  }

  close(fd: number): Ret {
    this.#alive();
    return this.fds.close(fd);
  }

  dup(fd: number): Ret {
    this.#alive();
    const file = this.fds.raw(fd);
    return file === undefined ? -Errno.EBADF : this.#install(file.get(), false);
  }

  fcntl(fd: number, command: number, argument = 0): Ret {
    this.#alive();
    return do_fcntl(this.fds, fd, command, argument);
  }

  ioctl(fd: number, request: number, argument: UserPointer): Ret {
    const file = this.#file(fd);
    if (file === undefined) return -Errno.EBADF;
    return generic_ioctl(this, fd, file, request, argument) ??
      file.operations.ioctl?.(this, file, request, argument) ?? -Errno.ENOTTY;
  }

  poll(fd: number, events: number): Ret {
    this.#alive();
    if (fd < 0) return 0;
    const file = this.fds.get(fd);
    if (file === undefined) return POLLNVAL;
    return file.operations.poll?.(file, events) ?? (events & (abi.POLLIN | abi.POLLOUT));
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
    this.#alive();
    return this.fds.raw(fd)?.inode.stat() ?? -Errno.EBADF;
  }

  mmap(length: bigint, prot: number, flags: number, fd: number, offset: bigint): bigint {
    return this.#mappings.mmap(length, prot, flags, this.#file(fd), offset);
  }

  munmap(address: bigint, length: bigint): Ret {
    this.#alive();
    return this.#mappings.munmap(address, length);
  }

  madvise(address: bigint, length: bigint, advice: number): Ret {
    this.#alive();
    return this.#mappings.madvise(address, length, advice);
  }

  load(address: bigint, into: Uint8Array): void {
    this.#alive();
    this.#access(() => this.#mappings.load(address, into));
  }

  store(address: bigint, from: Uint8Array): void {
    this.#alive();
    this.#access(() => this.#mappings.store(address, from));
  }

  /** A fault kills the process, as SIGSEGV and SIGBUS do. */
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
    this.#alive();
    const file = this.fds.raw(fd);
    if (file === undefined) return -Errno.ENOENT;
    return vfs_change(this, path, (fs, rest) => fs.link(file.inode, rest), () => -Errno.EXDEV);
  }

  readlink(path: string): string | Ret {
    return vfs_readlink(this, path);
  }

  pipe2(flags: number): [number, number] | Ret {
    if (flags & ~(abi.O_CLOEXEC | abi.O_NONBLOCK)) return -Errno.EINVAL;
    return this.#pair(make_pipe(this.system.new_ino(), this.uid, flags), (flags & abi.O_CLOEXEC) !== 0);
  }

  socketpair(): [number, number] | Ret {
    const ino = this.system.new_ino();
    this.system.new_ino();
    return this.#pair(make_socketpair(ino), true);
  }

  #pair([a, b]: [OpenFile, OpenFile], cloexec: boolean): [number, number] | Ret {
    const first = this.fds.install_or_put(a, cloexec);
    const second = this.fds.install_or_put(b, cloexec);
    if (second >= 0) return [first, second];
    if (first >= 0) this.fds.close(first);
    return -Errno.EMFILE;
  }

  sendmsg(fd: number, data: Uint8Array, fds: readonly number[]): Ret {
    const file = this.#file(fd);
    if (file === undefined) return -Errno.EBADF;
    const socket = socket_of(file);
    if (socket === undefined) return -Errno.ENOTSOCK;
    if (fds.length > SCM_MAX_FD) return -Errno.EINVAL;
    const files: OpenFile[] = [];
    for (const each of fds) {
      const sent = this.fds.raw(each);
      if (sent === undefined) return -Errno.EBADF;
      files.push(sent);
    }
    return socket.send(data, files);
  }

  recvmsg(fd: number, into: Uint8Array, max_fds: number): Received | Ret {
    const file = this.#file(fd);
    if (file === undefined) return -Errno.EBADF;
    const got = socket_of(file)?.receive(into) ?? -Errno.ENOTSOCK;
    if (typeof got === "number") return got;
    const fds: number[] = [];
    for (const file of got.files) {
      const number = fds.length < max_fds ? this.fds.install(file, true) : -Errno.EMFILE;
      // Those there is no room for are dropped (MSG_CTRUNC).
      if (number < 0) file.put();
      else fds.push(number);
    }
    return { bytes: got.bytes, fds };
  }

  getpid(): number {
    this.#alive();
    return this.pid;
  }

  pidfd_open(pid: number, flags: number): Ret {
    if (flags & ~PIDFD_FLAGS || pid <= 0) return -Errno.EINVAL;
    const target = this.system.processes.get(pid);
    if (target === undefined) return -Errno.ESRCH;
    return this.#install(pidfd_file(target, flags), true);
  }

  pidfd_getfd(pidfd: number, fd: number, flags: number): Ret {
    if (flags !== 0) return -Errno.EINVAL;
    const file = this.#file(pidfd);
    const target = file && pidfd_target(file);
    if (target === undefined) return -Errno.EBADF;
    if (target.ended) return -Errno.ESRCH;
    if (this.uid !== 0 && this.uid !== target.uid) return -Errno.EPERM;
    const got = target.fds.raw(fd);
    return got === undefined ? -Errno.EBADF : this.#install(got.get(), true);
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
    this.system.image = image;
    return 0;
  }

  reboot(command: number): Ret {
    if (this.uid !== 0) return -Errno.EPERM;
    const answer = this.system.reboot(command);
    // The machine went down under the call: it does not return.
    this.#alive();
    return answer;
  }

  uname(): Utsname {
    const { release } = this.system;
    return { sysname: "Linux", nodename: "model", release, version: "#1 SMP luo model", machine: "x86_64" };
  }

  sync(): void {
    this.#alive();
  }

  adopt(host_fd: number): Ret {
    return this.#install(this.system.host_files.adopt(host_fd), true);
  }

  expose(fd: number): Ret {
    const file = this.#file(fd);
    return file === undefined ? -Errno.EBADF : this.system.host_files.expose(file);
  }
}
