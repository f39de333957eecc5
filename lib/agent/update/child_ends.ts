/** Waits for the ends of child processes, all in one other thread: Deno has 32, and the agent needs some of them. */
import { EPOLL_CTL_ADD, EPOLLIN } from "../../../ffi/abi/epoll.ts";
import { epoll_create1, epoll_ctl, epoll_wait } from "../../../ffi/epoll.ts";
import { close } from "../../../ffi/file.ts";
import { child_end, pidfd_open } from "../../../ffi/process.ts";

const EVENTS_MAX = 64;

/** Children whose ends are awaited. */
export class ChildEnds {
  /** The waits, by pidfd: a pidfd can be read when its process has ended (pidfd_open(2)). */
  readonly #waiting = new Map<number, () => void>();
  /** Open while a child is awaited. */
  #epoll = -1;
  #running = false;

  /** Until the child has ended. It stays to be waited for with waitpid(2). Without free file descriptors this takes a thread of its own. */
  async wait(pid: number): Promise<void> {
    const pidfd = pidfd_open(pid);
    if (pidfd < 0) return await child_end(pid);
    if (this.#epoll < 0) this.#epoll = epoll_create1();
    if (epoll_ctl(this.#epoll, EPOLL_CTL_ADD, pidfd, EPOLLIN) < 0) {
      close(pidfd);
      return await child_end(pid);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(pidfd, resolve);
    if (!this.#running) void this.#run();
    await promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0) {
      for (const { fd } of await epoll_wait(this.#epoll, EVENTS_MAX, -1)) {
        this.#waiting.get(fd)?.();
        this.#waiting.delete(fd);
        // Closing it takes it out of the epoll.
        close(fd);
      }
    }
    close(this.#epoll);
    this.#epoll = -1;
    this.#running = false;
  }
}
