/** The machine's side of one system call: checks the arguments of a request, makes the call on the model, encodes the answer. */
import { Errno } from "../../ffi/abi/errno.ts";
import { close } from "../../ffi/file.ts";
import type { SystemCalls } from "../system_calls.ts";
import {
  big,
  bytes,
  fromStat,
  fromUtsname,
  HELLO,
  int,
  ints,
  type Json,
  length,
  parse,
  pointee,
  text,
  toPointer,
  toRequest,
} from "./json_values.ts";
import { BadPacket, type Packet } from "./packets.ts";

type Args = readonly Json[];

interface Answer {
  readonly ret: Json;
  /** The bytes that the call wrote into the caller's memory. */
  readonly out?: Uint8Array;
  /** A host fd that goes with the answer. The receiver must close it. */
  readonly host_fd?: number;
}

type Call = (sys: SystemCalls, args: Args, fds: number[]) => Answer;

export interface Reply {
  readonly text: string;
  readonly fds: readonly number[];
}

/**
 * Makes the system call that a client requests, in the client's process. Owns the packet's fds from now on. The caller must
 * close the reply's fds.
 *
 * @throws BadPacket: the request breaks the protocol. ProcessKilled: the call ended the process or the machine
 */
export function dispatch(sys: SystemCalls, packet: Packet): Reply {
  const fds = [...packet.fds];
  try {
    const { call, args } = toRequest(parse(packet.text));
    const perform = CALLS.get(call);
    if (perform === undefined) throw new BadPacket(`There is no call ${JSON.stringify(call)}`);
    const { ret, out, host_fd } = perform(sys, args, fds);
    const text = JSON.stringify({ ret, out: out?.toBase64() });
    return { text, fds: host_fd === undefined ? [] : [host_fd] };
  } finally {
    // The fds that no call has taken over.
    for (const fd of fds) close(fd);
  }
}

/** A call that fills a buffer. The request has the length of the buffer; the answer has the bytes. */
function filling(kernel_call: (sys: SystemCalls, args: Args, into: Uint8Array) => number): Call {
  return (sys, args) => {
    const into = new Uint8Array(length(args[1]));
    const ret = kernel_call(sys, args, into);
    return { ret, out: into.subarray(0, Math.max(ret, 0)) };
  };
}

function plain(kernel_call: (sys: SystemCalls, args: Args) => Json): Call {
  return (sys, args) => ({ ret: kernel_call(sys, args) });
}

const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["hello", plain((k, a) => text(a[0]) === HELLO ? k.getpid() : -Errno.EPROTO)],
  ["open", plain((k, a) => k.open(text(a[0]), int(a[1]), int(a[2])))],
  ["close", plain((k, a) => k.close(int(a[0])))],
  ["dup", plain((k, a) => k.dup(int(a[0])))],
  ["fcntl", plain((k, a) => k.fcntl(int(a[0]), int(a[1]), int(a[2])))],
  ["ioctl", ioctl],
  ["poll", plain((k, a) => k.poll(int(a[0]), int(a[1])))],

  ["memfd_create", plain((k, a) => k.memfd_create(text(a[0]), int(a[1])))],
  ["read", filling((k, a, into) => k.read(int(a[0]), into))],
  ["write", plain((k, a) => k.write(int(a[0]), bytes(a[1])))],
  ["pread", filling((k, a, into) => k.pread(int(a[0]), into, big(a[2])))],
  ["pwrite", plain((k, a) => k.pwrite(int(a[0]), bytes(a[1]), big(a[2])))],
  ["lseek", plain((k, a) => `${k.lseek(int(a[0]), big(a[1]), int(a[2]))}`)],
  ["ftruncate", plain((k, a) => k.ftruncate(int(a[0]), big(a[1])))],
  ["fallocate", plain((k, a) => k.fallocate(int(a[0]), int(a[1]), big(a[2]), big(a[3])))],
  ["fchmod", plain((k, a) => k.fchmod(int(a[0]), int(a[1])))],
  ["fstat", plain((k, a) => fromStat(k.fstat(int(a[0]))))],

  ["mmap", plain((k, a) => `${k.mmap(big(a[0]), int(a[1]), int(a[2]), int(a[3]), big(a[4]))}`)],
  ["munmap", plain((k, a) => k.munmap(big(a[0]), big(a[1])))],
  ["madvise", plain((k, a) => k.madvise(big(a[0]), big(a[1]), int(a[2])))],
  ["load", load],
  ["store", plain((k, a) => (k.store(big(a[0]), bytes(a[1])), 0))],

  ["mkdir", plain((k, a) => k.mkdir(text(a[0]), int(a[1])))],
  ["mkfifo", plain((k, a) => k.mkfifo(text(a[0]), int(a[1])))],
  ["unlink", plain((k, a) => k.unlink(text(a[0])))],
  ["link_fd", plain((k, a) => k.link_fd(int(a[0]), text(a[1])))],
  ["readlink", plain((k, a) => k.readlink(text(a[0])))],

  ["pipe2", plain((k, a) => k.pipe2(int(a[0])))],
  ["socketpair", plain((k) => k.socketpair())],
  ["sendmsg", plain((k, a) => k.sendmsg(int(a[0]), bytes(a[1]), ints(a[2])))],
  ["recvmsg", recvmsg],

  ["pidfd_open", plain((k, a) => k.pidfd_open(int(a[0]), int(a[1])))],
  ["pidfd_getfd", plain((k, a) => k.pidfd_getfd(int(a[0]), int(a[1]), int(a[2])))],

  ["kexec_file_load", plain(kexec_file_load)],
  ["reboot", plain((k, a) => k.reboot(int(a[0])))],
  ["uname", plain((k) => fromUtsname(k.uname()))],
  ["sync", plain((k) => (k.sync(), 0))],

  ["adopt", adopt],
  ["expose", expose],
]);

function ioctl(sys: SystemCalls, args: Args): Answer {
  const pointer = toPointer(args[2]);
  const ret = sys.ioctl(int(args[0]), int(args[1]), pointer);
  return { ret, out: pointee(pointer) };
}

function load(sys: SystemCalls, args: Args): Answer {
  const out = new Uint8Array(length(args[1]));
  sys.load(big(args[0]), out);
  return { ret: 0, out };
}

function recvmsg(sys: SystemCalls, args: Args): Answer {
  const into = new Uint8Array(length(args[1]));
  const received = sys.recvmsg(int(args[0]), into, int(args[2]));
  if (typeof received === "number") return { ret: received };
  return { ret: { bytes: received.bytes, fds: received.fds }, out: into.subarray(0, received.bytes) };
}

function kexec_file_load(sys: SystemCalls, args: Args): Json {
  return sys.kexec_file_load(int(args[0]), int(args[1]), big(args[2]), toPointer(args[3]), big(args[4]));
}

function adopt(sys: SystemCalls, _args: Args, fds: number[]): Answer {
  const host_fd = fds.shift();
  // The client sent an fd. The kernel dropped it because this process has no free fd.
  return { ret: host_fd === undefined ? -Errno.EMFILE : sys.adopt(host_fd) };
}

function expose(sys: SystemCalls, args: Args): Answer {
  const host_fd = sys.expose(int(args[0]));
  return host_fd < 0 ? { ret: host_fd } : { ret: 0, host_fd };
}
