/** Calls that an fd of O_PATH cannot make: EBADF. For the device, a session and every other file the host's kernel has the answer. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { type CallAnswer, type Handler, type Handlers, int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import type { EmulatedFds } from "./emulated_fds.ts";

/** sys/epoll.h. */
const [EPOLL_CTL_DEL, EPOLL_EVENT_SIZE] = [2, 12];
/** LOCK_SH, LOCK_EX, LOCK_UN; LOCK_NB goes with each. */
const [LOCKS, LOCK_NB] = [[1, 2, 8], 4];
/** linux/splice.h: all flags. */
const SPLICE_FLAGS = 15n;

/** Each takes its fd first; epoll_ctl and tee take another one. */
type Name =
  | (
    | "flock"
    | "syncfs"
    | "fadvise64"
    | "getdents"
    | "getdents64"
    | "tee"
    | "vmsplice"
  )
  | ("epoll_ctl" | "epoll_wait" | "epoll_pwait" | "epoll_pwait2")
  | ("sendto" | "recvfrom" | "shutdown" | "listen" | "accept" | "accept4")
  | ("getsockname" | "getpeername" | "setsockopt" | "getsockopt")
  | (
    | "timerfd_settime"
    | "timerfd_gettime"
    | "signalfd"
    | "signalfd4"
    | "inotify_rm_watch"
    | "fsconfig"
    | "fsmount"
  );

export class PathOnlyCalls {
  readonly handlers: Handlers<Name>;

  constructor(readonly program: CallingProgram, readonly objects: EmulatedFds) {
    const first: Handler = (call) => this.#refuse(call, 0);
    this.handlers = {
      flock: (call) => isLock(int(call.args[1])) ? first(call) : undefined,
      syncfs: first,
      fadvise64: first,
      getdents: first,
      getdents64: first,
      tee: (call) => call.args[2] === 0n || hasUnknownFlags(call) ? undefined : this.#refuse(call, 0, 1),
      vmsplice: (call) => hasUnknownFlags(call) ? undefined : first(call),
      epoll_ctl: (call) => this.#hasEvent(call) ? this.#refuse(call, 0, 2) : undefined,
      epoll_wait: first,
      epoll_pwait: first,
      epoll_pwait2: first,
      sendto: first,
      recvfrom: first,
      shutdown: first,
      listen: first,
      accept: first,
      accept4: first,
      getsockname: first,
      getpeername: first,
      setsockopt: first,
      getsockopt: first,
      timerfd_settime: first,
      timerfd_gettime: first,
      signalfd: first,
      signalfd4: first,
      inotify_rm_watch: first,
      fsconfig: first,
      fsmount: first,
    };
  }

  #hasEvent({ tid, args: [, operation, , event] }: Notification): boolean {
    if (int(operation) === EPOLL_CTL_DEL) return true;
    const bytes = this.program.bytes(tid, event, EPOLL_EVENT_SIZE);
    return typeof bytes !== "number" && bytes.length === EPOLL_EVENT_SIZE;
  }

  #refuse({ tid, args }: Notification, ...fds: readonly number[]): CallAnswer {
    const path = fds.some((at) => this.objects.isPathOnly(tid, int(args[at] ?? -1n)));
    return path ? -Errno.EBADF : undefined;
  }
}

/** Whether flock(2) looks at its fd: a wrong operation has an answer of its own (fs/locks.c). */
function isLock(operation: number): boolean {
  return LOCKS.includes(operation & ~LOCK_NB);
}

/** The fourth argument of tee(2) and vmsplice(2). */
function hasUnknownFlags({ args }: Notification): boolean {
  return (BigInt.asUintN(32, args[3]) & ~SPLICE_FLAGS) !== 0n;
}
