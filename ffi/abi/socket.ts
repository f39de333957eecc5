/** Unix sockets (`include/linux/socket.h`, `include/uapi/linux/un.h`, `asm-generic/socket.h`): numbers and codecs. Pure data. */

export const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

export const SOL_SOCKET = 1;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_PEERCRED = 17;
/** A timeval: how long a send, or a connect of a Unix socket, waits at most. */
export const SO_SNDTIMEO = 21;
export const SO_PEERGROUPS = 59;
export const SO_ACCEPTCONN = 30;
/** getsockopt(2): the family of the socket. */
export const SO_DOMAIN = 39;
export const SCM_RIGHTS = 1;
/** The most fds in one message: one more is EINVAL. */
export const SCM_MAX_FD = 253;

export const MSG_PEEK = 0x02;
export const MSG_CTRUNC = 0x08;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

/** Bytes of a socket's path, without the terminating NUL. */
export const UNIX_PATH_MAX = 107;

const text = new TextEncoder();

/**
 * `struct sockaddr_un`: u16 family @0; path @2, NUL-terminated. Undefined when the path is too long. A path that begins with a NUL is a
 * name that is in no file system; it is not NUL-terminated.
 */
export function encodeUnixAddress(path: string): Uint8Array<ArrayBuffer> | undefined {
  const raw = text.encode(path);
  if (raw.length > UNIX_PATH_MAX) return undefined;
  const bytes = new Uint8Array(2 + raw.length + (raw[0] === 0 ? 0 : 1));
  bytes[0] = AF_UNIX;
  bytes.set(raw, 2);
  return bytes;
}

/** The path in a `struct sockaddr_un` of this length. Undefined for a socket without a path, or with an abstract name. */
export function decodeUnixPath(bytes: Uint8Array): string | undefined {
  if (bytes.length < 3 || bytes[0] !== AF_UNIX || bytes[2] === 0) return undefined;
  const end = bytes.indexOf(0, 2);
  return new TextDecoder().decode(bytes.subarray(2, end < 0 ? bytes.length : end));
}

/** Bytes of `struct cmsghdr` {u64 len; s32 level; s32 type}, and so the offset of its data. */
export const CMSG_HEADER_SIZE = 16;

/** `CMSG_SPACE`: bytes of control data that hold `count` fds. */
export function controlSize(count: number): number {
  return CMSG_HEADER_SIZE + Math.ceil(count * 4 / 8) * 8;
}

/** One SCM_RIGHTS control message. */
export function encodeRights(fds: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(controlSize(fds.length));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(CMSG_HEADER_SIZE + fds.length * 4), true);
  view.setInt32(8, SOL_SOCKET, true);
  view.setInt32(12, SCM_RIGHTS, true);
  fds.forEach((fd, index) => view.setInt32(CMSG_HEADER_SIZE + index * 4, fd, true));
  return bytes;
}

/** The fds in the first `length` bytes of received control data. They are open, and the caller must close them. */
export function decodeRights(bytes: Uint8Array<ArrayBuffer>, length: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fds: number[] = [];
  let at = 0;
  while (at + CMSG_HEADER_SIZE <= length) {
    const size = Number(view.getBigUint64(at, true));
    if (size < CMSG_HEADER_SIZE || at + size > length) break;
    if (view.getInt32(at + 8, true) === SOL_SOCKET && view.getInt32(at + 12, true) === SCM_RIGHTS) {
      for (let i = at + CMSG_HEADER_SIZE; i + 4 <= at + size; i += 4) fds.push(view.getInt32(i, true));
    }
    at += Math.ceil(size / 8) * 8;
  }
  return fds;
}

/** Bytes of `struct msghdr`. */
export const MSGHDR_SIZE = 56;

/** Addresses and lengths of the buffers that a `struct msghdr` points to; address 0 and length 0 for none. */
export interface MessageBuffers {
  readonly iov: bigint;
  readonly control: bigint;
  readonly controlLength: number;
}

/** `struct msghdr`: name @0; namelen @8; iov @16; iovlen @24; control @32; controllen @40; flags @48. */
export function encodeMessageHeader(buffers: MessageBuffers): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MSGHDR_SIZE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(16, buffers.iov, true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, buffers.control, true);
  view.setBigUint64(40, BigInt(buffers.controlLength), true);
  return bytes;
}

/** `struct iovec`: base @0; length @8. */
export function encodeIovec(address: bigint, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, address, true);
  view.setBigUint64(8, BigInt(length), true);
  return bytes;
}

/** The fields of the header that recvmsg has written. */
export function decodeMessageHeader(
  bytes: Uint8Array<ArrayBuffer>,
): { controlLength: number; flags: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { controlLength: Number(view.getBigUint64(40, true)), flags: view.getUint32(48, true) };
}

/** `struct ucred`: the process at the other end of a Unix socket, as it was when the connection was made. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** `struct ucred`: s32 pid @0; u32 uid @4; u32 gid @8. */
export const UCRED_SIZE = 12;

export function decodeCredentials(bytes: Uint8Array<ArrayBuffer>): Credentials {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) };
}
