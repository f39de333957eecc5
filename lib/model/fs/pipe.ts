/** Pipes and FIFOs (fs/pipe.c). Nothing in the model can wait, so calls that would block give EAGAIN. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat } from "../../system_calls.ts";
import { type FileOperations, type Inode, opened_flags, OpenFile, stat } from "./file.ts";

const CAPACITY = 65536;
const POLLERR = 0x08;
const POLLHUP = 0x10;

/** The inode of a pipe or of a FIFO (a named pipe). */
export class Fifo implements Inode {
  readonly chunks: Uint8Array[] = [];
  length = 0;
  readers = 0;
  writers_open = 0;
  /** Number of writers so far. A FIFO's reader sees no hang-up until a writer has opened the FIFO after it (f_pipe). */
  writers_ever = 0;
  /** Number of names. A pipe has 1 too, though no mount has that name. */
  nlink = 1;

  readonly ino: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly dev: bigint;

  constructor(ino: bigint, mode: number, uid: number, dev: bigint) {
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.dev = dev;
  }

  /** free_pipe_info(): clears the pipe when no description of it is left. */
  empty(): void {
    this.chunks.length = this.length = this.writers_ever = 0;
  }

  stat(): Stat {
    return stat({
      dev: this.dev,
      ino: this.ino,
      mode: abi.S_IFIFO | this.mode,
      nlink: this.nlink,
      uid: this.uid,
    });
  }
}

export function make_pipe(ino: bigint, uid: number, flags: number): [OpenFile, OpenFile] {
  const fifo = new Fifo(ino, 0o600, uid, 12n);
  const link = `pipe:[${ino}]`;
  const kept = flags & (abi.O_NONBLOCK);
  return [end_of(fifo, link, kept | abi.O_RDONLY), end_of(fifo, link, kept | abi.O_WRONLY)];
}

/**
 * fifo_open(): ENXIO for a non-blocking writer without a reader. A blocking open that would wait gives EAGAIN in the
 * model.
 */
export function open_fifo(fifo: Fifo, path: string, flags: number): OpenFile | Ret {
  const access = flags & abi.O_ACCMODE;
  const nonblocking = (flags & abi.O_NONBLOCK) !== 0;
  if (access === abi.O_WRONLY && fifo.readers === 0) return nonblocking ? -Errno.ENXIO : -Errno.EAGAIN;
  if (access === abi.O_RDONLY && fifo.writers_open === 0 && !nonblocking) return -Errno.EAGAIN;
  const waits = fifo.writers_open === 0 ? fifo.writers_ever : undefined;
  return end_of(fifo, path, opened_flags(flags), waits);
}

function end_of(fifo: Fifo, link: string, flags: number, waits?: number): OpenFile {
  const file = new OpenFile(fifo, pipe_operations(fifo, link, waits), flags, () => link);
  if (file.readable) fifo.readers++;
  if (file.writable) {
    fifo.writers_open++;
    fifo.writers_ever++;
  }
  return file;
}

/** `waits` is a number of writers: no hang-up is reported until more have opened the pipe. */
function pipe_operations(fifo: Fifo, link: string, waits?: number): FileOperations {
  return {
    read: (_file, into) => read(fifo, into),
    write: (_file, from) => write(fifo, from),
    poll: (file, events) => poll(fifo, file, events, waits),
    reopen: (_file, flags) => open_fifo(fifo, link, flags),
    release(file) {
      if (file.readable) fifo.readers--;
      if (file.writable) fifo.writers_open--;
      if (fifo.readers + fifo.writers_open === 0) fifo.empty();
    },
  };
}

function read(fifo: Fifo, into: Uint8Array): Ret {
  if (into.length === 0) return 0;
  if (fifo.length === 0) return fifo.writers_open === 0 ? 0 : -Errno.EAGAIN;
  let got = 0;
  while (got < into.length && fifo.chunks[0] !== undefined) {
    const chunk = fifo.chunks[0];
    const piece = chunk.subarray(0, into.length - got);
    into.set(piece, got);
    got += piece.length;
    if (piece.length === chunk.length) fifo.chunks.shift();
    else fifo.chunks[0] = chunk.subarray(piece.length);
  }
  fifo.length -= got;
  return got;
}

function write(fifo: Fifo, from: Uint8Array): Ret {
  if (from.length === 0) return 0;
  if (fifo.readers === 0) return -Errno.EPIPE;
  const room = CAPACITY - fifo.length;
  // Writes up to PIPE_BUF bytes are atomic.
  if (room === 0 || (from.length <= 4096 && from.length > room)) return -Errno.EAGAIN;
  const piece = from.slice(0, room);
  fifo.chunks.push(piece);
  fifo.length += piece.length;
  return piece.length;
}

function poll(fifo: Fifo, file: OpenFile, events: number, waits?: number): number {
  let ready = 0;
  if (file.readable) {
    if (fifo.length > 0) ready |= abi.POLLIN;
    if (fifo.writers_open === 0 && fifo.writers_ever !== waits) ready |= POLLHUP;
  }
  if (file.writable) {
    if (fifo.length < CAPACITY) ready |= abi.POLLOUT;
    if (fifo.readers === 0) ready |= POLLERR;
  }
  return ready & (events | POLLHUP | POLLERR);
}
