/** The sockets at which a Varlink server takes clients: in the events of its loop, and made again when they lose their paths. */
import { EPOLLIN } from "../../ffi/abi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Peer } from "./access.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import type { ServerEvents } from "./server_events.ts";

/** How often the server tries again what it cannot do now: accept a client without free fds, make its socket again. */
const TROUBLE_MS = 1000;

export class Listeners {
  readonly #all: readonly Listener[];

  constructor(
    options: readonly ListenerOptions[],
    readonly events: ServerEvents,
    readonly log: (line: string) => void,
  ) {
    this.#all = options.map((one) => new Listener(one));
    for (const { fd, place } of this.#all) {
      this.#add(fd);
      if (place !== undefined && place.fd >= 0) this.#add(place.fd);
    }
  }

  #add(fd: number): void {
    check(this.events.add(fd), "epoll_ctl", "the listening socket");
  }

  /** The listener with this socket. */
  at(fd: number): Listener | undefined {
    return this.#all.find((one) => one.fd === fd);
  }

  /** The listeners that had no fd for a client: a client may wait there, and no event tells of a free fd. */
  full(): Listener[] {
    return this.#all.filter(({ accepting }) => !accepting);
  }

  /** Takes an event of the watch on a socket's path. */
  placeChanged(fd: number): void {
    this.#all.find(({ place }) => place?.fd === fd)?.place?.changed();
  }

  /** Events alone end a wait, unless the cause of a trouble has no event: free fds, a path at which a socket can be made. */
  get limit_ms(): number {
    const calm = this.#all.every(({ accepting, place }) => accepting && place?.sound !== false);
    return calm ? -1 : TROUBLE_MS;
  }

  /** Without free fds a client stays in the backlog, and epoll would report the listener without end. Each turn tries again. */
  accept(listener: Listener): { readonly fd: number; readonly peer: Peer } | undefined {
    const before = listener.accepting;
    const client = listener.accept();
    const { fd, accepting } = listener;
    if (accepting === before) return client;
    if (!accepting) this.log("Cannot accept a client: no file descriptors left");
    this.events.change(fd, accepting ? EPOLLIN : 0);
    return client;
  }

  /** Makes the sockets again that have lost their paths. */
  replaceLost(): void {
    for (const listener of this.#all) {
      const { options, place } = listener;
      if (place === undefined || place.sound) continue;
      const fd = options.listenAgain?.();
      if (fd !== undefined) {
        // Closing the old socket ends its events.
        close(listener.fd);
        listener.fd = fd;
        listener.accepting = true;
        this.#add(fd);
      }
      place.watch();
    }
  }

  close(): void {
    for (const { fd, place } of this.#all) {
      close(fd);
      place?.[Symbol.dispose]();
    }
  }
}
