/** Waits until something changes in a directory, by inotify: a socket comes or goes, a lock is let go. */
import { EPOLL_CTL_ADD, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { epoll_create1, epoll_ctl, EpollWaiter } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import {
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_IGNORED,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  inotify_add_watch,
  inotify_init1,
  inotify_read,
} from "../../ffi/watch.ts";
import { check } from "../error.ts";

const CHANGES = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_CLOSE_WRITE |
  IN_MOVE_SELF;
/**
 * Some moments have no event of their own, and come just after one that has: listen(2) after the bind(2) that makes the socket, the
 * end of a flock after the event of its last close (fs/file_table.c: fsnotify_close comes before locks_remove_file). So a wait ends
 * after a millisecond at first, and then after twice the time of the last one, until the next event.
 */
const FIRST_MS = 1;
const LAST_MS = 1000;
/** The system has no inotify instance left (fs.inotify.max_user_instances): nothing tells of changes. */
const BLIND_MS = 10;
const EVENTS_MAX = 4;

/** Made before the first look at the place, so that no change comes between the look and the wait. */
export class PlaceWatch implements Disposable {
  readonly #waiter = new EpollWaiter(check(epoll_create1(), "epoll_create1", "a wait"), EVENTS_MAX);
  readonly #directory: string;
  #inotify = -1;
  #watched: string | undefined;
  #patience_ms = FIRST_MS;

  /** Watches the directory of `path`; while it does not exist, the next one above that does. */
  constructor(path: string) {
    this.#directory = directoryOf(path);
    this.#watch();
  }

  #watch(): void {
    if (this.#inotify >= 0) close(this.#inotify);
    this.#watched = undefined;
    this.#inotify = inotify_init1();
    if (this.#inotify < 0) return;
    this.add(this.#inotify);
    let directory = this.#directory;
    while (inotify_add_watch(this.#inotify, directory, CHANGES) < 0) {
      if (directory === "/" || directory === ".") return;
      directory = directoryOf(directory);
    }
    this.#watched = directory;
  }

  /** Can be read after a change. */
  get fd(): number {
    return this.#waiter.epfd;
  }

  /** A wait also ends when this fd can be read. Closing the fd takes it out. */
  add(fd: number): void {
    check(epoll_ctl(this.#waiter.epfd, EPOLL_CTL_ADD, fd, EPOLLIN), "epoll_ctl", `descriptor ${fd}`);
  }

  /** Blocks this thread until a look at the place may find something else, `limit_ms` at most. @returns the added fds that are ready */
  wait(limit_ms: number): number[] {
    return this.#noted(this.#waiter.wait(Math.max(0, Math.ceil(Math.min(limit_ms, this.step_ms)))));
  }

  /** How long the next wait lasts at most, in ms. */
  get step_ms(): number {
    return this.#watched === undefined ? BLIND_MS : this.#patience_ms;
  }

  #noted(ready: readonly { readonly fd: number }[]): number[] {
    const changed = ready.some(({ fd }) => fd === this.#inotify);
    this.#patience_ms = changed ? FIRST_MS : Math.min(2 * this.#patience_ms, LAST_MS);
    if (changed) {
      const moved = inotify_read(this.#inotify).some(({ mask }) => mask & (IN_IGNORED | IN_MOVE_SELF));
      if (moved || this.#watched !== this.#directory) this.#watch();
    }
    return ready.map(({ fd }) => fd).filter((fd) => fd !== this.#inotify);
  }

  [Symbol.dispose](): void {
    if (this.#inotify >= 0) close(this.#inotify);
    close(this.#waiter.epfd);
  }
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}
