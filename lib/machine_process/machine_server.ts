/**
 * The server of `luo machine run`: serves the system calls of its clients. Every host process that connects is one process of the
 * model, so killing a client kills a process of the model and not the machine.
 */
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, type EpollEvent, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { SOCK_NONBLOCK, SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { epoll_create1, epoll_ctl, epoll_wait, epoll_wait_blocking } from "../../ffi/epoll.ts";
import { close, dup_cloexec, lstat, unlink } from "../../ffi/file.ts";
import { geteuid } from "../../ffi/process.ts";
import { accept4, peer_credentials, unix_connect, unix_listen } from "../../ffi/socket.ts";
import { isPrivate, mayListen } from "../stale_socket.ts";
import { SocketPlace } from "../waits/socket_place.ts";
import { Wakeup } from "../waits/wakeup.ts";
import { check, LuoError } from "../error.ts";
import { ProcessKilled, type SystemCalls } from "../system_calls.ts";
import { dispatch } from "./dispatch.ts";
import { BadPacket, GOODBYE, type Packet, PacketReceiver, sendPacket } from "./packets.ts";

/** The machine of a model, as the server needs it. */
export interface Hardware {
  /** A new process. */
  spawn(): SystemCalls;
  /** SIGKILL. */
  kill(pid: number): unknown;
  /** The machine has no process, no waiting session and no loaded image: stopping it loses nothing. */
  readonly idle: boolean;
  /** Powered off, by reboot(2) or by a panic without a restart. */
  readonly off: boolean;
}

/** The most clients at a time. */
const CLIENTS_MAX = 64;
/** How long the server waits in its own thread before it waits in another one. */
const SOON_MS = 2;
const EVENTS_MAX = 32;
/** How often a machine whose socket was removed tries to make it again. */
const TROUBLE_MS = 1000;

interface Client {
  readonly socket: number;
  readonly sys: SystemCalls;
  readonly pid: number;
}

/** One machine and its clients. */
export class MachineServer {
  readonly #clients = new Map<number, Client>();
  #listener: number;
  /** The device and inode of the socket: at its path another machine may have made one since. */
  #identity: string;
  readonly #place: SocketPlace;
  readonly #epfd: number;
  readonly #packets = new PacketReceiver();
  readonly #wakeup = new Wakeup();
  #rounds = 0;
  /** An fd in reserve: closing it lets the server accept, and turn away, a client when fds have run out. */
  #spare: number;

  /**
   * Listens at `path`, mode 0600.
   *
   * @throws LuoError `listen`: EADDRINUSE (a machine runs there), ENOENT, EACCES, ENAMETOOLONG
   */
  constructor(
    readonly path: string,
    readonly hardware: Hardware,
    /** Whether something outside of the machine is of use only as long as this kernel runs. */
    readonly isNeeded: () => Promise<boolean> = () => Promise.resolve(false),
  ) {
    this.#listener = listen(path);
    this.#identity = identityOf(path);
    this.#place = new SocketPlace(path);
    this.#epfd = check(epoll_create1(), "epoll_create1", "");
    this.#watch(this.#listener);
    this.#watch(this.#wakeup.fd);
    if (this.#place.fd >= 0) this.#watch(this.#place.fd);
    this.#spare = dup_cloexec(this.#listener);
  }

  /** Serves until the machine is off, until its last client has left it idle and not needed, or until `signal` fires. Removes the socket. */
  async run(signal?: AbortSignal): Promise<void> {
    // The wait for events goes on in another thread: the signal alone would not end it.
    const wake = () => this.#wakeup.wake();
    signal?.addEventListener("abort", wake);
    try {
      while (!this.hardware.off && signal?.aborted !== true) {
        const events = await this.#next();
        if (events.length === 0 && await this.#isForgotten()) return;
        for (const { fd } of events) {
          if (fd === this.#wakeup.fd) this.#wakeup.take();
          else if (fd === this.#place.fd) this.#place.changed();
          else if (fd === this.#listener) this.#accept();
          else if (this.#serve(fd) === "goodbye" && await this.#endsWith(fd)) return;
        }
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      this.#stop();
    }
  }

  /** A client usually sends its next call at once, and waiting for it in this thread is faster. */
  #next(): EpollEvent[] | Promise<EpollEvent[]> {
    // Under load, too, wait asynchronously now and then: `signal` fires only then.
    const soon = ++this.#rounds % 256 === 0 ? [] : epoll_wait_blocking(this.#epfd, EVENTS_MAX, SOON_MS);
    return soon.length > 0 ? soon : epoll_wait(this.#epfd, EVENTS_MAX, this.#limit_ms);
  }

  /** Events alone end a wait, unless the socket was removed: nothing tells when it can be made again. */
  get #limit_ms(): number {
    return this.#place.fd < 0 || this.#place.sound ? -1 : TROUBLE_MS;
  }

  /**
   * Makes the socket again when something has removed it: no client could reach the kernel any more. Whether the machine can end, as no
   * client can reach it and nothing is in it.
   */
  async #isForgotten(): Promise<boolean> {
    if (this.#place.fd < 0 || this.#place.sound) return false;
    const directory = this.path.slice(0, this.path.lastIndexOf("/")) || "/";
    if (isPrivate(directory) && this.#listenAgain()) return false;
    return this.#clients.size === 0 && this.hardware.idle && !await this.isNeeded();
  }

  /** False: another machine runs at the path, or no socket can be made there. */
  #listenAgain(): boolean {
    this.#place.watch();
    if (identityOf(this.path) === this.#identity) return true;
    try {
      const listener = listen(this.path);
      // Closing the old socket ends its events.
      close(this.#listener);
      this.#listener = listener;
    } catch (error) {
      if (error instanceof LuoError) return false;
      throw error;
    }
    this.#identity = identityOf(this.path);
    this.#watch(this.#listener);
    this.#place.watch();
    return true;
  }

  #accept(): void {
    const socket = accept4(this.#listener, SOCK_NONBLOCK);
    if (socket === -Errno.EMFILE) this.#turnAway();
    if (socket < 0) return;
    const peer = peer_credentials(socket);
    const welcome = typeof peer === "object" && (peer.uid === 0 || peer.uid === geteuid());
    if (!welcome || this.#clients.size >= CLIENTS_MAX) {
      close(socket);
      return;
    }
    const sys = this.hardware.spawn();
    this.#clients.set(socket, { socket, sys, pid: sys.getpid() });
    this.#watch(socket);
  }

  /** Fds have run out: hangs up on the client, which would otherwise wait for ever and keep the listener readable. */
  #turnAway(): void {
    close(this.#spare);
    close(accept4(this.#listener, SOCK_NONBLOCK));
    this.#spare = dup_cloexec(this.#listener);
  }

  /** Serves one packet of a client. */
  #serve(socket: number): "goodbye" | undefined {
    const client = this.#clients.get(socket);
    if (client === undefined) return;
    try {
      const packet = this.#packets.receive(socket);
      if (typeof packet === "number" && packet === -Errno.EAGAIN) return;
      if (packet === undefined || typeof packet === "number") this.#kill(client);
      else if (packet.text === GOODBYE) return this.#goodbye(client, packet);
      else this.#answer(client, packet);
    } catch (error) {
      this.#failed(client, error);
    }
  }

  #answer(client: Client, packet: Packet): void {
    const { text, fds } = dispatch(client.sys, packet);
    const sent = sendPacket(client.socket, text, fds);
    for (const fd of fds) close(fd);
    // The client has ended, or it sends calls without reading the answers.
    if (sent < 0) this.#kill(client);
  }

  #goodbye(client: Client, packet: Packet): "goodbye" {
    for (const fd of packet.fds) close(fd);
    client.sys[Symbol.dispose]();
    return "goodbye";
  }

  /**
   * Whether the machine ends after this client's goodbye. Then the client is answered, by hanging up, when the socket is gone: a user
   * may remove its directory next.
   */
  async #endsWith(socket: number): Promise<boolean> {
    if (this.#clients.size === 1 && this.hardware.idle && !await this.isNeeded()) {
      // A new client may be waiting.
      this.#accept();
      if (this.#clients.size === 1) return true;
    }
    const client = this.#clients.get(socket);
    if (client !== undefined) this.#forget(client);
    return false;
  }

  #failed(client: Client, error: unknown): void {
    if (error instanceof ProcessKilled) return this.#reap(client);
    // Any other error ends this client only. An error that no client can cause is a defect of the model, so log it.
    if (!(error instanceof BadPacket)) console.error("Oops: a call of the model failed:", error);
    this.#kill(client);
  }

  /** The client's process has ended in its own call. After a kexec all other processes have ended too. */
  #reap(dead: Client): void {
    this.#forget(dead);
    const gone = [...this.#clients.values()].filter(({ sys }) => isGone(sys));
    for (const client of gone) this.#forget(client);
  }

  #kill(client: Client): void {
    if (!this.hardware.off) this.hardware.kill(client.pid);
    this.#forget(client);
  }

  #forget(client: Client): void {
    if (!this.#clients.delete(client.socket)) return;
    epoll_ctl(this.#epfd, EPOLL_CTL_DEL, client.socket);
    close(client.socket);
  }

  #watch(fd: number): void {
    check(epoll_ctl(this.#epfd, EPOLL_CTL_ADD, fd, EPOLLIN), "epoll_ctl", `descriptor ${fd}`);
  }

  #stop(): void {
    if (identityOf(this.path) === this.#identity) unlink(this.path);
    this.#place[Symbol.dispose]();
    for (const client of [...this.#clients.values()]) this.#forget(client);
    for (const fd of [this.#listener, this.#spare, this.#epfd]) close(fd);
    this.#wakeup[Symbol.dispose]();
  }
}

/** Empty: nothing is there. */
function identityOf(path: string): string {
  const there = lstat(path);
  return typeof there === "number" ? "" : `${there.dev}:${there.ino}`;
}

function isGone(sys: SystemCalls): boolean {
  try {
    sys.uname();
    return false;
  } catch (error) {
    if (error instanceof ProcessKilled) return true;
    throw error;
  }
}

/** A listening socket at `path`. Replaces the socket of a dead machine, never that of a running one. */
function listen(path: string): number {
  mayListen(path);
  const probe = unix_connect(path, SOCK_SEQPACKET | SOCK_NONBLOCK);
  if (probe === -Errno.ECONNREFUSED) unlink(path);
  if (probe >= 0) {
    close(probe);
    const subject = `machine at "${path}"`;
    throw new LuoError("listen", subject, Errno.EADDRINUSE, `Cannot start a ${subject}: one runs there`);
  }
  return check(unix_listen(path, SOCK_SEQPACKET | SOCK_NONBLOCK, 64), "listen", `machine at "${path}"`);
}
