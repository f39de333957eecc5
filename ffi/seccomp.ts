/** Seccomp user notification, other processes' memory, and starting a program under a filter. A value >= 0 or -errno. */
import type { Ret } from "../lib/kernel.ts";
import { encodeProgramHeader } from "./abi/bpf.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "./abi/fcntl.ts";
import {
  decodeNotification,
  encodeAddFd,
  encodeResponse,
  type Notification,
  NOTIFICATION_SIZE,
  SECCOMP_FILTER_FLAG_NEW_LISTENER,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
  SECCOMP_IOCTL_NOTIF_ADDFD,
  SECCOMP_IOCTL_NOTIF_RECV,
  SECCOMP_IOCTL_NOTIF_SEND,
  SECCOMP_IOCTL_NOTIF_SET_FLAGS,
  SECCOMP_SET_MODE_FILTER,
  SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP,
} from "./abi/seccomp.ts";
import { addressOf, cString, libc, ret } from "./libc.ts";
import { mmap, mprotect, munmap, store } from "./memory.ts";
import { CALL_LIST_RUNNER, encodeCallList, type ListedCall, resultOf } from "./abi/call_list.ts";

const PR_SET_PDEATHSIG = 1n;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_SET_NO_NEW_PRIVS = 38n;
const RLIMIT_NOFILE = 7n;
const SIGPIPE = 13n;
const SIGKILL = 9n;
const SIG_SETMASK = 2;
const SIGSET_SIZE = 128;
const PROT_EXEC = 4;
/** x86-64 numbers of what the child calls. */
const NR = {
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  execve: 59,
  prctl: 157,
  prlimit64: 302,
  exit_group: 231,
  seccomp: 317,
};

/** int run(struct record *list) */
const RUN = { parameters: ["u64"], result: "i32" } as const satisfies Deno.ForeignFunction;

export interface Launch {
  /** Where the program may be, best first: each is tried. */
  readonly paths: readonly string[];
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly filter: Uint8Array<ArrayBuffer>;
  /** The soft limit of open files; Deno raised our own. */
  readonly nofile: { readonly soft: bigint; readonly hard: bigint };
}

export interface Launched {
  readonly pid: number;
  /** Of the notifications, or -errno: then the child has ended, unfiltered. */
  readonly listener: Ret;
  /** What execve said last; 0 when it worked. */
  readonly exec: Ret;
}

/**
 * Starts a program under a filter. The child is a vfork that shares our descriptors until it executes, so the listener that
 * the kernel gives it is ours too. It is killed when this thread ends.
 */
