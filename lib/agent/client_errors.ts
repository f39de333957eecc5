/** The errors that a client of the agent throws. */
import { type ErrorName, type Errors, INTERFACE, type MethodName } from "./protocol.ts";

/**
 * The agent's own error. `code` is its name without the interface (`Refused`, `NoSuchSession`); `parameters` are those that
 * `Errors` describes for that name.
 */
export class AgentError<N extends ErrorName = ErrorName> extends Error {
  /** The name of the class. */
  override readonly name = "AgentError";
  /** The name of the error, without the interface. */
  readonly code: N;
  /** The parameters that the agent sent with the error. */
  readonly parameters: Errors[N];

  /** An error as the agent answered it. */
  constructor(code: N, parameters: Errors[N]) {
    super(`${INTERFACE}.${code}: ${JSON.stringify(parameters)}`);
    this.code = code;
    this.parameters = parameters;
  }

  /** Whether it is the error of that name; if so, `parameters` has the type of that error. */
  is<M extends ErrorName>(code: M): this is AgentError<M> {
    return (this.code as ErrorName) === code;
  }
}

/**
 * Agent and client do not understand each other: the answer is an error of org.varlink.service, or no Varlink, or lacks a file
 * descriptor that it names. The agent is of another version, or the listener is no agent.
 */
export class AgentProtocolError extends Error {
  /** The name of the class. */
  override readonly name = "AgentProtocolError";
}

/**
 * The connection ended before the answer: the agent ended or was killed, or its kernel did (a kexec). `sent` is false when the
 * agent cannot have read the whole request: then it did not act on it.
 */
export class ConnectionEnded extends Error {
  /** The name of the class. */
  override readonly name = "ConnectionEnded";
  /** Whether the whole request was sent. */
  readonly sent: boolean;

  /** The end of a connection, before or after the request was sent. */
  constructor(message: string, sent = true) {
    super(message);
    this.sent = sent;
  }
}

/**
 * A call on a connection that carries no more calls: it was disposed, or an answer to an earlier call may still arrive there (that
 * call timed out, or the answers of `more` were not read to their end). Connect again.
 */
export class ConnectionClosed extends Error {
  /** The name of the class. */
  override readonly name = "ConnectionClosed";
}

/** The agent did not answer in time: it is stopped or busy, or the listener is no agent. The call may still have its effect. */
export class NoAnswer extends Error {
  /** The name of the class. */
  override readonly name = "NoAnswer";
  /** The path of the agent's socket. */
  readonly socket: string;
  /** How long the client waited, in milliseconds. */
  readonly timeoutMs: number;
  /** The method that was called. Without it, the listener did not even accept the connection. */
  readonly method?: MethodName | undefined;

  /** The end of a wait for `method`, or for the connection. */
  constructor(socket: string, timeoutMs: number, method?: MethodName) {
    super(`The agent at "${socket}" does not answer within ${timeoutMs / 1000} seconds`);
    this.socket = socket;
    this.timeoutMs = timeoutMs;
    this.method = method;
  }
}
