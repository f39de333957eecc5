/** The device and session fds that programs of the machine hold, and the sockets that stand for them on the host. */
import { EPOLL_CTL_ADD } from "../../ffi/abi/epoll.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { epoll_create1, epoll_ctl, EpollWaiter } from "../../ffi/epoll.ts";
import { close, fstat, stat } from "../../ffi/file.ts";
import { shutdown, socketpair } from "../../ffi/socket.ts";
import { check } from "../error.ts";
import type { Entry, Node } from "./device_nodes.ts";

const SHUT_WR = 1;

/** A device or session fd of the model that programs of the machine hold copies of. */
export interface EmulatedFd {
  readonly kind: "device" | "session";
  /** The fd of the model's init process. */
  readonly model_fd: number;
  /** `dev:ino` of the program's end of the socket pair. */
  readonly identity: string;
  /** luo's end of the socket pair; the programs hold copies of the other end. */
  readonly end: number;
  /** The name that the device was opened by, and its inode. */
  readonly entry?: Entry;
  readonly node?: Node;
  /** The name of a session, as the program gave it: any bytes. */
  readonly name?: Uint8Array;
  /** Opened with O_PATH: most calls on the fd give EBADF. */
  readonly path_only?: boolean;
  /** The open of the file that is watched in place of the device: closing it makes the event. */
  readonly watched?: number;
}

/** The facts that are known when the device is opened. */
export type Opened = Pick<EmulatedFd, "entry" | "name" | "node" | "path_only" | "watched">;

/**
 * Every emulated fd is one end of a socket pair. The host does dup, fork, exec and SCM_RIGHTS with it, and luo's end hangs up when
 * the last copy is closed, in whatever process.
 */
export class EmulatedFds implements Disposable {
  /** Also watches the fds that `watch` adds: the listener and the launcher's channel. */
  readonly #epoll = check(epoll_create1(), "epoll_create1", "the machine");
  readonly #waiter = new EpollWaiter(this.#epoll, 16);
  /** Files that were retrieved in this boot. Linux gives a retrieved file no name; the host shows the memfd's name. */
  readonly nameless = new Set<string>();
  readonly #by_identity = new Map<string, EmulatedFd>();
  readonly #by_end = new Map<number, EmulatedFd>();

  /** The caller gives `theirs` to the program and closes it. */
  make(
    kind: EmulatedFd["kind"],
    model_fd: number,
    opened: Opened = {},
  ): { object: EmulatedFd; theirs: number } {
    const pair = check(socketpair(SOCK_SEQPACKET), "socketpair", "an emulated fd");
    const [end, theirs] = pair;
    const identity = identityOf(check(fstat(theirs), "fstat", "a socket"));
    const object = { kind, model_fd, end, identity, ...opened };
    // The program's end always polls readable, as a device without a poll operation does.
    shutdown(end, SHUT_WR);
    this.#by_identity.set(object.identity, object);
    this.#by_end.set(end, object);
    this.watch(end, 0);
    return { object, theirs };
  }

  watch(fd: number, events: number): void {
    check(epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, events), "epoll_ctl", "the machine");
  }

  /** The emulated fd that number `fd` of thread `tid` refers to. */
  find(tid: number, fd: number): EmulatedFd | undefined {
    if (this.#by_identity.size === 0 || fd < 0) return undefined;
    const found = stat(`/proc/${tid}/fd/${fd}`);
    return typeof found === "number" ? undefined : this.#by_identity.get(identityOf(found));
  }

  get empty(): boolean {
    return this.#by_identity.size === 0;
  }

  /** The watched fds that are ready, and the ends that have hung up. */
  wait(timeout_ms: number): number[] {
    return this.#waiter.wait(timeout_ms).map(({ fd }) => fd);
  }

  /** The emulated fd whose end `fd` is, when `fd` is such an end. */
  gone(fd: number): EmulatedFd | undefined {
    return this.#by_end.get(fd);
  }

  forget(object: EmulatedFd): void {
    this.#by_identity.delete(object.identity);
    this.#by_end.delete(object.end);
    close(object.end);
    if (object.watched !== undefined) close(object.watched);
  }

  [Symbol.dispose](): void {
    for (const object of [...this.#by_end.values()]) this.forget(object);
    close(this.#epoll);
  }
}

/** Names an inode of the host: `dev:ino`. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}
