/** Calls that give an fd of the machine another number, in this process or in another: that number is watched too. */
import { F_DUPFD, F_DUPFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { decodeRights, MSGHDR_SIZE } from "../../ffi/abi/socket.ts";
import { fstat } from "../../ffi/file.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import { type EmulatedFds, identityOf } from "./emulated_fds.ts";
import { AGAIN } from "./number_watch.ts";
import { textOfFd } from "./program_fds.ts";
import type { PreservedFiles } from "./preserved_files.ts";
import { type Call, CALLS } from "./trapped_calls.ts";

/** struct mmsghdr: a struct msghdr, u32 length. */
const MMSGHDR_SIZE = 64;
/** UIO_MAXIOV: the most messages of one call. */
const MESSAGES_MAX = 1024;
/** struct msghdr: control@32, control length@40. */
const [CONTROL, CONTROL_LENGTH] = [32, 40];
const CONTROL_MAX = 1 << 16;
/** SECCOMP_SET_MODE_STRICT is 0. */
const SECCOMP_SET_MODE_FILTER = 1;

/** linux/fanotify.h: the smallest event. */
const EVENT_SIZE = 24;

function isFanotify(tid: number, fd: number): boolean {
  return textOfFd(tid, fd) === "anon_inode:[fanotify]";
}

export class CopyCalls {
  /** An fd of the machine was sent: from now on the messages that are received are looked at. */
  #sent = false;
  /** Threads whose call is made again, and reported. */
  readonly #awaited = new Set<number>();

  constructor(
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly preserved: PreservedFiles,
  ) {}

  readonly handlers: Handlers<
    | ("dup" | "dup2" | "dup3" | "sendmsg" | "sendmmsg" | "recvmsg" | "recvmmsg" | "pidfd_getfd" | "seccomp")
    | "fanotify_init"
  > = {
    dup: () => undefined,
    dup2: () => undefined,
    dup3: () => undefined,
    sendmsg: (call) => this.#ofPath(call) ?? this.#send(call.tid, call.args[1], 1),
    sendmmsg: (call) => this.#ofPath(call) ?? this.#send(call.tid, call.args[1], int(call.args[2])),
    recvmsg: (call) => this.#ofPath(call) ?? (this.#sent ? this.await(call) : undefined),
    recvmmsg: (call) => this.#ofPath(call) ?? (this.#sent ? this.await(call) : undefined),
    pidfd_getfd: (call) => this.objects.empty && !this.objects.hasContents ? undefined : this.await(call),
    // Each event has an fd of the file that it tells of.
    fanotify_init: ({ tid }) => this.#watchFanotify(tid),
    // A filter of the program could forbid the guard's.
    seccomp: ({ tid, args: [operation] }) =>
      int(operation) === SECCOMP_SET_MODE_FILTER && this.program.watch.everything(tid) ? AGAIN : undefined,
  };

  #ofPath({ tid, args: [fd] }: Notification): CallAnswer {
    return this.objects.isPathOnly(tid, int(fd)) ? -Errno.EBADF : undefined;
  }

  /** The call is made after this answer, and reported. */
  await({ tid, nr }: Notification): CallAnswer {
    if (this.#awaited.has(tid) || !this.program.watch.outcome(tid, nr)) return undefined;
    this.#awaited.add(tid);
    return AGAIN;
  }

  /** Whether a call that the guard has stopped makes another number of an fd that concerns the machine. */
  copies({ tid, nr, args: [fd, command] }: Notification): boolean {
    const name = CALLS.get(nr);
    const copying: readonly (Call | undefined)[] = ["dup", "dup2", "dup3"];
    const duplicates = name === "fcntl" && [F_DUPFD, F_DUPFD_CLOEXEC].includes(int(command));
    if (name === "read" && !this.preserved.none && isFanotify(tid, int(fd))) return true;
    return (copying.includes(name) || duplicates) && this.#concerns(tid, int(fd));
  }

  /** The numbers to watch after a call that the guard has reported. */
  made({ tid, nr, args }: Notification, returned: bigint): number[] {
    this.#awaited.delete(tid);
    if (returned < 0n) return [];
    const name = CALLS.get(nr);
    const count = name === "recvmmsg" ? Number(returned) : 1;
    const numbers = name === "recvmsg" || name === "recvmmsg"
      ? this.#rights(tid, args[1], count)
      : name === "read"
      ? this.#events(tid, args[1], Number(returned))
      : [Number(returned)];
    return numbers.filter((fd) => this.#concerns(tid, fd));
  }

  #concerns(tid: number, fd: number): boolean {
    if (this.objects.find(tid, fd) !== undefined) return true;
    return this.preserved.sizeOfFd(tid, fd) !== undefined || this.objects.contentPath(tid, fd) !== undefined;
  }

  /** The number that the call is about to return. The guard knows files by their inodes, and all anonymous files have one. */
  #watchFanotify(tid: number): undefined {
    const anonymous = fstat(this.objects.anonymousFile);
    if (typeof anonymous === "number") return;
    this.program.watch.number(tid, this.program.lowestFree(tid), identityOf(anonymous));
  }

  /** The fds in struct fanotify_event_metadata[]: u32 length, s32 fd@16. */
  #events(tid: number, address: bigint, length: number): number[] {
    const bytes = this.program.bytes(tid, address, length);
    if (typeof bytes === "number") return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const fds: number[] = [];
    for (let at = 0; at + EVENT_SIZE <= bytes.length; at += Math.max(EVENT_SIZE, view.getUint32(at, true))) {
      fds.push(view.getInt32(at + 16, true));
    }
    return fds;
  }

  #send(tid: number, headers: bigint, count: number): CallAnswer {
    this.#sent ||= this.#rights(tid, headers, count).some((fd) => this.#concerns(tid, fd));
    return undefined;
  }

  /** The fds in the control messages of struct msghdr, or of struct mmsghdr[]. */
  #rights(tid: number, headers: bigint, count: number): number[] {
    return Array.from({ length: Math.min(count, MESSAGES_MAX) }).flatMap((_, index) => {
      const header = this.program.bytes(tid, headers + BigInt(index * MMSGHDR_SIZE), MSGHDR_SIZE);
      if (typeof header === "number" || header.length < MSGHDR_SIZE) return [];
      const view = new DataView(header.buffer, header.byteOffset, header.length);
      const [control, length] = [
        view.getBigUint64(CONTROL, true),
        Number(view.getBigUint64(CONTROL_LENGTH, true)),
      ];
      const bytes = length === 0 ? -1 : this.program.bytes(tid, control, Math.min(length, CONTROL_MAX));
      return typeof bytes === "number" ? [] : decodeRights(bytes, bytes.length);
    });
  }
}
