/** A client that sends any bytes to the agent's socket, for tests. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { POLLIN } from "../../ffi/abi/fcntl.ts";
import { MSG_DONTWAIT, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { poll } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { recvmsg, sendmsg, unix_connect } from "../../ffi/socket.ts";
import { check } from "../../lib/error.ts";

const LIMIT_MS = 60_000;

/** A client that sends any bytes, and waits for a limited time. */
export class RawClient implements Disposable {
  #fd: number;
  #rest = "";
  #ended = false;

  constructor(socket: string) {
    this.#fd = check(unix_connect(socket, SOCK_STREAM), "connect", socket);
  }

  /** Sends until all is sent or the connection ends. Returns the number of bytes that were sent. */
  send(data: string | Uint8Array, fds: readonly number[] = [], flags = 0): number {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    let at = 0;
    while (at < bytes.length) {
      const sent = sendmsg(this.#fd, bytes.subarray(at), at === 0 ? fds : [], flags);
      if (sent === -Errno.EPIPE || sent === -Errno.ECONNRESET || sent === -Errno.EAGAIN) return at;
      at += check(sent, "send", "bytes");
    }
    return at;
  }

  /** Sends calls until the socket takes no more. */
  stuff(call: string): void {
    for (let sent = call.length; sent === call.length;) sent = this.send(call, [], MSG_DONTWAIT);
  }

  /** The next answer; undefined at the end of the connection. */
  answer(): Record<string, unknown> | undefined {
    for (;;) {
      const end = this.#rest.indexOf("\0");
      if (end >= 0) {
        const text = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return JSON.parse(text);
      }
      if (!this.#more()) return undefined;
    }
  }

  /** Resolves when `answer` need not wait. A server in this thread works meanwhile. */
  async arrives(): Promise<void> {
    if (this.#rest.includes("\0")) return;
    for (const end = performance.now() + LIMIT_MS; poll(this.#fd, POLLIN, 0) === 0;) {
      assert.ok(performance.now() < end, "the server neither answers nor ends the connection");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Reads until the connection ends. */
  untilEnd(): void {
    while (this.#more());
  }

  #more(): boolean {
    if (this.#ended) return false;
    assert.ok(poll(this.#fd, POLLIN, LIMIT_MS) !== 0, "the agent neither answers nor ends the connection");
    const into = new Uint8Array(65536);
    const got = recvmsg(this.#fd, into, 16);
    if (typeof got === "number") {
      assert.equal(got, -Errno.ECONNRESET);
      this.#ended = true;
      return false;
    }
    got.fds.forEach(close);
    this.#ended = got.bytes === 0;
    this.#rest += new TextDecoder().decode(into.subarray(0, got.bytes));
    return !this.#ended;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }
}

/** One message of the protocol, with its NUL. */
export function message(method: string, parameters: object = {}, flags: object = {}): string {
  return JSON.stringify({
    method: method.includes(".") ? method : `io.luo.Agent.${method}`,
    parameters,
    ...flags,
  }) + "\0";
}
