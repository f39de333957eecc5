/** The client's side: a `SystemCalls` whose calls are done by a process of the machine in another process of this host. */
import { Errno, errnoName } from "../../ffi/abi/errno.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { POLLIN } from "../../ffi/abi/fcntl.ts";
import { poll } from "../../ffi/epoll.ts";
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
import { GOODBYE, receivePacket, sendPacket } from "./packets.ts";

type Json = values.Json;

/** How long a goodbye waits for a machine that does not react, in milliseconds. */
const GOODBYE_MS = 10_000;
/** How long a new process waits for a machine that is stopped, or busy with a kexec, in milliseconds. */
const HELLO_MS = 60_000;

/** The machine's answer to one call. `fds` are host fds, the caller's to close. */
interface Answer {
  readonly ret: Json | undefined;
  readonly out: Uint8Array;
  readonly fds: readonly number[];
}

/**
 * One new process of the machine that listens at `path`. It lives until the answer is disposed, this process ends (it counts
 * as killed then), or the machine goes through a kexec: from then on every call throws `ProcessKilled`. Calls block.
 *
 * @throws LuoError `connect`: ENOENT (no machine), ECONNREFUSED (a dead one left its socket), EACCES, ENAMETOOLONG, EPROTO
 * (another version of luo), ETIMEDOUT (no answer within `hello_ms`)
 */
export function connectMachine(path: string, hello_ms = HELLO_MS): SystemCalls {
  const socket = check(unix_connect(path, SOCK_SEQPACKET), "connect", `machine at "${path}"`);
  const sys = new RemoteKernel(socket);
  try {
    check(sys.hello(hello_ms), "connect", `machine at "${path}"`);
  } catch (error) {
    sys[Symbol.dispose]();
    // It was just powering off, or does not want this user: to who asks, nobody listens.
    if (error instanceof ProcessKilled) {
      throw new LuoError("connect", `machine at "${path}"`, Errno.ECONNREFUSED);
    }
    throw error;
  }
  return sys;
}

class RemoteKernel implements SystemCalls {
  #pid = 0;
  /** The connection's fd, -1 once it is over. */
  #socket: number;

  constructor(socket: number) {
    this.#socket = socket;
  }

