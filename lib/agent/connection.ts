/** One client of the Varlink server: the bytes that come in and those that wait to go out. */
import { EPOLLIN } from "../../ffi/abi/epoll.ts";
import { Errno, errnoName } from "../../ffi/abi/errno.ts";
import { close } from "../../ffi/file.ts";
import { sendmsg } from "../../ffi/socket.ts";
import type { Peer } from "./access.ts";
import type { Listener } from "./listener.ts";
import { Framer, type Message, ProtocolError } from "./varlink.ts";

/** Bytes of the longest request. */
export const MESSAGE_MAX = 1 << 20;
/** File descriptors that one request may carry. */
export const MESSAGE_FDS_MAX = 8;
/** Bytes of answers that may wait for a client that does not read them. A single answer may have more: it was asked for. */
const WAITING_MAX = 16 << 20;

/** Descriptors that are kept open for one client. */
const HELD_MAX = 64;

interface Outgoing {
  bytes: Uint8Array;
  /** Closed when they are sent. */
  fds: readonly number[];
}

/** One client: its non-blocking socket, the request that is incomplete, the answers that wait. */
export class Connection {
  readonly #framer = new Framer(MESSAGE_MAX, MESSAGE_FDS_MAX);
  readonly #outgoing: Outgoing[] = [];
  readonly #held: number[] = [];
  #waiting_bytes = 0;
  /** What the server waits for, as events of epoll(7). */
  watched = EPOLLIN;
  /** This subscriber has not been told of the last change yet. */
  behind = false;
  /** A call of this client waits to be tried again. */
  postponed = false;
  #closed = false;

  /** `peer` is the process that connected, at this listener. Its other connections may use its receiver between two messages. */
  constructor(readonly fd: number, readonly peer: Peer, readonly listener: Listener) {}

  get closed(): boolean {
    return this.#closed;
  }

  get waiting(): boolean {
    return this.#outgoing.length > 0;
  }

  /** Reads one piece and returns the messages that it completes: they are valid until the next one is read. Undefined: the client is gone. @throws ProtocolError */
  receive(): Message[] | undefined {
    const got = this.listener.receiver.receive(this.fd);
    if (got === -Errno.EAGAIN || got === -Errno.EINTR) return [];
    if (typeof got === "number" || got.bytes === 0) return undefined;
    if (got.truncated) {
      got.fds.forEach(close);
      throw new ProtocolError("too many file descriptors");
    }
    try {
      return this.#framer.push(this.listener.receiver.into.subarray(0, got.bytes), got.fds);
    } catch (error) {
      got.fds.forEach(close);
      throw error;
    }
  }

  /**
   * Sends as much as the socket takes and keeps the rest. Takes the fds over; `held` are closed when the connection ends.
   *
   * @throws ProtocolError too much waits or is held, ETOOMANYREFS
   */
  send(message: object, fds: readonly number[], held: readonly number[] = []): void {
    this.#held.push(...held);
    const bytes = this.listener.encoder.encode(message);
    const sent = this.waiting ? 0 : this.#pass(bytes, fds);
    if (sent === undefined || sent === bytes.length) return this.#checkHeld();
    // The encoder needs its memory for the next message.
    this.#outgoing.push({ bytes: bytes.slice(sent), fds: sent > 0 ? [] : fds });
    this.#waiting_bytes += bytes.length - sent;
    if (this.#outgoing.length > 1 && this.#waiting_bytes > WAITING_MAX) {
      throw new ProtocolError("it does not read its answers");
    }
    this.#checkHeld();
  }

  /** @throws ProtocolError */
  #checkHeld(): void {
    if (this.#held.length > HELD_MAX) throw new ProtocolError("it lets too many files be held open");
  }

  flush(): void {
    for (let first = this.#outgoing[0]; first !== undefined; first = this.#outgoing[0]) {
      const { fds } = first;
      first.fds = [];
      const sent = this.#pass(first.bytes, fds);
      if (sent === 0) first.fds = fds;
      if (sent === undefined || sent === 0) return;
      first.bytes = first.bytes.subarray(sent);
      this.#waiting_bytes -= sent;
      if (first.bytes.length === 0) this.#outgoing.shift();
    }
  }

  /**
   * Sends as much as the socket takes, and closes the fds unless that is nothing. Returns the number of bytes; undefined: the client is gone.
   *
   * @throws ProtocolError ETOOMANYREFS
   */
  #pass(bytes: Uint8Array, fds: readonly number[]): number | undefined {
    const sent = sendmsg(this.fd, bytes, fds);
    if (sent === -Errno.EAGAIN) return 0;
    fds.forEach(close);
    if (sent >= 0) return sent;
    this.#drop();
    if (sent !== -Errno.EPIPE && sent !== -Errno.ECONNRESET) {
      throw new ProtocolError(`an answer cannot be sent (${errnoName(-sent)})`);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.fd);
    [...this.#framer.drop(), ...this.#held.splice(0)].forEach(close);
    this.#drop();
  }

  /** Drops all answers, because the client is gone. epoll reports that as a hang-up. */
  #drop(): void {
    for (const { fds } of this.#outgoing.splice(0)) fds.forEach(close);
    this.#waiting_bytes = 0;
  }
}
