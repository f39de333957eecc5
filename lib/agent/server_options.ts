/** Between the Varlink server and its user: how calls are answered, now or later. */
import { close } from "../../ffi/file.ts";
import type { Peer } from "./access.ts";
import type { ListenerOptions } from "./listener.ts";
import type { Soon } from "./soon.ts";
import type { Json, VarlinkCall, VarlinkError } from "./varlink.ts";

/** The answer of a handler: parameters, and fds that the server sends and then closes. */
export interface Reply {
  readonly parameters: Json;
  readonly fds?: readonly number[];
  /** Descriptors that stay open as long as the connection: the client opens their files by a path in /proc. */
  readonly held?: readonly number[];
}

export interface ServerOptions {
  /** The sockets at which clients come in. */
  readonly listeners: readonly ListenerOptions[];
  /**
   * Answers one call of the process `peer`. The server waits for the answer, so that calls of all clients happen one after the
   * other.
   *
   * @throws VarlinkError, NotYet
   */
  readonly handle: (call: VarlinkCall, peer: Peer) => Soon<Reply>;
  /**
   * Takes a call that is answered later, while other calls are answered: it calls `take`, once. False: it is no such call, and `take`
   * was not called. The fds that it keeps it takes out of the call's list.
   */
  readonly takesLater?: (call: VarlinkCall, peer: Peer, take: () => Answers) => boolean;
  /** Whether this call, made with `more`, is answered again after every change. */
  readonly subscribes: (call: VarlinkCall) => boolean;
  /** Gets a line for each client that was cut off, with the reason. */
  readonly log: (line: string) => void;
}

/** The answers to a call that was taken to be answered later. The client can make no other call on the connection until the last one. */
export interface Answers {
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
  /** An answer before the last one. A client that did not ask for `more` does not get it. */
  continue(reply: Reply): void;
  /** The last answer. */
  end(reply: Reply): void;
  fail(error: VarlinkError): void;
}

/** The answers to a call that are given later: `send` sends one message, `last` the last one. */
export function answersTo(
  call: VarlinkCall,
  gone: AbortSignal,
  send: (message: object, fds: readonly number[]) => void,
  last: (message: object, fds: readonly number[]) => void,
): Answers {
  return {
    gone,
    continue: ({ parameters, fds = [] }) =>
      call.more ? send({ parameters, continues: true }, fds) : fds.forEach(close),
    end: ({ parameters, fds = [] }) => last({ parameters }, fds),
    fail: ({ error, parameters }) => last({ error, parameters }, []),
  };
}
