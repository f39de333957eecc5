/** The client of the agent: blocking calls on one connection. */
import { POLLIN, POLLOUT } from "../../ffi/abi/fcntl.ts";
import { poll } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { recvmsg, sendmsg, unix_connect } from "../../ffi/socket.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { SCM_MAX_FD, SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { check, LuoError } from "../error.ts";
import { HangupWatch } from "./hangup.ts";
import { type ErrorName, type Errors, INTERFACE, type MethodName, type Methods } from "./protocol.ts";
import { decodeReply, encodeMessage, Framer, type Json, type Message, ProtocolError } from "./varlink.ts";

/** The longest answer that is read, in bytes. */
const REPLY_MAX = 64 << 20;

/** The agent's own error. `code` is its name without the interface; `parameters` are as `Errors` says. */
export class AgentError<N extends ErrorName = ErrorName> extends Error {
  /** The name of the class. */
  override readonly name = "AgentError";

  /** An error as the agent answered it. */
  constructor(readonly code: N, readonly parameters: Errors[N]) {
    super(`${INTERFACE}.${code}: ${JSON.stringify(parameters)}`);
  }

  /** Whether it is this error, with the parameters of that. */
  is<M extends ErrorName>(code: M): this is AgentError<M> {
    return (this.code as ErrorName) === code;
  }
}

/** The agent did not understand: an error of org.varlink.service, or an answer that is not Varlink. */
export class AgentProtocolError extends Error {
  /** The name of the class. */
  override readonly name = "AgentProtocolError";
}

/** The connection ended before the answer: the agent ended or was killed, or its kernel did (a kexec). */
export class ConnectionEnded extends Error {
  /** The name of the class. */
  override readonly name = "ConnectionEnded";
}

/** The agent did not answer in time: it is stopped or busy, or the listener is no agent. */
export class NoAnswer extends Error {
  /** The name of the class. */
  override readonly name = "NoAnswer";

  /** Without `method`, the listener did not even accept the connection. */
  constructor(readonly socket: string, readonly timeout_ms: number, readonly method?: MethodName) {
    super(`The agent at "${socket}" does not answer within ${timeout_ms / 1000} seconds`);
  }
}

/** A `timeout_ms` that never passes. */
export const NO_LIMIT: number = Infinity;

/** The answer of one call. */
export interface Answer<M extends MethodName> {
  /** Its parameters. */
  readonly reply: Methods[M]["reply"];
  /** The caller's to close. */
  readonly fds: number[];
}

/**
 * Connects to the agent's socket.
 *
 * @throws LuoError `connect`: ENOENT, ECONNREFUSED (nothing listens), EACCES, ENAMETOOLONG
 * @throws NoAnswer the listener accepts no connection in time
 */
export function connectAgent(socket: string, timeout_ms = NO_LIMIT): AgentClient {
  const deadline = new Deadline(timeout_ms, socket);
  for (;;) {
    const fd = unix_connect(socket, SOCK_STREAM | SOCK_NONBLOCK);
    // The listener's backlog is full. A connect(2) that blocks would wait without limit.
    if (fd !== -Errno.EAGAIN) return new AgentClient(check(fd, "connect", `"${socket}"`), socket);
    deadline.wait(-1, 0, BACKLOG_STEP_MS);
  }
}

const BACKLOG_STEP_MS = 10;

/** A way to wait for the socket. */
interface Wait {
  wait(fd: number, events: number): void;
}

/** The end of a wait. */
class Deadline implements Wait {
  readonly #end: number;

  constructor(readonly timeout_ms: number, readonly socket: string, readonly method?: MethodName) {
    this.#end = performance.now() + timeout_ms;
  }

  /** Waits until the fd is ready, a signal comes, or `step_ms` passes. @throws NoAnswer after the deadline */
  wait(fd: number, events: number, step_ms = STEP_MAX_MS): void {
    const left = this.#end - performance.now();
    if (left <= 0) throw new NoAnswer(this.socket, this.timeout_ms, this.method);
    poll(fd, events, Math.ceil(Math.min(left, step_ms)));
  }
}

/** A poll(2) takes a limit that fits an int. */
const STEP_MAX_MS = 60_000;

/** One connection, one call at a time. Waiting blocks this thread. */
export class AgentClient implements Disposable {
  #fd: number;
  readonly #framer = new Framer(REPLY_MAX, SCM_MAX_FD);
  readonly #messages: Message[] = [];

