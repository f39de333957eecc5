/** Waits in another thread until some of its fds are ready, so that signals and other work have their turn meanwhile. */
import { EPOLL_CTL_ADD, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { epoll_create1, epoll_ctl, epoll_wait } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { check } from "../error.ts";
import { Wakeup } from "./wakeup.ts";

const EVENTS_MAX = 16;

export class FdWait implements Disposable {
  readonly #epoll = check(epoll_create1(), "epoll_create1", "a wait");
  readonly #wakeup = new Wakeup();

  constructor() {
    this.add(this.#wakeup.fd);
  }

  /** Closing the fd takes it out. */
  add(fd: number, events: number = EPOLLIN): void {
    check(epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, events), "epoll_ctl", `descriptor ${fd}`);
  }

  /** The fds that are ready; none after `limit_ms` (-1: no limit), or when the signal is aborted. One wait at a time. */
  async next(limit_ms: number, signal?: AbortSignal): Promise<number[]> {
    if (signal?.aborted) return [];
    const wake = () => this.#wakeup.wake();
    signal?.addEventListener("abort", wake);
    try {
      const ready = await epoll_wait(this.#epoll, EVENTS_MAX, limit_ms);
      return ready.map(({ fd }) => fd).filter((fd) => fd !== this.#wakeup.fd);
    } finally {
      signal?.removeEventListener("abort", wake);
      this.#wakeup.take();
    }
  }

  /** No wait may go on: closing an epoll descriptor does not end it. */
  [Symbol.dispose](): void {
    close(this.#epoll);
    this.#wakeup[Symbol.dispose]();
  }
}
