/** Waits for fds, by epoll and by poll. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
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
import { ARCH, errno, libc, ret } from "./libc.ts";

export function epoll_create1(): Ret {
  return ret(libc().epoll_create1(EPOLL_CLOEXEC), errno[0]);
}

/** `operation`: EPOLL_CTL_ADD, MOD or DEL. Events of this entry name `fd`. */
export function epoll_ctl(epfd: number, operation: number, fd: number, events = 0): Ret {
  const event = encodeEpollEvent({ fd, events }, ARCH);
  return ret(libc().epoll_ctl(epfd, operation, fd, event), errno[0]);
}

/**
 * The next events, at most `max`; none after `timeout_ms` (-1: no limit) or a signal. The call occupies one of the 32 threads of
 * Deno's pool, so wait for one epoll descriptor at a time. Throws when `epfd` is no epoll descriptor: a mistake in the program.
 */
export async function epoll_wait(epfd: number, max: number, timeout_ms: number): Promise<EpollEvent[]> {
  const into = new Uint8Array(max * ARCH.epoll_event_size);
  let count = await libc().epoll_wait_nonblocking(epfd, into, max, timeout_ms);
  // The errno of the failure is in the other thread. Repeat the call in this thread, without waiting, to read its errno.
  if (count < 0) count = ret(libc().epoll_wait(epfd, into, max, 0), errno[0]);
  if (count < 0 && count !== -Errno.EINTR) {
    throw new TypeError(`Cannot wait for epoll descriptor ${epfd} (${errnoName(count)})`);
  }
  return decodeEpollEvents(into, Math.max(count, 0), ARCH);
}

/** `epoll_wait` in this thread: ten times as fast when an event comes soon, but it blocks the whole program. */
export function epoll_wait_blocking(epfd: number, max: number, timeout_ms: number): EpollEvent[] {
  return new EpollWaiter(epfd, max).wait(timeout_ms);
}

/** Waits repeatedly with one buffer. */
export class EpollWaiter {
  readonly #into: Uint8Array<ArrayBuffer>;

  readonly epfd: number;
  readonly max: number;

  constructor(epfd: number, max: number) {
    this.epfd = epfd;
    this.max = max;
    this.#into = new Uint8Array(max * ARCH.epoll_event_size);
  }

  /** Blocks this thread. No events after `timeout_ms` (-1: no limit) or a signal. */
  wait(timeout_ms: number): EpollEvent[] {
    const count = ret(libc().epoll_wait(this.epfd, this.#into, this.max, timeout_ms), errno[0]);
    return decodeEpollEvents(this.#into, Math.max(count, 0), ARCH);
  }
}

/** The longest limit that poll(2) takes: an int, 24 days. */
const POLL_MAX_MS = 2 ** 31 - 1;

/**
 * poll(2) of one fd: its `revents`, 0 after `timeout_ms` (0: do not wait; -1: no limit; a limit of more than 24 days counts as 24 days).
 * Blocks this thread.
 */
export function poll(fd: number, events: number, timeout_ms: number): Ret {
  const entry = encodePollFd(fd, events);
  const answer = ret(libc().poll(entry, 1n, Math.min(timeout_ms, POLL_MAX_MS)), errno[0]);
  return answer < 0 ? answer : decodePollFd(entry);
}