  /** -ETIMEDOUT when the machine does not answer: the connection is closed then. */
  hello(limit_ms: number): Ret {
    const sent = sendPacket(this.#socket, JSON.stringify({ call: "hello", args: [values.HELLO] }));
    if (sent >= 0 && poll(this.#socket, POLLIN, limit_ms) === 0) {
      this.#hangUp();
      return -Errno.ETIMEDOUT;
    }
    const answer = values.int(this.#answer("hello", sent).ret);
    this.#pid = Math.max(answer, 0);
    return answer;
  }

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
    const { ret, out } = this.#call("ioctl", [fd, request >>> 0, values.fromPointer(argument)]);
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
    return values.big(this.#call("lseek", [fd, `${offset}`, whence]).ret);
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
    return values.toStat(this.#call("fstat", [fd]).ret);
  }

  mmap(length: bigint, prot: number, flags: number, fd: number, offset: bigint): bigint {
    return values.big(this.#call("mmap", [`${length}`, prot, flags, fd, `${offset}`]).ret);
  }
  munmap(address: bigint, length: bigint): Ret {
    return this.#number("munmap", `${address}`, `${length}`);
  }
  madvise(address: bigint, length: bigint, advice: number): Ret {
    return this.#number("madvise", `${address}`, `${length}`, advice);
  }
  load(address: bigint, into: Uint8Array): void {
    inPieces(into, (piece, at) => piece.set(this.#call("load", [`${address + at}`, piece.length]).out));
  }
  store(address: bigint, from: Uint8Array): void {
    inPieces(from, (piece, at) => this.#call("store", [`${address + at}`, base64(piece)]));
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
    const { ret } = this.#call("readlink", [path]);
    return typeof ret === "string" ? ret : values.int(ret);
  }

  pipe2(flags: number): [number, number] | Ret {
    return values.toPair(this.#call("pipe2", [flags]).ret);
  }
  socketpair(): [number, number] | Ret {
    return values.toPair(this.#call("socketpair", []).ret);
  }
  sendmsg(fd: number, data: Uint8Array, fds: readonly number[]): Ret {
    return this.#number("sendmsg", fd, base64(data), [...fds]);
  }
  recvmsg(fd: number, into: Uint8Array, max_fds: number): Received | Ret {
    const { ret, out } = this.#call("recvmsg", [fd, lengthOf(into), max_fds]);
    into.set(out);
    return values.toReceived(ret);
  }

  getpid(): number {
    return this.#pid;
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
    return values.toUtsname(this.#call("uname", []).ret);
  }
  sync(): void {
    this.#call("sync", []);
  }

  adopt(host_fd: number): Ret {
    try {
      return values.int(this.#call("adopt", [], [host_fd]).ret);
    } finally {
      close(host_fd);
    }
  }

  expose(fd: number): Ret {
    const { ret, fds } = this.#call("expose", [fd]);
    const answer = values.int(ret);
    if (answer < 0) return answer;
    // None although one was sent: this process has no room for it.
    return fds[0] ?? -Errno.EMFILE;
  }

  /**
   * The process ends by itself, and has ended when this returns: its fds are closed. The machine may power off when nothing is
   * left in it.
   */
  [Symbol.dispose](): void {
    if (this.#socket < 0) return;
    // The machine's answer is that it hangs up.
    const said = sendPacket(this.#socket, GOODBYE);
    if (said >= 0) poll(this.#socket, POLLIN, GOODBYE_MS);
    this.#hangUp();
  }

  #number(call: string, ...args: Json[]): number {
    return values.int(this.#call(call, args).ret);
  }

  #fill(into: Uint8Array, call: string, ...args: Json[]): number {
    const { ret, out } = this.#call(call, args);
    into.set(out);
    return values.int(ret);
  }

  #call(call: string, args: readonly Json[], fds: readonly number[] = []): Answer {
    if (this.#socket < 0) throw new ProcessKilled("The machine ended this process");
    const sent = sendPacket(this.#socket, JSON.stringify({ call, args }), fds);
    // A host fd that is none: nothing was sent.
    if (sent === -Errno.EBADF) return { ret: sent, out: new Uint8Array(0), fds: [] };
    return this.#answer(call, sent);
  }

  /** The answer to a call that was sent. `sent`: what sendPacket returned. */
  #answer(call: string, sent: Ret): Answer {
    const packet = sent < 0 ? sent : this.#receive();
    if (packet === undefined || packet === -Errno.EPIPE || packet === -Errno.ECONNRESET) {
      this.#hangUp();
      throw new ProcessKilled("The machine ended this process");
    }
    // The host itself failed (no fds, no memory): nobody knows what became of the call, so the connection ends with it.
    if (typeof packet === "number") {
      this.#hangUp();
      throw new Error(`Cannot ask the machine for ${call} (${errnoName(packet)})`);
    }
    return { ...values.toReply(values.parse(packet.text)), fds: packet.fds };
  }

  #receive(): ReturnType<typeof receivePacket> {
    for (;;) {
      const packet = receivePacket(this.#socket);
      if (packet !== -Errno.EINTR) return packet;
    }
  }

  #hangUp(): void {
    close(this.#socket);
    this.#socket = -1;
  }
}

function lengthOf(into: Uint8Array): number {
  return Math.min(into.length, values.BYTES_MAX);
}

/** A write larger than one packet may carry comes back short, which Linux's may too. */
function base64(from: Uint8Array): string {
  return from.subarray(0, values.BYTES_MAX).toBase64();
}

function inPieces(memory: Uint8Array, each: (piece: Uint8Array, at: bigint) => void): void {
  for (let at = 0; at < memory.length; at += values.BYTES_MAX) {
    each(memory.subarray(at, at + values.BYTES_MAX), BigInt(at));
  }
}
