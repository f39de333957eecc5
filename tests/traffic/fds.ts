/** Random traffic: making, copying, sending and closing fds. */
import * as abi from "../../ffi/abi/fcntl.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import type { Ret } from "../../lib/system_calls.ts";
import { DEVICE, file, fileSlot, session, SESSIONS } from "./aims.ts";
import type { TrafficHost } from "./host.ts";
import type { Random } from "./random.ts";
import { result, type Slots } from "./slots.ts";

export type FdOperation =
  | { op: "memfd"; flags: number; to: number }
  | { op: "open_tmpfile"; flags: number; to: number }
  | { op: "pipe" | "socketpair" | "null_device" | "pidfd"; to: number }
  | { op: "fcntl_dup"; from: number; command: number; at: number; to: number }
  | { op: "set_cloexec"; slot: number; argument: number }
  | { op: "fchmod"; slot: number; mode: number }
  | { op: "dup"; from: number; to: number }
  | { op: "reopen"; from: number; flags: number; to: number }
  | { op: "close"; slot: number }
  | { op: "send" | "receive"; slot: number };

export const fdWeights = {
  memfd: 14,
  open_tmpfile: 2,
  pipe: 1,
  socketpair: 1,
  null_device: 1,
  pidfd: 1,
  dup: 5,
  fcntl_dup: 3,
  set_cloexec: 4,
  fchmod: 2,
  reopen: 2,
  close: 10,
  send: 2,
  receive: 3,
} as const satisfies Record<FdOperation["op"], number>;

export function fdOperation(op: FdOperation["op"], random: Random): FdOperation {
  const slot = file(random);
  switch (op) {
    case "memfd":
      return {
        op,
        flags: random.pick([1, 3, 3, 2, 0x12, 0x13, 0x13, 0x11, 0x9, 0x7, 0x40]),
        to: fileSlot(random),
      };
    case "open_tmpfile":
      return {
        op,
        flags: random.pick([abi.O_RDWR, abi.O_RDWR, abi.O_WRONLY, abi.O_RDWR | abi.O_EXCL]),
        to: fileSlot(random),
      };
    case "pipe":
    case "socketpair":
    case "null_device":
    case "pidfd":
      return { op, to: fileSlot(random) };
    case "dup":
      return random.chance(30)
        ? { op, from: session(random), to: random.below(SESSIONS) }
        : { op, from: slot, to: fileSlot(random) };
    case "reopen":
      return {
        op,
        from: slot,
        flags: random.pick([
          abi.O_RDONLY,
          abi.O_RDWR,
          abi.O_RDWR | abi.O_TRUNC,
          abi.O_WRONLY | abi.O_APPEND,
          abi.O_PATH,
        ]),
        to: fileSlot(random),
      };
    case "fcntl_dup": {
      const command = random.pick([abi.F_DUPFD, abi.F_DUPFD, abi.F_DUPFD_CLOEXEC, 9999]);
      const at = random.pick([0, 0, 10, 200, 0x7fffffff, -1]);
      return random.chance(40)
        ? { op, from: session(random), command, at, to: random.below(SESSIONS) }
        : { op, from: slot, command, at, to: fileSlot(random) };
    }
    case "set_cloexec":
      return { op, slot: random.chance(50) ? session(random) : slot, argument: random.pick([0, 0, 1, 2, 3]) };
    case "fchmod":
      return { op, slot, mode: random.pick([0o600, 0o755, 0, 0o4711]) };
    case "close":
      return { op, slot: random.chance(35) ? session(random) : random.chance(5) ? DEVICE : slot };
    case "send":
    case "receive":
      return { op, slot: random.chance(60) ? session(random) : slot };
  }
}

export class Fds {
  readonly #mail: [number, number];
  #inFlight = 0;

  constructor(readonly host: TrafficHost, readonly slots: Slots) {
    const pair = host.sys.socketpair();
    if (typeof pair === "number") throw new Error(`Cannot make the mailbox socketpair (${errnoName(pair)})`);
    this.#mail = pair;
  }

  apply(o: FdOperation): string {
    const { slots, slots: { sys: k } } = this;
    switch (o.op) {
      case "memfd":
        return slots.keep(o.to, k.memfd_create("traffic", o.flags));
      case "open_tmpfile":
        return slots.keep(o.to, k.open(this.host.tmpfs, abi.O_TMPFILE | o.flags | abi.O_CLOEXEC, 0o600));
      case "null_device":
        return slots.keep(o.to, k.open("/dev/null", abi.O_RDWR | abi.O_CLOEXEC));
      case "pidfd":
        return slots.keep(o.to, k.pidfd_open(k.getpid(), 0));
      case "pipe":
        return this.#half(o.to, k.pipe2(abi.O_CLOEXEC | abi.O_NONBLOCK));
      case "socketpair":
        return this.#half(o.to, k.socketpair());
      case "dup":
        return slots.keep(o.to, k.dup(slots.fd(o.from)));
      case "fcntl_dup":
        return slots.keep(o.to, k.fcntl(slots.fd(o.from), o.command, o.at));
      case "set_cloexec":
        return result(k.fcntl(slots.fd(o.slot), abi.F_SETFD, o.argument));
      case "reopen":
        return this.#reopen(o);
      case "close":
        return slots.close(o.slot);
      case "send":
      case "receive":
        return this.#post(o);
      case "fchmod":
        return slots.isRegular(o.slot) ? result(k.fchmod(slots.fd(o.slot), o.mode)) : "not regular";
    }
  }

  /** Keeps one end and closes the other, so that no read or write can block. */
  #half(slot: number, pair: [number, number] | Ret): string {
    if (typeof pair === "number") return errnoName(pair);
    this.host.sys.close(pair[1]);
    return this.slots.keep(slot, pair[0]);
  }

  #reopen(o: Extract<FdOperation, { op: "reopen" }>): string {
    const fd = this.slots.fd(o.from);
    if (fd < 0) return "nothing";
    const stat = this.host.sys.fstat(fd);
    // The open of a pipe would wait for the other end.
    if (typeof stat !== "number" && (stat.mode & abi.S_IFMT) === abi.S_IFIFO) return "pipe";
    return this.slots.keep(o.to, this.host.sys.open(`/proc/self/fd/${fd}`, o.flags | abi.O_CLOEXEC));
  }

  /** Sends or receives an fd. A file or session lives on while its fd is in flight. */
  #post(o: Extract<FdOperation, { op: "send" | "receive" }>): string {
    const [near, far] = this.#mail;
    if (o.op === "send") {
      if (this.#inFlight >= 4) return "full";
      const answer = this.host.sys.sendmsg(near, new Uint8Array([1]), [this.slots.fd(o.slot)]);
      if (answer >= 0) this.#inFlight++;
      return result(answer);
    }
    if (this.#inFlight === 0) return "empty";
    this.#inFlight--;
    const got = this.host.sys.recvmsg(far, new Uint8Array(1), 1);
    if (typeof got === "number") return errnoName(got);
    return got.fds[0] === undefined ? "no fd" : this.slots.keep(o.slot, got.fds[0]);
  }
}