  /** Takes over a connected socket; `socket` is its path, for messages. */
  constructor(fd: number, readonly socket: string) {
    this.#fd = fd;
  }

  /** Calls a method and waits for its answer. @throws AgentError, AgentProtocolError, ConnectionEnded, NoAnswer */
  call<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    fds: readonly number[] = [],
    timeout_ms = NO_LIMIT,
  ): Answer<M> {
    const deadline = new Deadline(timeout_ms, this.socket, method);
    this.#send(method, parameters, fds, deadline);
    return this.#receive<M>(deadline).answer;
  }

  /** True when the connection ended instead of an answer, false when an answer came. */
  callUntilEnd<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    timeout_ms = NO_LIMIT,
  ): boolean {
    try {
      this.call(method, parameters, [], timeout_ms);
      return false;
    } catch (error) {
      if (error instanceof ConnectionEnded) return true;
      throw error;
    }
  }

  /**
   * An answer now and one after every change, until the caller stops or the connection ends. `timeout_ms` limits the wait for
   * the first answer. With `output_fd` the waits after that end with EPIPE when the reader of that descriptor has gone.
   */
  *more<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    timeout_ms = NO_LIMIT,
    output_fd?: number,
  ): Generator<Answer<M>> {
    let deadline: Wait = new Deadline(timeout_ms, this.socket, method);
    using hangup = output_fd === undefined ? undefined : new HangupWatch(this.#fd, output_fd);
    this.#send(method, parameters, [], deadline, { more: true });
    for (;;) {
      const { answer, continues } = this.#receive<M>(deadline);
      yield answer;
      if (!continues) return;
      deadline = hangup === undefined ? new Deadline(NO_LIMIT, this.socket) : hangup;
    }
  }

  /** Ends the connection, and closes the fds of messages that no call took. */
  [Symbol.dispose](): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
    for (const { fds } of this.#messages.splice(0)) fds.forEach(close);
    this.#framer.drop().forEach(close);
  }

  #send(
    method: string,
    parameters: object,
    fds: readonly number[],
    deadline: Wait,
    flags: object = {},
  ): void {
    let rest = encodeMessage({ method: `${INTERFACE}.${method}`, parameters, ...flags });
    let pending = fds;
    while (rest.length > 0) {
      const sent = sendmsg(this.#fd, rest, pending);
      if (sent === -Errno.EAGAIN || sent === -Errno.EINTR) {
        deadline.wait(this.#fd, POLLOUT);
        continue;
      }
      // An agent that turned us away has an answer waiting, which says why.
      if (sent === -Errno.EPIPE || sent === -Errno.ECONNRESET) return;
      check(sent, "send", "the request");
      rest = rest.subarray(sent);
      pending = [];
    }
  }

  #receive<M extends MethodName>(deadline: Wait): { answer: Answer<M>; continues: boolean } {
    const message = this.#message(deadline);
    const { parameters, continues = false, error } = decoded(message);
    if (error === undefined) {
      return { answer: { reply: parameters as Methods[M]["reply"], fds: message.fds }, continues };
    }
    message.fds.forEach(close);
    if (!error.startsWith(`${INTERFACE}.`)) {
      throw new AgentProtocolError(`The agent answers ${error} ${JSON.stringify(parameters)}`);
    }
    // The agent is of the same program, so its errors have the parameters of `Errors`.
    throw new AgentError(error.slice(INTERFACE.length + 1) as ErrorName, parameters as Json as never);
  }

  #message(deadline: Wait): Message {
    const into = new Uint8Array(65536);
    for (;;) {
      const next = this.#messages.shift();
      if (next !== undefined) return next;
      const got = recvmsg(this.#fd, into, SCM_MAX_FD);
      if (got === -Errno.ECONNRESET) throw new ConnectionEnded("The connection to the agent was reset");
      if (got === -Errno.EAGAIN || got === -Errno.EINTR) {
        deadline.wait(this.#fd, POLLIN);
        continue;
      }
      if (typeof got === "number") throw new LuoError("receive", "the agent's answer", -got);
      if (got.bytes === 0) throw new ConnectionEnded("The agent ended the connection");
      this.#messages.push(...this.#framer.push(into.subarray(0, got.bytes), got.fds));
    }
  }
}

function decoded(message: Message): ReturnType<typeof decodeReply> {
  try {
    return decodeReply(message.bytes);
  } catch (error) {
    message.fds.forEach(close);
    if (error instanceof ProtocolError) {
      throw new AgentProtocolError(`The agent's answer is ${error.message}`);
    }
    throw error;
  }
}
