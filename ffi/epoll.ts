/** Waiting for fds: epoll off the main thread, poll on it. A value >= 0 or -errno (see ffi/libc.ts). */
import {
  decodeEpollEvents,
  decodePollFd,
  encodeEpollEvent,
  encodePollFd,
  EPOLL_CLOEXEC,
  type EpollEvent,
} from "./abi/epoll.ts";
import { Errno, errnoName } from "./abi/errno.ts";
import type { Ret } from "./abi/values.ts";
import { ARCH, libc, ret } from "./libc.ts";

export function epoll_create1(): Ret {
  return ret(libc().epoll_create1(EPOLL_CLOEXEC));
}

/** `operation`: EPOLL_CTL_ADD, MOD or DEL; the event that comes back names `fd`. */
export function epoll_ctl(epfd: number, operation: number, fd: number, events = 0): Ret {
  const event = encodeEpollEvent({ fd, events }, ARCH);
  return ret(libc().epoll_ctl(epfd, operation, fd, event));
}

/**
 * The next events, at most `max` of them; none when `timeout_ms` passed (-1: no limit) or a signal came. Waits in a thread
 * of Deno's pool of 32: have one at a time. Throws for an `epfd` that is none, which is a mistake in the program.
 */
export async function epoll_wait(epfd: number, max: number, timeout_ms: number): Promise<EpollEvent[]> {
  const into = new Uint8Array(max * ARCH.epoll_event_size);
  let count = await libc().epoll_wait_nonblocking(epfd, into, max, timeout_ms);
  // errno belongs to the thread that waited. Ask here, without waiting, for one that can be read.
  if (count < 0) count = ret(libc().epoll_wait(epfd, into, max, 0));
  if (count < 0 && count !== -Errno.EINTR) {
    throw new TypeError(`Cannot wait for epoll descriptor ${epfd} (${errnoName(count)})`);
  }
  return decodeEpollEvents(into, Math.max(count, 0), ARCH);
}

/** The same without a thread in between: ten times as fast when an event is near, but nothing else runs meanwhile. */
export function epoll_wait_blocking(epfd: number, max: number, timeout_ms: number): EpollEvent[] {
  return new EpollWaiter(epfd, max).wait(timeout_ms);
}

/** For one who waits again and again: with a buffer that stays. */
export class EpollWaiter {
  readonly #into: Uint8Array<ArrayBuffer>;

  constructor(readonly epfd: number, readonly max: number) {
    this.#into = new Uint8Array(max * ARCH.epoll_event_size);
  }

  /** Blocks this thread; no events when `timeout_ms` passed (-1: no limit) or a signal came. */
  wait(timeout_ms: number): EpollEvent[] {
    const count = ret(libc().epoll_wait(this.epfd, this.#into, this.max, timeout_ms));
    return decodeEpollEvents(this.#into, Math.max(count, 0), ARCH);
  }
}

/** `revents` of one fd, 0 when `timeout_ms` passed (0: only look; -1: no limit). Blocks this thread. */
export function poll(fd: number, events: number, timeout_ms: number): Ret {
  const entry = encodePollFd(fd, events);
  const answer = ret(libc().poll(entry, 1n, timeout_ms));
  return answer < 0 ? answer : decodePollFd(entry);
}
