/** The client's side of the machine: a `SystemCalls` whose calls a process of the machine makes. */
import { Errno } from "../../ffi/abi/errno.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { unix_connect } from "../../ffi/socket.ts";
import { check, LuoError } from "../error.ts";
import {
  ProcessKilled,
  type Received,
  type Ret,
  type Stat,
  type SystemCalls,
  type UserPointer,
  type Utsname,
} from "../system_calls.ts";
import * as values from "./json_values.ts";
import { MachineConnection } from "./machine_connection.ts";

type Json = values.Json;

/** How long a new process waits for a machine that is stopped, or busy with a kexec. */
const HELLO_MS = 60_000;

/**
 * Starts a process of the machine that listens at `path`. `Symbol.dispose` ends the process, a kexec of the machine ends it, and so
 * does the end of this host process, which kills it. Afterwards every call throws `ProcessKilled`. Calls block.
 *
 * @throws LuoError `connect`: ENOENT (no machine), ECONNREFUSED (the socket of a dead machine), EACCES, ENAMETOOLONG, EPROTO
 * (another version of luo), ETIMEDOUT (no answer within `hello_ms`)
 */
export function connectMachine(path: string, hello_ms = HELLO_MS): SystemCalls {
  const socket = check(unix_connect(path, SOCK_SEQPACKET), "connect", `machine at "${path}"`);
  const connection = new MachineConnection(socket);
  try {
    const pid = check(connection.hello(hello_ms), "connect", `machine at "${path}"`);
    return new RemoteSystemCalls(connection, pid);
  } catch (error) {
    connection.goodbye();
    // The machine has hung up: it is powering off, or it does not serve this user.
    if (error instanceof ProcessKilled) {
      throw new LuoError("connect", `machine at "${path}"`, Errno.ECONNREFUSED);
    }
    throw error;
  }
}

class RemoteSystemCalls implements SystemCalls {
  constructor(readonly connection: MachineConnection, readonly pid: number) {}

  open(path: string, flags: number, mode = 0): Ret {
    return this.#number("open", path, flags, mode);
  }
  close(fd: number): Ret {
    return this.#number("close", fd);
  }
  dup(fd: number): Ret {
    return this.#number("dup", fd);
  }
  fcntl(fd: number, command: number, argument = 0): Ret {
    return this.#number("fcntl", fd, command, argument);
  }
  ioctl(fd: number, request: number, argument: UserPointer): Ret {
    const { ret, out } = this.connection.call("ioctl", [fd, request >>> 0, values.fromPointer(argument)]);
    values.pointee(argument)?.set(out);
    return values.int(ret);
  }
  poll(fd: number, events: number): Ret {
    return this.#number("poll", fd, events);
  }

  memfd_create(name: string, flags: number): Ret {
    return this.#number("memfd_create", name, flags);
  }
  read(fd: number, into: Uint8Array): Ret {
    return this.#fill(into, "read", fd, lengthOf(into));
  }
  write(fd: number, from: Uint8Array): Ret {
    return this.#number("write", fd, base64(from));
  }
  pread(fd: number, into: Uint8Array, offset: bigint): Ret {
    return this.#fill(into, "pread", fd, lengthOf(into), `${offset}`);
  }
  pwrite(fd: number, from: Uint8Array, offset: bigint): Ret {
    return this.#number("pwrite", fd, base64(from), `${offset}`);
  }
  lseek(fd: number, offset: bigint, whence: number): bigint {
    return values.big(this.connection.call("lseek", [fd, `${offset}`, whence]).ret);
  }
  ftruncate(fd: number, length: bigint): Ret {
    return this.#number("ftruncate", fd, `${length}`);
  }
  fallocate(fd: number, mode: number, offset: bigint, length: bigint): Ret {
    return this.#number("fallocate", fd, mode, `${offset}`, `${length}`);
  }
  fchmod(fd: number, mode: number): Ret {
    return this.#number("fchmod", fd, mode);
  }
  fstat(fd: number): Stat | Ret {
    return values.toStat(this.connection.call("fstat", [fd]).ret);
  }

