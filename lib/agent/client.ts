/** The client of the agent whose calls block: one connection, one call at a time. */
import { Errno } from "../../ffi/abi/errno.ts";
import { POLLIN, POLLOUT } from "../../ffi/abi/fcntl.ts";
import { SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { poll } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { unix_connect, unix_connect_within } from "../../ffi/socket.ts";
import { check } from "../error.ts";
import { type Answer, answerOf, readReply, type Reply } from "./client_answer.ts";
import { ConnectionClosed, ConnectionEnded, NoAnswer } from "./client_errors.ts";
import { Incoming, Outgoing } from "./client_wire.ts";
import { HangupWatch } from "./hangup.ts";
import type { MethodName, Methods } from "./protocol.ts";

export type { Answer, AnswerFds } from "./client_answer.ts";
export {
  AgentError,
  AgentProtocolError,
  ConnectionClosed,
  ConnectionEnded,
  NoAnswer,
} from "./client_errors.ts";

/** A `timeoutMs` that never passes. */
export const NO_LIMIT: number = Infinity;

/**
 * Connects to the agent's socket.
 *
 * @throws LuoError `connect`: ENOENT, ECONNREFUSED (nothing listens), EACCES, ENAMETOOLONG
 * @throws NoAnswer the listener accepts no connection in time
 */
export function connectAgent(socket: string, timeoutMs: number = NO_LIMIT): AgentClient {
  const deadline = new Deadline(timeoutMs, socket);
  let fd = unix_connect(socket, SOCK_STREAM | SOCK_NONBLOCK);
  // The listener's backlog is full.
  while (fd === -Errno.EAGAIN || fd === -Errno.EINTR) {
    fd = unix_connect_within(socket, SOCK_STREAM, deadline.left_ms);
  }
  return new AgentClient(check(fd, "connect", `"${socket}"`), socket);
}

/** A way to wait for the socket. */
interface Wait {
  wait(fd: number, events: number): void;
}

/** The end of a wait. */
class Deadline implements Wait {
  readonly #end: number;
  readonly #timeoutMs: number;
  readonly #socket: string;
  readonly #method: MethodName | undefined;

  constructor(timeoutMs: number, socket: string, method?: MethodName) {
    this.#end = performance.now() + timeoutMs;
    this.#timeoutMs = timeoutMs;
    this.#socket = socket;
    this.#method = method;
  }

  /** The time for the next wait: more than 0. @throws NoAnswer after the deadline */
  get left_ms(): number {
    const left = this.#end - performance.now();
    if (left <= 0) throw new NoAnswer(this.#socket, this.#timeoutMs, this.#method);
    return Math.ceil(Math.min(left, STEP_MAX_MS));
  }

  /** Waits until the fd is ready, or a signal comes. @throws NoAnswer after the deadline */
  wait(fd: number, events: number): void {
    poll(fd, events, this.left_ms);
  }
}

/** The limit of a poll(2) fits an int. */
const STEP_MAX_MS = 60_000;

/**
 * One connection to the agent, for one call at a time. Waiting blocks this thread. When an answer may still be on its way that no
 * call waits for (a call timed out, `more` was left early), the connection is closed, and later calls throw `ConnectionClosed`:
 * otherwise they would take that answer for their own.
 */
export class AgentClient implements Disposable {
  /** The path of the agent's socket, for messages. */
  readonly socket: string;
  #fd: number;
  /** The method whose answers `more` reads. */
  #streaming: MethodName | undefined;
  #why_closed = "it was disposed of";
  readonly #incoming = new Incoming();

  /** Takes over a connected socket that does not block (SOCK_NONBLOCK); `socket` is its path, for messages. */
  constructor(fd: number, socket: string) {
    this.#fd = fd;
    this.socket = socket;
  }

  /** Whether the connection is closed, the agent has ended it, or the agent has sent something that no call has asked for. */
  get ended(): boolean {
    return this.#fd < 0 || poll(this.#fd, POLLIN, 0) !== 0;
  }

  /**
   * Calls a method and waits for its answer. The descriptors that are sent stay the caller's; those of the answer are the caller's
   * too.
   *
   * @throws AgentError, AgentProtocolError, ConnectionClosed, ConnectionEnded, NoAnswer
   */
  call<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    fds: readonly number[] = [],
    timeoutMs: number = NO_LIMIT,
  ): Answer<M> {
    this.#checkFree(method);
    return answerOf<M>(this.#inStep(`the call of ${method} was not answered`, () => {
      const deadline = new Deadline(timeoutMs, this.socket, method);
      return this.#receive(this.#send(method, parameters, fds, deadline), deadline);
    }));
  }

  /**
   * Calls a method that ends the agent or its kernel (`ExecImage`). True when the connection ended in place of an answer, false
   * when an answer came.
   *
   * @throws AgentError, AgentProtocolError, ConnectionClosed, NoAnswer; ConnectionEnded before the request was sent
   */
  callUntilEnd<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    timeoutMs: number = NO_LIMIT,
  ): boolean {
    try {
      this.call(method, parameters, [], timeoutMs)[Symbol.dispose]();
      return false;
    } catch (error) {
      if (error instanceof ConnectionEnded && error.sent) return true;
      throw error;
    }
  }

  /**
   * An answer now and one after every change, until the connection ends or the caller stops. Stopping before the last answer closes
   * the connection. `timeoutMs` limits the wait for the first answer. With `outputFd` the waits after that end with EPIPE when
   * the reader of that descriptor has gone.
   *
   * @throws AgentError, AgentProtocolError, ConnectionClosed, ConnectionEnded, NoAnswer
   */
  *more<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    timeoutMs: number = NO_LIMIT,
    outputFd?: number,
    fds: readonly number[] = [],
  ): Generator<Answer<M>> {
    this.#checkFree(method);
    this.#streaming = method;
    let complete = false;
    try {
      let deadline: Wait = new Deadline(timeoutMs, this.socket, method);
      using hangup = outputFd === undefined ? undefined : new HangupWatch(this.#fd, outputFd);
      const request = this.#send(method, parameters, fds, deadline, { more: true });
      while (!complete) {
        const reply = this.#receive(request, deadline);
        complete = !reply.continues;
        yield answerOf<M>(reply);
        deadline = hangup ?? new Deadline(NO_LIMIT, this.socket);
      }
    } finally {
      this.#streaming = undefined;
      if (!complete) this.#close(`more("${method}") ended before the last answer`);
    }
  }

  /** Ends the connection, and closes the descriptors of messages that no call took. */
  [Symbol.dispose](): void {
    this.#close("it was disposed of");
  }

  #checkFree(method: MethodName): void {
    if (this.#streaming !== undefined) {
      throw new ConnectionClosed(
        `Cannot call ${method}: more("${this.#streaming}") has this connection; make another for other calls`,
      );
    }
    if (this.#fd < 0) {
      throw new ConnectionClosed(
        `Cannot call ${method}: this connection is closed, because ${this.#why_closed}; make another`,
      );
    }
  }

  /** Closes the connection when the work throws: then it is unknown which answers are still to come. */
  #inStep<T>(why_closed: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#close(why_closed);
      throw error;
    }
  }

  #close(why: string): void {
    if (this.#fd < 0) return;
    close(this.#fd);
    this.#fd = -1;
    this.#why_closed = why;
    this.#incoming.drop();
  }

  #send(
    method: MethodName,
    parameters: object,
    fds: readonly number[],
    deadline: Wait,
    flags: object = {},
  ): Outgoing {
    const request = new Outgoing(method, parameters, fds, flags);
    while (request.pass(this.#fd) === "wait") deadline.wait(this.#fd, POLLOUT);
    return request;
  }

  #receive(request: Outgoing, deadline: Wait): Reply {
    for (;;) {
      // First the wait: the answer is hardly ever there at once.
      if (!this.#incoming.ready) deadline.wait(this.#fd, POLLIN);
      const message = this.#incoming.next(this.#fd, request);
      if (message !== undefined) return readReply(message);
    }
  }
}
