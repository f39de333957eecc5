/** The seam on Linux: forwards every system call to libc. On a host without LUO, open of the device gives Linux's -ENOENT. */
import { SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { poll } from "../../ffi/epoll.ts";
import * as file from "../../ffi/file.ts";
import * as memory from "../../ffi/memory.ts";
import * as process from "../../ffi/process.ts";
import * as socket from "../../ffi/socket.ts";
import * as system from "../../ffi/system.ts";
import type { SystemCalls } from "../system_calls.ts";

/** The system calls of this process, made by Linux. Needs `--allow-ffi`. `Symbol.dispose` does nothing. */
export function linux(): SystemCalls {
  return LINUX;
}

const LINUX: SystemCalls = {
  open: file.open,
  close: file.close,
  dup: file.dup,
  fcntl: file.fcntl,
  ioctl: system.ioctl,
  poll: (fd, events) => poll(fd, events, 0),

  memfd_create: file.memfd_create,
  read: file.read,
  write: file.write,
  pread: file.pread,
  pwrite: file.pwrite,
  lseek: file.lseek,
  ftruncate: file.ftruncate,
  fallocate: file.fallocate,
  fchmod: file.fchmod,
  fstat: file.fstat,

  mmap: memory.mmap,
  munmap: memory.munmap,
  madvise: memory.madvise,
  load: memory.load,
  store: memory.store,

  mkdir: file.mkdir,
  mkfifo: file.mkfifo,
  unlink: file.unlink,
  link_fd: file.link_fd,
  readlink: file.readlink,

  pipe2: file.pipe2,
  socketpair: () => socket.socketpair(SOCK_STREAM),
  sendmsg: (fd, data, fds) => socket.sendmsg(fd, data, fds),
  recvmsg: (fd, into, max_fds) => socket.recvmsg(fd, into, max_fds),

  getpid: process.getpid,
  pidfd_open: process.pidfd_open,
  pidfd_getfd: process.pidfd_getfd,

  kexec_file_load: system.kexec_file_load,
  reboot: system.reboot,
  uname: system.uname,
  sync: system.sync,

  adopt: (host_fd) => host_fd,
  expose: file.dup_cloexec,

  [Symbol.dispose]: () => {},
};
