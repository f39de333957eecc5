/** Waits for a socket, and notices at once when the reader of an output has gone. */
import { EPOLL_CTL_ADD, EPOLLERR, EPOLLHUP, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { epoll_create1, epoll_ctl, EpollWaiter } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { check, LuoError } from "../error.ts";

export class HangupWatch implements Disposable {
  readonly #waiter: EpollWaiter;

  readonly output: number;

  /** `output` is the writing end of a pipe or socket. Files have no reader, and are not watched. */
  constructor(socket: number, output: number) {
    this.output = output;
    this.#waiter = new EpollWaiter(check(epoll_create1(), "epoll_create1", "the answer"), 2);
    check(epoll_ctl(this.#waiter.epfd, EPOLL_CTL_ADD, socket, EPOLLIN), "epoll_ctl", "the socket");
    // The kernel reports EPOLLERR and EPOLLHUP unasked. It answers EPERM for a regular file or /dev/null.
    epoll_ctl(this.#waiter.epfd, EPOLL_CTL_ADD, output, 0);
  }

  /** Returns when the socket is ready, or a signal came. @throws LuoError `write`: EPIPE the reader of the output has gone */
  wait(): void {
    const events = this.#waiter.wait(-1);
    if (events.some(({ fd, events }) => fd === this.output && events & (EPOLLERR | EPOLLHUP))) {
      throw new LuoError("write", "the output", Errno.EPIPE);
    }
  }

  [Symbol.dispose](): void {
    close(this.#waiter.epfd);
  }
}