  mmap(length: bigint, prot: number, flags: number, fd: number, offset: bigint): bigint {
    return values.big(this.connection.call("mmap", [`${length}`, prot, flags, fd, `${offset}`]).ret);
  }
  munmap(address: bigint, length: bigint): Ret {
    return this.#number("munmap", `${address}`, `${length}`);
  }
  madvise(address: bigint, length: bigint, advice: number): Ret {
    return this.#number("madvise", `${address}`, `${length}`, advice);
  }
  load(address: bigint, into: Uint8Array): void {
    inPieces(
      into,
      (piece, at) => piece.set(this.connection.call("load", [`${address + at}`, piece.length]).out),
    );
  }
  store(address: bigint, from: Uint8Array): void {
    inPieces(from, (piece, at) => this.connection.call("store", [`${address + at}`, base64(piece)]));
  }

  mkdir(path: string, mode: number): Ret {
    return this.#number("mkdir", path, mode);
  }
  mkfifo(path: string, mode: number): Ret {
    return this.#number("mkfifo", path, mode);
  }
  unlink(path: string): Ret {
    return this.#number("unlink", path);
  }
  link_fd(fd: number, path: string): Ret {
    return this.#number("link_fd", fd, path);
  }
  readlink(path: string): string | Ret {
    const { ret } = this.connection.call("readlink", [path]);
    return typeof ret === "string" ? ret : values.int(ret);
  }

  pipe2(flags: number): [number, number] | Ret {
    return values.toPair(this.connection.call("pipe2", [flags]).ret);
  }
  socketpair(): [number, number] | Ret {
    return values.toPair(this.connection.call("socketpair", []).ret);
  }
  sendmsg(fd: number, data: Uint8Array, fds: readonly number[]): Ret {
    return this.#number("sendmsg", fd, base64(data), [...fds]);
  }
  recvmsg(fd: number, into: Uint8Array, max_fds: number): Received | Ret {
    const { ret, out } = this.connection.call("recvmsg", [fd, lengthOf(into), max_fds]);
    into.set(out);
    return values.toReceived(ret);
  }

  getpid(): number {
    return this.pid;
  }
  pidfd_open(pid: number, flags: number): Ret {
    return this.#number("pidfd_open", pid, flags);
  }
  pidfd_getfd(pidfd: number, fd: number, flags: number): Ret {
    return this.#number("pidfd_getfd", pidfd, fd, flags);
  }

  kexec_file_load(
    kernel_fd: number,
    initrd_fd: number,
    cmdline_len: bigint,
    cmdline: UserPointer,
    flags: bigint,
  ): Ret {
    const pointer = values.fromPointer(cmdline);
    return this.#number("kexec_file_load", kernel_fd, initrd_fd, `${cmdline_len}`, pointer, `${flags}`);
  }
  reboot(command: number): Ret {
    return this.#number("reboot", command >>> 0);
  }
  uname(): Utsname {
    return values.toUtsname(this.connection.call("uname", []).ret);
  }
  sync(): void {
    this.connection.call("sync", []);
  }

  adopt(host_fd: number): Ret {
    try {
      return values.int(this.connection.call("adopt", [], [host_fd]).ret);
    } finally {
      close(host_fd);
    }
  }

  expose(fd: number): Ret {
    const { ret, fds } = this.connection.call("expose", [fd]);
    const answer = values.int(ret);
    if (answer < 0) return answer;
    // The machine sent an fd. The kernel dropped it because this process has no free fd.
    return fds[0] ?? -Errno.EMFILE;
  }

  /** The process ends by itself. Its fds are closed when this returns, and an idle machine powers off. */
  [Symbol.dispose](): void {
    this.connection.goodbye();
  }

  #number(call: string, ...args: Json[]): number {
    return values.int(this.connection.call(call, args).ret);
  }

  #fill(into: Uint8Array, call: string, ...args: Json[]): number {
    const { ret, out } = this.connection.call(call, args);
    into.set(out);
    return values.int(ret);
  }
}

function lengthOf(into: Uint8Array): number {
  return Math.min(into.length, values.BYTES_MAX);
}

/** A write that is too long for a packet is short, which Linux allows too. */
function base64(from: Uint8Array): string {
  return from.subarray(0, values.BYTES_MAX).toBase64();
}

function inPieces(memory: Uint8Array, each: (piece: Uint8Array, at: bigint) => void): void {
  for (let at = 0; at < memory.length; at += values.BYTES_MAX) {
    each(memory.subarray(at, at + values.BYTES_MAX), BigInt(at));
  }
}
