/** Unix sockets. Functions return a value >= 0 or -errno (see ffi/libc.ts). Every new fd is O_CLOEXEC. */
import { Errno } from "./abi/errno.ts";
import {
  AF_UNIX,
  controlSize,
  type Credentials,
  decodeCredentials,
  decodeMessageHeader,
  decodeRights,
  decodeUnixPath,
  encodeIovec,
  encodeMessageHeader,
  encodeRights,
  encodeUnixAddress,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_NOSIGNAL,
  MSG_TRUNC,
  MSGHDR_SIZE,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_PEERCRED,
  SO_PEERGROUPS,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOL_SOCKET,
  UCRED_SIZE,
  UNIX_PATH_MAX,
} from "./abi/socket.ts";
import { F_SETFL, O_NONBLOCK } from "./abi/fcntl.ts";
import type { Received, Ret } from "./abi/values.ts";
import { addressOf, errno, keepAlive, libc, ret } from "./libc.ts";

/** The answer of `recvmsg`. */
export interface ReceivedMessage extends Received {
  /** Data or fds did not fit and are lost (MSG_TRUNC, MSG_CTRUNC). */
  readonly truncated: boolean;
  /** Data did not fit (MSG_TRUNC). */
  readonly cut: boolean;
}

/**
 * A listening socket at `path`, which has mode 0600 from the start, or less where umask(2) says so. `type` may include SOCK_NONBLOCK. -EADDRINUSE: the path exists,
 * perhaps as a socket without a listener. -ENAMETOOLONG: the path has more than 107 bytes.
 */
export function unix_listen(path: string, type: number, backlog: number): Ret {
  const fd = unix_bind(path, type);
  return fd < 0 ? fd : orClose(fd, ret(libc().listen(fd, backlog), errno[0]));
}

/** A socket that is bound to `path`, which has mode 0600 from the start. Datagrams can be received from it at once. */
export function unix_bind(path: string, type: number): Ret {
  const address = encodeUnixAddress(path);
  if (address === undefined) return -Errno.ENAMETOOLONG;
  const fd = ret(libc().socket(AF_UNIX, type | SOCK_CLOEXEC, 0), errno[0]);
  if (fd < 0) return fd;
  // bind gives the path the mode of the unbound socket (net/unix/af_unix.c), so other users can never connect.
  let answer = ret(libc().fchmod(fd, 0o600), errno[0]);
  if (answer >= 0) answer = ret(libc().bind(fd, address, address.length), errno[0]);
  return orClose(fd, answer);
}

/**
 * A connection to the socket at `path`. -ENOENT: no such path. -ECONNREFUSED: no process listens. -EAGAIN: the backlog is full
 * (SOCK_NONBLOCK only). -EPROTOTYPE: the socket has another type.
 */
export function unix_connect(path: string, type: number): Ret {
  const address = encodeUnixAddress(path);
  if (address === undefined) return -Errno.ENAMETOOLONG;
  const fd = ret(libc().socket(AF_UNIX, type | SOCK_CLOEXEC, 0), errno[0]);
  if (fd < 0) return fd;
  return orClose(fd, ret(libc().connect(fd, address, address.length), errno[0]));
}

/**
 * As `unix_connect`, for a socket that does not block, but waits for a place in the backlog. -EAGAIN: there was none after
 * `limit_ms`, which is more than 0. -EINTR: a signal came.
 */
export function unix_connect_within(path: string, type: number, limit_ms: number): Ret {
  const address = encodeUnixAddress(path);
  if (address === undefined) return -Errno.ENAMETOOLONG;
  const fd = ret(libc().socket(AF_UNIX, type | SOCK_CLOEXEC, 0), errno[0]);
  if (fd < 0) return fd;
  const limit_us = BigInt(Math.ceil(limit_ms * 1000));
  const timeval = new BigInt64Array([limit_us / 1_000_000n, limit_us % 1_000_000n]);
  // net/unix/af_unix.c: unix_stream_connect waits so long for the listener.
  let answer = ret(libc().setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval, 16), errno[0]);
  if (answer >= 0) answer = ret(libc().connect(fd, address, address.length), errno[0]);
  if (answer >= 0) answer = ret(libc().fcntl(fd, F_SETFL, BigInt(O_NONBLOCK)), errno[0]);
  return orClose(fd, answer);
}

function orClose(fd: number, answer: Ret): Ret {
  if (answer >= 0) return fd;
  libc().close(fd);
  return answer;
}

/** `flags`: SOCK_NONBLOCK or 0. */
export function accept4(fd: number, flags: number): Ret {
  return ret(libc().accept4(fd, null, null, flags | SOCK_CLOEXEC), errno[0]);
}

export function socketpair(type: number): [number, number] | Ret {
  const into = new Int32Array(2);
  const answer = ret(libc().socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, into), errno[0]);
  return answer < 0 ? answer : [into[0] ?? -1, into[1] ?? -1];
}

export function shutdown(fd: number, how: number): Ret {
  return ret(libc().shutdown(fd, how), errno[0]);
}

