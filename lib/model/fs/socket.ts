/**
 * Pairs of Unix stream sockets, and the fds in flight in them (net/unix/af_unix.c). Calls that would block give EAGAIN.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import { type FileOperations, OpenFile, stat } from "./file.ts";

/** SCM_MAX_FD of include/net/scm.h. */
export const SCM_MAX_FD = 253;
const SEND_BUFFER = 212_992;
const POLLHUP = 0x10;

interface Message {
  data: Uint8Array;
  /** Files in flight. Each holds a reference, so a session in a message stays alive. */
  files: OpenFile[];
}

/** One end of a pair. Messages to it wait in its own queue. */
export class Socket {
  readonly queue: Message[] = [];
  queued = 0;
  peer: Socket | undefined;

  send(data: Uint8Array, files: OpenFile[]): Ret {
    if (this.peer === undefined) return -Errno.EPIPE;
    const room = SEND_BUFFER - this.peer.queued;
    if (data.length === 0) return 0;
    if (room <= 0) return -Errno.EAGAIN;
    const piece = data.slice(0, room);
    this.peer.queue.push({ data: piece, files: files.map((file) => file.get()) });
    this.peer.queued += piece.length;
    return piece.length;
  }

  /** unix_stream_read_generic(): reads on over several messages, up to the first that carries fds. */
  receive(into: Uint8Array): { bytes: number; files: OpenFile[] } | Ret {
    if (into.length === 0) return { bytes: 0, files: [] };
    if (this.queue.length === 0) return this.peer === undefined ? { bytes: 0, files: [] } : -Errno.EAGAIN;
    let bytes = 0;
    let files: OpenFile[] = [];
    while (bytes < into.length && files.length === 0) {
      const message = this.queue[0];
      if (message === undefined) break;
      const piece = message.data.subarray(0, into.length - bytes);
      into.set(piece, bytes);
      bytes += piece.length;
      files = message.files;
      if (piece.length === message.data.length) this.queue.shift();
      else [message.data, message.files] = [message.data.subarray(piece.length), []];
    }
    this.queued -= bytes;
    return { bytes, files };
  }

  close(): void {
    if (this.peer !== undefined) this.peer.peer = undefined;
    this.peer = undefined;
    for (const { files } of this.queue.splice(0)) for (const file of files) file.put();
  }
}

export function make_socketpair(ino: bigint): [OpenFile, OpenFile] {
  const [a, b] = [new Socket(), new Socket()];
  [a.peer, b.peer] = [b, a];
  return [socket_file(a, ino), socket_file(b, ino + 1n)];
}

/** The socket of an open file; undefined for any other file (ENOTSOCK). */
export function socket_of(file: OpenFile): Socket | undefined {
  return file.operations instanceof SocketOperations ? file.operations.socket : undefined;
}

function socket_file(socket: Socket, ino: bigint): OpenFile {
  const inode = { stat: () => stat({ dev: 8n, ino, mode: abi.S_IFSOCK | 0o777 }) };
  return new OpenFile(inode, new SocketOperations(socket), abi.O_RDWR, () => `socket:[${ino}]`);
}

class SocketOperations implements FileOperations {
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  read(_file: OpenFile, into: Uint8Array): Ret {
    const got = this.socket.receive(into);
    if (typeof got === "number") return got;
    // read() cannot return fds, so they are closed.
    for (const file of got.files) file.put();
    return got.bytes;
  }

  write(_file: OpenFile, from: Uint8Array): Ret {
    return this.socket.send(from, []);
  }

  poll(_file: OpenFile, events: number): number {
    const { peer, queue } = this.socket;
    const readable = peer === undefined || queue.length > 0 ? abi.POLLIN : 0;
    const writable = peer !== undefined && peer.queued >= SEND_BUFFER ? 0 : abi.POLLOUT;
    return ((readable | writable) & events) | (peer === undefined ? POLLHUP : 0);
  }

  release(): void {
    this.socket.close();
  }
}
