/** Moves bytes from one open file to another inside the kernel, or through a buffer where the kernel cannot. */
import { Errno } from "../../ffi/abi/errno.ts";
import { POLLIN, POLLOUT } from "../../ffi/abi/fcntl.ts";
import { poll } from "../../ffi/epoll.ts";
import { pread, read, sendfile, write } from "../../ffi/file.ts";
import { LuoError } from "../error.ts";

/** One end of a transfer: the file descriptor, and its name in messages. */
export interface End {
  readonly fd: number;
  readonly name: string;
}

export interface TransferOptions {
  /** Read from here and leave the file position alone. Without it, read at the file position and move it. */
  readonly offset?: bigint;
  /** The most bytes to move. Without it, all to the end. */
  readonly limit?: bigint;
  /** Called after each piece with its number of bytes. An exception from it ends the transfer. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

const PIECE_BYTES = 8 << 20;
const BUFFER_BYTES = 1 << 20;
/** How long signals may have to wait. */
const TURN_MS = 50;

/**
 * Moves bytes with sendfile(2), or with read(2) and write(2) where sendfile fails (pipes, terminals, O_APPEND). After any error
 * of sendfile the piece is moved again with read and write, which tells whether reading or writing failed.
 *
 * @returns the number of bytes moved; less than `limit` when the source ended
 * @throws LuoError `read` or `write`
 */
export async function transfer(from: End, to: End, options: TransferOptions = {}): Promise<bigint> {
  const { offset, limit, onBytes, signal } = options;
  let moved = 0n;
  let buffer: Uint8Array | undefined;
  const breathe = letSignalsIn(signal);
  while (limit === undefined || moved < limit) {
    const left = limit === undefined ? PIECE_BYTES : Number(minimum(limit - moved, BigInt(PIECE_BYTES)));
    const at = offset === undefined ? null : offset + moved;
    let bytes = buffer === undefined ? sendfile(to.fd, from.fd, at, left) : 0;
    if (bytes < 0) buffer = new Uint8Array(BUFFER_BYTES);
    if (buffer !== undefined) bytes = copyPiece(from, to, at, buffer.subarray(0, left));
    if (bytes === 0) break;
    moved += BigInt(bytes);
    onBytes?.(bytes);
    await breathe();
  }
  return moved;
}

function copyPiece(from: End, to: End, at: bigint | null, buffer: Uint8Array): number {
  const bytes = patiently(
    () => at === null ? read(from.fd, buffer) : pread(from.fd, buffer, at),
    from.fd,
    POLLIN,
  );
  if (bytes < 0) throw new LuoError("read", from.name, -bytes);
  writeAll(to, buffer.subarray(0, bytes));
  return bytes;
}

/** @throws LuoError `write` */
export function writeAll(to: End, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    const written = patiently(() => write(to.fd, rest), to.fd, POLLOUT);
    if (written < 0) throw new LuoError("write", to.name, -written);
    rest = rest.subarray(written);
  }
}

/** Repeats a call that a signal interrupted. Waits when a non-blocking descriptor is not ready. */
function patiently(call: () => number, fd: number, events: number): number {
  for (;;) {
    const answer = call();
    if (answer === -Errno.EAGAIN) poll(fd, events, -1);
    else if (answer !== -Errno.EINTR) return answer;
  }
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/**
 * For long work in synchronous calls. The function that it returns, called after each piece, lets the event loop deliver signals every
 * now and then, and throws the reason of an aborted `signal`.
 */
export function letSignalsIn(signal: AbortSignal | undefined): () => Promise<void> {
  let turn = Date.now();
  return async () => {
    if (Date.now() - turn > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = Date.now();
    }
    signal?.throwIfAborted();
  };
}
