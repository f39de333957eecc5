/** Messages to the service manager by the protocol of sd_notify(3): assignments in one datagram, with file descriptors. */
import { SOCK_DGRAM } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { sendmsg, unix_connect } from "../../ffi/socket.ts";
import { check } from "../error.ts";

/**
 * Sends `state`, lines of the form NAME=VALUE, to the socket that NOTIFY_SOCKET names. The service manager gets copies of the fds. They
 * and the message outlive this process from then on: the kernel keeps both in the queue of the socket.
 *
 * @throws LuoError `store`
 */
export function notify(socket: string, state: string, fds: readonly number[] = []): void {
  const subject = `something with the service manager at "${socket}"`;
  // "@" stands for the NUL of a name that is in no file system.
  const path = socket.startsWith("@") ? `\0${socket.slice(1)}` : socket;
  const fd = check(unix_connect(path, SOCK_DGRAM), "store", subject);
  try {
    check(sendmsg(fd, new TextEncoder().encode(state), fds), "store", subject);
  } finally {
    close(fd);
  }
}
