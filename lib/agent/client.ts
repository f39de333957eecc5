import { close } from "../../ffi/file.ts";
import { recvmsg, sendmsg, unix_connect } from "../../ffi/socket.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { SCM_MAX_FD, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { check, LuoError } from "../error.ts";
import { type ErrorName, type Errors, INTERFACE, type MethodName, type Methods } from "./protocol.ts";
import { decodeReply, encodeMessage, Framer, type Json, type Message, ProtocolError } from "./varlink.ts";

/** Bytes of the longest answer that is believed. */
const REPLY_MAX = 64 << 20;

/** The agent's own error. `code` is its name without the interface; `parameters` are as `Errors` says. */
export class AgentError<N extends ErrorName = ErrorName> extends Error {
  override readonly name = "AgentError";

  constructor(readonly code: N, readonly parameters: Errors[N]) {
    super(`${INTERFACE}.${code}: ${JSON.stringify(parameters)}`);
  }

  is<M extends ErrorName>(code: M): this is AgentError<M> {
    return (this.code as ErrorName) === code;
  }
}

/** The agent did not understand: an error of org.varlink.service, or an answer that is not Varlink. */
export class AgentProtocolError extends Error {
  override readonly name = "AgentProtocolError";
}

/** The connection ended before the answer: the agent ended or was killed, or its kernel did (a kexec). */
export class ConnectionEnded extends Error {
  override readonly name = "ConnectionEnded";
}

export interface Answer<M extends MethodName> {
  readonly reply: Methods[M]["reply"];
  /** The caller's to close. */
  readonly fds: number[];
}

/**
 * Connects to the agent's socket.
 *
 * @throws LuoError `connect`: ENOENT, ECONNREFUSED (nobody listens), EACCES, ENAMETOOLONG
 */
export function connectAgent(socket: string): AgentClient {
  return new AgentClient(check(unix_connect(socket, SOCK_STREAM), "connect", `"${socket}"`));
}

/** One connection, one call at a time; it waits in the system call, as a command may. */
export class AgentClient implements Disposable {
  #fd: number;
  readonly #framer = new Framer(REPLY_MAX, SCM_MAX_FD);
  readonly #messages: Message[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws AgentError, AgentProtocolError, ConnectionEnded */
  call<M extends MethodName>(
    method: M,
    parameters: Methods[M]["request"],
    fds: readonly number[] = [],
  ): Answer<M> {
    this.#send(method, parameters, fds);
    return this.#receive<M>().answer;
  }

  /** True when the connection ended instead of an answer, false when an answer came. */
  callUntilEnd<M extends MethodName>(method: M, parameters: Methods[M]["request"]): boolean {
    try {
      this.call(method, parameters);
      return false;
    } catch (error) {
      if (error instanceof ConnectionEnded) return true;
      throw error;
    }
  }

  /** An answer now and one after every change, until the caller stops or the connection ends. */
  *more<M extends MethodName>(method: M, parameters: Methods[M]["request"]): Generator<Answer<M>> {
    this.#send(method, parameters, [], { more: true });
    for (;;) {
      const { answer, continues } = this.#receive<M>();
      yield answer;
      if (!continues) return;
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
    for (const { fds } of this.#messages.splice(0)) fds.forEach(close);
    this.#framer.drop().forEach(close);
  }

  #send(method: string, parameters: object, fds: readonly number[], flags: object = {}): void {
    let rest = encodeMessage({ method: `${INTERFACE}.${method}`, parameters, ...flags });
    let pending = fds;
    while (rest.length > 0) {
      const sent = sendmsg(this.#fd, rest, pending);
      // An agent that turned us away has an answer waiting, which says why.
      if (sent === -Errno.EPIPE || sent === -Errno.ECONNRESET) return;
      check(sent, "send", "the request");
      rest = rest.subarray(sent);
      pending = [];
    }
  }

  #receive<M extends MethodName>(): { answer: Answer<M>; continues: boolean } {
    const message = this.#message();
    const { parameters, continues = false, error } = decoded(message);
    if (error === undefined) {
      return { answer: { reply: parameters as Methods[M]["reply"], fds: message.fds }, continues };
    }
    message.fds.forEach(close);
    if (!error.startsWith(`${INTERFACE}.`)) {
      throw new AgentProtocolError(`The agent answers ${error} ${JSON.stringify(parameters)}`);
    }
    // The agent is of this very program: what its errors carry is what `Errors` says.
    throw new AgentError(error.slice(INTERFACE.length + 1) as ErrorName, parameters as Json as never);
  }

  #message(): Message {
    const into = new Uint8Array(65536);
    for (;;) {
      const next = this.#messages.shift();
      if (next !== undefined) return next;
      const got = recvmsg(this.#fd, into, SCM_MAX_FD);
      if (got === -Errno.ECONNRESET) throw new ConnectionEnded("The connection to the agent was reset");
      if (got === -Errno.EINTR) continue;
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
