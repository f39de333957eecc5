/** A connection to the agent without any waiting: bytes and file descriptors out, messages in. Both clients are built on it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { SCM_MAX_FD } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { MessageReceiver, sendmsg } from "../../ffi/socket.ts";
import { check, LuoError } from "../error.ts";
import { ConnectionEnded } from "./client_errors.ts";
import { INTERFACE } from "./protocol.ts";
import { encodeMessage, Framer, type Message } from "./varlink.ts";

/**
 * The longest answer that is read, in bytes: a million files in one status, or in one session. A string of V8 has 512 MiB at most. Lists
 * come in pages.
 */
const REPLY_MAX = 384 << 20;

/** A request that is being sent. */
export class Outgoing {
  #rest: Uint8Array;
  #fds: readonly number[];

  /** The descriptors stay the caller's. They must be open until the request is sent. */
  constructor(method: string, parameters: object, fds: readonly number[], flags: object = {}) {
    this.#rest = encodeMessage({ method: `${INTERFACE}.${method}`, parameters, ...flags });
    this.#fds = fds;
  }

  /** Whether all of it is sent. */
  get sent(): boolean {
    return this.#rest.length === 0;
  }

  /** Sends as much as the socket takes. "gone": the agent has hung up; an answer may be there that says why. */
  pass(socket: number): "sent" | "wait" | "gone" {
    while (!this.sent) {
      const bytes = sendmsg(socket, this.#rest, this.#fds);
      if (bytes === -Errno.EAGAIN || bytes === -Errno.EINTR) return "wait";
      if (bytes === -Errno.EPIPE || bytes === -Errno.ECONNRESET) return "gone";
      check(bytes, "send", "the request");
      this.#rest = this.#rest.subarray(bytes);
      this.#fds = [];
    }
    return "sent";
  }
}

/** The messages that come in at a socket that does not block. */
export class Incoming {
  readonly #framer = new Framer(REPLY_MAX, SCM_MAX_FD);
  readonly #messages: Message[] = [];
  readonly #receiver = new MessageReceiver(new Uint8Array(65536), SCM_MAX_FD);

  /** Whether a message is here already, so that there is nothing to wait for. */
  get ready(): boolean {
    return this.#messages.length > 0;
  }

  /** The next message; undefined: none is there yet. @throws ConnectionEnded; LuoError `receive` */
  next(socket: number, request: Outgoing): Message | undefined {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      const got = this.#receiver.receive(socket);
      if (got === -Errno.EAGAIN || got === -Errno.EINTR) return undefined;
      if (got === -Errno.ECONNRESET) {
        throw new ConnectionEnded("The connection to the agent was reset", request.sent);
      }
      if (typeof got === "number") throw new LuoError("receive", "the agent's answer", -got);
      if (got.bytes === 0) throw new ConnectionEnded("The agent ended the connection", request.sent);
      this.#messages.push(...this.#framer.push(this.#receiver.into.subarray(0, got.bytes), got.fds));
    }
  }

  /** Closes the descriptors of messages that no call took. */
  drop(): void {
    for (const { fds } of this.#messages.splice(0)) fds.forEach(close);
    this.#framer.drop().forEach(close);
  }
}
