import { EPOLL_CTL_ADD } from "../../ffi/abi/epoll.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { epoll_create1, epoll_ctl, EpollWaiter } from "../../ffi/epoll.ts";
import { close, fstat, stat } from "../../ffi/file.ts";
import { shutdown, socketpair } from "../../ffi/socket.ts";
import { check } from "../error.ts";

const SHUT_WR = 1;

/** A device or session fd of the model that programs of the machine hold copies of. */
export interface EmulatedFd {
  readonly kind: "device" | "session";
  /** Of the machine's model process. */
  readonly model_fd: number;
  readonly identity: string;
  /** Our end of the socket pair whose other end the programs hold. */
  readonly end: number;
}

/**
 * The emulated fds. Each is a socket to the host, so that dup, fork, exec and SCM_RIGHTS are the host's own business, and our end
 * hangs up when the last copy is closed, whoever had it.
 */
export class EmulatedFds implements Disposable {
  /** Also tells of the listener and of the init: whatever is added with `watch`. */
  readonly #epoll = check(epoll_create1(), "epoll_create1", "the machine");
  readonly #waiter = new EpollWaiter(this.#epoll, 16);
  /** Files that were retrieved in this boot: Linux gives them no name, the host calls them memfds. */
  readonly nameless = new Set<string>();
  readonly #by_identity = new Map<string, EmulatedFd>();
  readonly #by_end = new Map<number, EmulatedFd>();

  /** The program's end is the caller's: to give away, and to close. */
  make(kind: EmulatedFd["kind"], model_fd: number): { object: EmulatedFd; theirs: number } {
    const pair = check(socketpair(SOCK_SEQPACKET), "socketpair", "an emulated fd");
    const [end, theirs] = pair;
    const object = { kind, model_fd, end, identity: identityOf(check(fstat(theirs), "fstat", "a socket")) };
    // Always readable, as a device without a poll of its own is.
    shutdown(end, SHUT_WR);
    this.#by_identity.set(object.identity, object);
    this.#by_end.set(end, object);
    this.watch(end, 0);
    return { object, theirs };
  }

  watch(fd: number, events: number): void {
    check(epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, events), "epoll_ctl", "the machine");
  }

  /** Which of them fd `fd` of thread `tid` is. */
  find(tid: number, fd: number): EmulatedFd | undefined {
    if (this.#by_identity.size === 0 || fd < 0) return undefined;
    const found = stat(`/proc/${tid}/fd/${fd}`);
    return typeof found === "number" ? undefined : this.#by_identity.get(identityOf(found));
  }

  get empty(): boolean {
    return this.#by_identity.size === 0;
  }

  /** The fds that have something to say: those watched, and ours whose last copy is gone. */
  wait(timeout_ms: number): number[] {
    return this.#waiter.wait(timeout_ms).map(({ fd }) => fd);
  }

  /** The object whose end this is: it has hung up. */
  gone(fd: number): EmulatedFd | undefined {
    return this.#by_end.get(fd);
  }

  forget(object: EmulatedFd): void {
    this.#by_identity.delete(object.identity);
    this.#by_end.delete(object.end);
    close(object.end);
  }

  [Symbol.dispose](): void {
    for (const object of [...this.#by_end.values()]) this.forget(object);
    close(this.#epoll);
  }
}

/** An inode of the host. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}