/** Gives -EPIPE in place of a SIGPIPE. The receiver gets copies of the fds; the caller still owns `fds`. */
export function sendmsg(fd: number, data: Uint8Array, fds: readonly number[], flags = 0): Ret {
  if (fds.length === 0) {
    return ret(libc().send(fd, data, BigInt(data.byteLength), flags | MSG_NOSIGNAL), errno[0]);
  }
  const control = encodeRights(fds);
  const iov = encodeIovec(addressOf(data), data.byteLength);
  const header = encodeMessageHeader({
    iov: addressOf(iov),
    control: addressOf(control),
    controlLength: control.byteLength,
  });
  const answer = ret(libc().sendmsg(fd, header, flags | MSG_NOSIGNAL), errno[0]);
  keepAlive(data, iov, control);
  return answer;
}

/** Receives at most `max_fds` fds. The kernel closes the rest, and `truncated` is true then. */
export function recvmsg(
  fd: number,
  into: Uint8Array,
  max_fds: number,
  flags = 0,
): ReceivedMessage | Ret {
  return new MessageReceiver(into, max_fds).receive(fd, flags);
}

/** Receives repeatedly with one buffer. Memory that each message allocates anew would be freed late. */
export class MessageReceiver {
  readonly #control: Uint8Array<ArrayBuffer>;
  readonly #iov: Uint8Array<ArrayBuffer>;
  readonly #header: Uint8Array<ArrayBuffer>;
  /** The header before a call: recvmsg overwrites a part of it. */
  readonly #empty: Uint8Array<ArrayBuffer>;

  /** Each message is written to the beginning of `into`. */
  readonly into: Uint8Array;

  constructor(into: Uint8Array, max_fds: number) {
    this.into = into;
    this.#control = new Uint8Array(max_fds === 0 ? 0 : controlSize(max_fds));
    this.#iov = encodeIovec(addressOf(into), into.byteLength);
    // The size without padding: the kernel would use the padding for one more fd.
    const controlLength = max_fds === 0 ? 0 : 16 + max_fds * 4;
    this.#empty = encodeMessageHeader({
      iov: addressOf(this.#iov),
      control: addressOf(this.#control),
      controlLength,
    });
    this.#header = new Uint8Array(MSGHDR_SIZE);
  }

  /** The next message, with at most so many fds. The kernel closes the rest, and `truncated` is true then. */
  receive(fd: number, flags = 0): ReceivedMessage | Ret {
    this.#header.set(this.#empty);
    const answer = ret(libc().recvmsg(fd, this.#header, flags | MSG_CMSG_CLOEXEC), errno[0]);
    keepAlive(this.into, this.#iov, this.#control);
    if (answer < 0) return answer;
    const back = decodeMessageHeader(this.#header);
    const fds = decodeRights(this.#control, back.controlLength);
    const cut = (back.flags & MSG_TRUNC) !== 0;
    return { bytes: answer, fds, truncated: cut || (back.flags & MSG_CTRUNC) !== 0, cut };
  }
}

/** Whether the socket listens (SO_ACCEPTCONN); an errno for an fd that is no socket. */
export function is_listening(fd: number): boolean | Ret {
  const into = new Uint32Array(1);
  const answer = ret(libc().getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, into, new Uint32Array([4])), errno[0]);
  return answer < 0 ? answer : into[0] === 1;
}

/** AF_UNIX, AF_INET and so on (SO_DOMAIN); an errno for an fd that is no socket. */
export function socket_domain(fd: number): Ret {
  const into = new Uint32Array(1);
  const answer = ret(libc().getsockopt(fd, SOL_SOCKET, SO_DOMAIN, into, new Uint32Array([4])), errno[0]);
  return answer < 0 ? answer : into[0] ?? 0;
}

/** The path that the socket is bound to; undefined without one. */
export function bound_path(fd: number): string | undefined {
  const into = new Uint8Array(UNIX_PATH_MAX + 3);
  const length = new Uint32Array([into.length]);
  if (ret(libc().getsockname(fd, into, length), errno[0]) < 0) return undefined;
  return decodeUnixPath(into.subarray(0, length[0]));
}

/** The process at the other end, as it was when the connection was made. */
export function peer_credentials(fd: number): Credentials | Ret {
  const into = new Uint8Array(UCRED_SIZE);
  const length = new Uint32Array([UCRED_SIZE]);
  const answer = ret(libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, into, length), errno[0]);
  return answer < 0 ? answer : decodeCredentials(into);
}

/** The supplementary groups of the process at the other end, as they were when the connection was made. */
export function peer_groups(fd: number): number[] | Ret {
  const length = new Uint32Array([0]);
  // Without room the answer is -ERANGE, and the length is what is needed (net/core/sock.c).
  let answer = ret(libc().getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, null, length), errno[0]);
  const into = new Uint32Array((length[0] ?? 0) / 4);
  if (answer === -Errno.ERANGE) {
    answer = ret(
      libc().getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, new Uint8Array(into.buffer), length),
      errno[0],
    );
  }
  return answer < 0 ? answer : [...into];
}

/** Sets SO_SNDBUF or SO_RCVBUF. The kernel doubles the size, up to a limit of its own. */
export function set_buffer_size(fd: number, option: number, size_bytes: number): Ret {
  const value = new Int32Array([size_bytes]);
  return ret(libc().setsockopt(fd, SOL_SOCKET, option, value, 4), errno[0]);
}