export function launch({ paths, argv, env, filter, nofile }: Launch): Launched | Ret {
  const strings = [paths, argv, env].map((list) => list.map(cString));
  const [files = [], args = [], variables = []] = strings;
  const [argp, envp] = [args, variables].map((list) => new BigUint64Array([...list.map(addressOf), 0n]));
  const header = encodeProgramHeader(filter.length / 8, addressOf(filter));
  const limits = new Uint8Array(new BigUint64Array([nofile.soft, nofile.hard]).buffer);
  const [action, mask] = [new Uint8Array(32), new Uint8Array(8)];
  const pointer = (array: BigUint64Array<ArrayBuffer> | undefined) =>
    array === undefined ? 0n : addressOf(new Uint8Array(array.buffer));
  const flags = BigInt(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  const executions = files.map((file): ListedCall => ({
    nr: NR.execve,
    args: [addressOf(file), pointer(argp), pointer(envp)],
  }));
  const calls: readonly ListedCall[] = [
    { nr: NR.prctl, args: [PR_SET_PDEATHSIG, SIGKILL] },
    { nr: NR.rt_sigaction, args: [SIGPIPE, addressOf(action), 0n, 8n] },
    { nr: NR.prlimit64, args: [0n, RLIMIT_NOFILE, addressOf(limits), 0n] },
    { nr: NR.prctl, args: [PR_SET_NO_NEW_PRIVS, 1n] },
    {
      nr: NR.seccomp,
      args: [BigInt(SECCOMP_SET_MODE_FILTER), flags, addressOf(header)],
      // Never run the program without its filter.
      skip_on_failure: executions.length + 1,
    },
    { nr: NR.rt_sigprocmask, args: [BigInt(SIG_SETMASK), addressOf(mask), 0n, 8n] },
    ...executions,
    { nr: NR.exit_group, args: [127n] },
  ];
  const list = encodeCallList(calls);
  const pid = runInChild(addressOf(list));
  keep(files, args, variables, [filter, header, action, mask, limits]);
  if (pid < 0) return pid;
  const at = calls.findIndex(({ nr }) => nr === NR.seccomp);
  return { pid, listener: resultOf(list, at), exec: resultOf(list, at + 1 + executions.length) };
}

/** Maps the machine code, calls it, with all signals held back: a handler in the child would run in our memory. */
function runInChild(list: bigint): Ret {
  const size = 4096n;
  const code = mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  if (code < 0n) return Number(code);
  store(code, CALL_LIST_RUNNER);
  mprotect(code, size, PROT_READ | PROT_EXEC);
  const pointer = Deno.UnsafePointer.create<typeof RUN>(code);
  if (pointer === null) return -1;
  const run = new Deno.UnsafeFnPointer(pointer, RUN);
  const before = new Uint8Array(SIGSET_SIZE);
  libc().sigprocmask(SIG_SETMASK, new Uint8Array(SIGSET_SIZE).fill(0xff), before);
  const answer = run.call(list);
  libc().sigprocmask(SIG_SETMASK, before, null);
  munmap(code, size);
  return answer;
}

/** Buffers that only a struct points to must be reachable until the call is over. */
function keep(..._buffers: Uint8Array[][]): void {}

/** Orphans below us become our children instead of init's. */
export function become_subreaper(): Ret {
  return ret(libc().prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n));
}

/** Wakes the supervisor on the same CPU, ten times as fast. -EINVAL before Linux 6.6: slower, nothing else. */
export function notify_sync(listener: number): Ret {
  return ret(
    libc().ioctl_address(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP),
  );
}

/** -ENOENT: the caller was killed meanwhile. Waits when there is none: poll first. */
export function notify_receive(listener: number): Notification | Ret {
  const into = new Uint8Array(NOTIFICATION_SIZE);
  const answer = ret(libc().ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, into));
  return answer < 0 ? answer : decodeNotification(into);
}

/** `value` >= 0 or -errno becomes the answer of the call; with SECCOMP_USER_NOTIF_FLAG_CONTINUE the kernel does the call. */
export function notify_send(listener: number, id: bigint, value: number, flags = 0): Ret {
  return ret(libc().ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, encodeResponse(id, value, flags)));
}

/** Gives the caller a copy of `fd`; the answer is its number there. */
export function notify_add_fd(listener: number, id: bigint, fd: number, fd_flags: number): Ret {
  return ret(libc().ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, encodeAddFd(id, fd, fd_flags)));
}

function iovec(address: bigint, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array([address, BigInt(length)]).buffer);
}

/** Bytes read, fewer where the memory ends; -EFAULT when none of it is there. */
export function process_vm_read(pid: number, address: bigint, into: Uint8Array<ArrayBuffer>): Ret {
  if (into.length === 0) return 0;
  const local = iovec(addressOf(into), into.length);
  return ret(libc().process_vm_readv(pid, local, 1n, iovec(address, into.length), 1n, 0n));
}

export function process_vm_write(pid: number, address: bigint, from: Uint8Array<ArrayBuffer>): Ret {
  if (from.length === 0) return 0;
  const local = iovec(addressOf(from), from.length);
  return ret(libc().process_vm_writev(pid, local, 1n, iovec(address, from.length), 1n, 0n));
}

/** waitpid(2) without waiting: the status, or undefined while the child runs (or is none of ours). `pid` -1: any. */
export function wait_status(pid: number): { pid: number; status: number } | undefined {
  const WNOHANG = 1;
  const status = new Int32Array(1);
  const answer = ret(libc().waitpid(pid, status, WNOHANG));
  return answer > 0 ? { pid: answer, status: status[0] ?? 0 } : undefined;
}
