/** The client of the agent whose calls do not block the thread: each call has a connection of its own. */
import { Errno } from "../../ffi/abi/errno.ts";
import { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLLIN, EPOLLOUT } from "../../ffi/abi/epoll.ts";
import { SHUT_RDWR, SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { epoll_create1, epoll_ctl, epoll_wait } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { shutdown, unix_connect } from "../../ffi/socket.ts";
import { check, LuoError } from "../error.ts";
import { PlaceChange } from "../waits/place_change.ts";
import { type Answer, answerOf, readReply, type Reply } from "./client_answer.ts";
import { ConnectionEnded } from "./client_errors.ts";
import { Incoming, Outgoing } from "./client_wire.ts";
import type { MethodName, Methods } from "./protocol.ts";

/** The options of a call, beside the parameters of its method. */
export interface CallOptions {
  /** Descriptors to send with the request. They stay the caller's, and must be open until the call is over. */
  readonly fds?: readonly number[] | undefined;
  /** Ends the wait: the call rejects with the signal's reason. The agent still acts on a request that it has read. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How often a client tries again while the listener's backlog is full. A connect(2) that does not block leaves nothing to wait for, and
 * one that blocks in another thread cannot be aborted.
 */
const BACKLOG_STEP_MS = 20;
/** The longest time in one thread of Deno's pool. Many waits take turns in 32 threads; each ends at its event. */
const TURN_MS = 1000;

/**
 * A client of the agent at a socket. Every call makes a connection of its own, so calls run side by side, one that is aborted
 * disturbs no other, and after a kexec the next call reaches the agent of the next kernel.
 */
export class AsyncAgentClient {
  /** The path of the agent's socket. */
  readonly socket: string;

  /** A client for the socket at this path. It connects when a method is called. */
  constructor(socket: string) {
    this.socket = socket;
  }

  /**
   * Calls a method and resolves to its answer.
   *
   * @throws AgentError, AgentProtocolError, ConnectionEnded; LuoError `connect`: ENOENT, ECONNREFUSED (nothing listens), EACCES
   */
  async call<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    { fds = [], signal }: CallOptions = {},
  ): Promise<Answer<M>> {
    using connection = await Connection.open(this.socket, signal);
    const request = new Outgoing(method, parameters, fds);
    await connection.send(request);
    return answerOf<M>(await connection.receive(request));
  }

  /**
   * Calls a method that ends the agent or its kernel (`ExecImage`). True when the connection ended in place of an answer, false
   * when an answer came.
   *
   * @throws what `call` throws, but ConnectionEnded only when the request was not sent
   */
  async callUntilEnd<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    options: CallOptions = {},
  ): Promise<boolean> {
    try {
      (await this.call(method, parameters, options))[Symbol.dispose]();
      return false;
    } catch (error) {
      if (error instanceof ConnectionEnded && error.sent) return true;
      throw error;
    }
  }

  /**
   * An answer now and one after every change: `for await (const { reply } of client.more("GetStatus", {}))`. Leaving the loop ends
   * the connection of this call alone. Only the signal ends a wait for a change that does not come.
   *
   * @throws what `call` throws; ConnectionEnded when the agent or its kernel ends
   */
  async *more<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    { fds = [], signal }: CallOptions = {},
  ): AsyncGenerator<Answer<M>> {
    using connection = await Connection.open(this.socket, signal);
    const request = new Outgoing(method, parameters, fds, { more: true });
    await connection.send(request);
    for (;;) {
      const reply = await connection.receive(request);
      yield answerOf<M>(reply);
      if (!reply.continues) return;
    }
  }

  /**
   * Resolves when an agent answers at the socket, to what it says about itself: after a kexec the agent of the next kernel needs a
   * moment. Give a signal, `AbortSignal.timeout(ms)`, to limit the wait.
   *
   * @throws AgentError, AgentProtocolError; LuoError `connect`: EACCES
   */
  async ready(signal?: AbortSignal): Promise<Methods["Identify"]["reply"]> {
    using place = new PlaceChange(this.socket);
    for (;;) {
      try {
        return (await this.call("Identify", {}, { signal })).reply;
      } catch (error) {
        if (!isAbsence(error)) throw error;
      }
      await place.next(signal);
      signal?.throwIfAborted();
    }
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof ConnectionEnded ||
    error instanceof LuoError && error.operation === "connect" &&
      (error.is("ENOENT") || error.is("ECONNREFUSED"));
}

/** Waits, and rejects at once when the signal is aborted. */
function pause(wait_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, wait_ms);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

/** One connection, for one call. */
class Connection implements Disposable {
  readonly #fd: number;
  readonly #epoll: number;
  readonly #signal: AbortSignal | undefined;
  readonly #incoming = new Incoming();
  /** A socket that is shut down is ready for everything, so the wait in the other thread ends. */
  readonly #wake = () => void shutdown(this.#fd, SHUT_RDWR);

  private constructor(fd: number, signal: AbortSignal | undefined) {
    this.#fd = fd;
    this.#signal = signal;
    this.#epoll = epoll_create1();
    signal?.addEventListener("abort", this.#wake);
  }

  static async open(socket: string, signal: AbortSignal | undefined): Promise<Connection> {
    for (;;) {
      signal?.throwIfAborted();
      const fd = unix_connect(socket, SOCK_STREAM | SOCK_NONBLOCK);
      if (fd !== -Errno.EAGAIN) {
        const connection = new Connection(check(fd, "connect", `"${socket}"`), signal);
        connection.#check();
        return connection;
      }
      // The listener's backlog is full.
      await pause(BACKLOG_STEP_MS, signal);
    }
  }

  async send(request: Outgoing): Promise<void> {
    while (request.pass(this.#fd) === "wait") await this.#ready(EPOLLOUT);
    this.#signal?.throwIfAborted();
  }

  async receive(request: Outgoing): Promise<Reply> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const message = this.#incoming.next(this.#fd, request);
      if (message !== undefined) return readReply(message);
      await this.#ready(EPOLLIN);
    }
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#wake);
    close(this.#fd);
    if (this.#epoll >= 0) close(this.#epoll);
    this.#incoming.drop();
  }

  #check(): void {
    try {
      check(this.#epoll, "epoll_create1", "the connection");
      check(epoll_ctl(this.#epoll, EPOLL_CTL_ADD, this.#fd, 0), "epoll_ctl", "the connection");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  async #ready(events: number): Promise<void> {
    epoll_ctl(this.#epoll, EPOLL_CTL_MOD, this.#fd, events);
    while ((await epoll_wait(this.#epoll, 1, TURN_MS)).length === 0);
  }
}
