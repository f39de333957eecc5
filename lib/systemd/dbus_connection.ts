/** A connection that speaks D-Bus: calls are sent together, and all their answers are waited for. */
import { POLLIN } from "../../ffi/abi/fcntl.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { poll } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { geteuid } from "../../ffi/process.ts";
import { recvmsg, sendmsg, unix_connect } from "../../ffi/socket.ts";
import { check, LuoError } from "../error.ts";
import { joined } from "../joined_bytes.ts";
import { type DbusAnswer, type DbusCall, decodeAnswer, encodeCall, messageLength } from "./dbus_message.ts";
import { DbusError } from "./dbus_values.ts";

/** Calls that are sent together. Their bytes fit the buffer of a socket, so that sending does not wait. */
const TOGETHER = 64;

export class DbusConnection implements Disposable {
  readonly #fd: number;
  readonly #socket: string;
  /** When the last answer must be there, by performance.now(). */
  readonly #end: number;
  readonly #into = new Uint8Array(1 << 16);
  #rest: Uint8Array = new Uint8Array();
  #serial = 0;

  /**
   * Connects and says who we are (AUTH EXTERNAL: the kernel tells the uid).
   *
   * @throws LuoError `connect`: ENOENT, ECONNREFUSED, EACCES; ETIMEDOUT: nothing came within `limit_ms`
   * @throws DbusError we are not wanted
   */
  constructor(socket: string, limit_ms: number) {
    this.#socket = socket;
    this.#end = performance.now() + limit_ms;
    this.#fd = check(unix_connect(socket, SOCK_STREAM), "connect", `"${socket}"`);
    try {
      const uid = new TextEncoder().encode(String(geteuid())).toHex();
      this.#send(`\0AUTH EXTERNAL ${uid}\r\n`);
      const answer = this.#line();
      if (!answer.startsWith("OK ")) throw new DbusError(`"${socket}" answers ${answer}`);
      this.#send("BEGIN\r\n");
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  /** The answers in the order of the calls. @throws LuoError, DbusError as the constructor */
  calls(calls: readonly DbusCall[]): DbusAnswer[] {
    const answers: DbusAnswer[] = [];
    for (let from = 0; from < calls.length; from += TOGETHER) {
      answers.push(...this.#together(calls.slice(from, from + TOGETHER)));
    }
    return answers;
  }

  #together(calls: readonly DbusCall[]): DbusAnswer[] {
    const first = this.#serial + 1;
    this.#send(joined(calls.map((call) => encodeCall(call, ++this.#serial))));
    const answers = new Map<number, DbusAnswer>();
    while (answers.size < calls.length) {
      const answer = decodeAnswer(this.#message());
      if (answer !== undefined && answer.serial >= first) answers.set(answer.serial, answer);
    }
    return [...answers.values()].sort((a, b) => a.serial - b.serial);
  }

  #send(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const sent = check(sendmsg(this.#fd, bytes, []), "send", `calls to "${this.#socket}"`);
    if (sent < bytes.length) throw new DbusError(`"${this.#socket}" does not take a call`);
  }

  #line(): string {
    for (;;) {
      const end = this.#rest.indexOf("\n".charCodeAt(0));
      if (end >= 0) return new TextDecoder().decode(this.#take(end + 1)).trim();
      this.#receive();
    }
  }

  #message(): Uint8Array {
    for (;;) {
      const length = messageLength(this.#rest);
      if (length !== undefined && length <= this.#rest.length) return this.#take(length);
      this.#receive();
    }
  }

  #take(length: number): Uint8Array {
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return taken;
  }

  #receive(): void {
    const subject = `"${this.#socket}"`;
    const left = this.#end - performance.now();
    const ready = left > 0 ? poll(this.#fd, POLLIN, Math.ceil(left)) : 0;
    if (ready === 0) throw new LuoError("receive", subject, Errno.ETIMEDOUT);
    if (ready === -Errno.EINTR) return;
    const received = check<Exclude<ReturnType<typeof recvmsg>, number>>(
      recvmsg(this.#fd, this.#into, 0),
      "receive",
      subject,
    );
    if (received.bytes === 0) throw new LuoError("receive", subject, Errno.ECONNRESET);
    this.#rest = joined([this.#rest, this.#into.slice(0, received.bytes)]);
  }
}
