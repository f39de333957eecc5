/** The events for which the server waits, by epoll: clients that come, call, read or go. */
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  type EpollEvent,
  EPOLLIN,
} from "../../ffi/abi/epoll.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../../ffi/abi/fcntl.ts";
import type { Ret } from "../../ffi/abi/values.ts";
import { epoll_create1, epoll_ctl, epoll_wait, EpollWaiter } from "../../ffi/epoll.ts";
import { close, pipe2, read, write } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Soon } from "./soon.ts";

const EVENTS_MAX = 64;
/** How long this thread waits for the next call by itself: a command that has just started needs more than one. */
const LINGER_MS = 3;
/** The same while other work is under way, such as a live update. */
const LINGER_BUSY_MS = 1;
/** How long it goes on with that before other work of Deno has a turn. */
const TURN_MS = 20;

/** Watches sockets, each for some events of epoll(7). */
export class ServerEvents {
  readonly #epoll = check(epoll_create1(), "epoll_create1", "the server");
  readonly #waiter = new EpollWaiter(this.#epoll, EVENTS_MAX);
  /** On the clock of `performance.now()`: until then this thread waits by itself. */
  #yield_at = 0;
  /** A byte in it ends the wait for events. */
  readonly #wakeup = check<[number, number]>(pipe2(O_CLOEXEC | O_NONBLOCK), "pipe2", "the server");
  /** Whether other work has its turn meanwhile, so that the server must be woken. */
  #waiting = false;

  constructor() {
    check(this.add(this.#wakeup[0]), "epoll_ctl", "the server");
  }

  /** Waits for input at this socket from now on, until the socket is closed at the latest. */
  add(fd: number): Ret {
    return epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  change(fd: number, events: number): void {
    epoll_ctl(this.#epoll, EPOLL_CTL_MOD, fd, events);
  }

  remove(fd: number): void {
    epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd);
  }

  /**
   * The next events. A client that has just got an answer often calls again at once, so that this thread waits a moment for that by
   * itself: it is many times as fast as a wait in another thread. Signals and other work of Deno have their turn after each wait in
   * the other thread.
   *
   * @param busy other work is under way in this thread, which has a turn first
   * @param limit_ms none after so long; -1: no limit
   */
  next(busy: boolean, limit_ms: number): Soon<EpollEvent[]> {
    if (performance.now() >= this.#yield_at) return this.#nextInThread(limit_ms);
    if (busy) return this.#nextBeside(limit_ms);
    const events = this.#waiter.wait(LINGER_MS);
    return events.length > 0 ? events : this.#nextInThread(limit_ms);
  }

  async #nextBeside(limit_ms: number): Promise<EpollEvent[]> {
    this.#waiting = true;
    await new Promise((resolve) => setImmediate(resolve));
    this.#waiting = false;
    const events = this.#waiter.wait(LINGER_BUSY_MS);
    return events.length > 0 ? events : await this.#nextInThread(limit_ms);
  }

  async #nextInThread(limit_ms: number): Promise<EpollEvent[]> {
    this.#waiting = true;
    const events = await epoll_wait(this.#epoll, EVENTS_MAX, limit_ms);
    this.#waiting = false;
    this.#yield_at = events.length > 0 ? performance.now() + TURN_MS : 0;
    return events;
  }

  /** Ends a wait in another thread. A full pipe wakes as well. */
  wake(): void {
    if (this.#waiting) write(this.#wakeup[1], Uint8Array.of(1));
  }

  /** Takes the event of `fd`, if it is that of `wake`. */
  endWakeup(fd: number): void {
    if (fd === this.#wakeup[0]) read(fd, new Uint8Array(64));
  }

  close(): void {
    [this.#epoll, ...this.#wakeup].forEach(close);
  }
}
