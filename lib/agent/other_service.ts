/** One call to another program's Varlink service: systemd's. */
import { POLLIN } from "../../ffi/abi/fcntl.ts";
import { SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { poll } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { recvmsg, sendmsg, unix_connect } from "../../ffi/socket.ts";
import { check } from "../error.ts";
import { NoAnswer } from "./client_errors.ts";
import { encodeMessage, Framer, type Json, type VarlinkReply } from "./varlink.ts";

/** The longest answer that is read, in bytes. */
const REPLY_MAX = 1 << 20;

/**
 * Calls a method by its whole name and returns the answer, which may be an error.
 *
 * @throws LuoError `connect`: ENOENT, ECONNREFUSED (nothing listens), EACCES; `send`, `receive`
 * @throws NoAnswer no answer in time; ProtocolError
 */
export function callService(
  socket: string,
  method: string,
  parameters: Json,
  limit_ms: number,
): VarlinkReply {
  const fd = check(unix_connect(socket, SOCK_STREAM), "connect", `"${socket}"`);
  try {
    check(sendmsg(fd, encodeMessage({ method, parameters }), []), "send", "the request");
    return firstReply(fd, socket, limit_ms);
  } finally {
    close(fd);
  }
}

function firstReply(fd: number, socket: string, limit_ms: number): VarlinkReply {
  const end = performance.now() + limit_ms;
  const framer = new Framer(REPLY_MAX, 0);
  for (const into = new Uint8Array(65536);;) {
    const left = end - performance.now();
    if (left <= 0) throw new NoAnswer(socket, limit_ms);
    if (poll(fd, POLLIN, Math.ceil(left)) === 0) continue;
    const got = check<Exclude<ReturnType<typeof recvmsg>, number>>(
      recvmsg(fd, into, 0),
      "receive",
      `"${socket}"`,
    );
    if (got.bytes === 0) throw new NoAnswer(socket, limit_ms);
    const [message] = framer.push(into.subarray(0, got.bytes), []);
    if (message !== undefined) return JSON.parse(new TextDecoder().decode(message.bytes));
  }
}
