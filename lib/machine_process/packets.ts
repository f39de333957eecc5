/**
 * The packets between client and machine: each system call is one packet in each direction, over a Unix SOCK_SEQPACKET socket. A
 * packet is a JSON text with host fds. A text that is too long for a packet goes in a memfd: the packet is then `@LENGTH`, and the
 * memfd is its first fd.
 */
import { Errno } from "../../ffi/abi/errno.ts";
import { MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, pread, pwrite } from "../../ffi/file.ts";
import { MessageReceiver, sendmsg } from "../../ffi/socket.ts";
import type { Ret } from "../system_calls.ts";

/** The most bytes of a packet: far below the smallest default send buffer (212,992, with the kernel's overhead). */
export const PACKET_MAX = 65536;
/** The most bytes of a text in a memfd. */
export const TEXT_MAX = 48 << 20;
/** The last packet of a client that ends by itself. A client that hangs up without it was killed. */
export const GOODBYE = JSON.stringify({ call: "goodbye", args: [] });
/** The most fds in a packet: the memfd of the text, and the file of an adopt or expose. */
const FDS_MAX = 2;

export interface Packet {
  readonly text: string;
  /** Open host fds, O_CLOEXEC. The receiver must close them. */
  readonly fds: readonly number[];
}

/** A packet breaks the protocol. The server ends its connection. */
export class BadPacket extends Error {
  override readonly name = "BadPacket";
}

/**
 * Sends a packet. 0, or -errno: -EPIPE when the other side has ended, -EAGAIN when the other side does not read (O_NONBLOCK only).
 * The caller still owns `fds`.
 */
export function sendPacket(socket: number, text: string, fds: readonly number[] = []): Ret {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= PACKET_MAX) return Math.min(0, sendmsg(socket, bytes, fds));
  if (bytes.length > TEXT_MAX) return -Errno.EMSGSIZE;
  const memfd = memfd_create("luo-packet", MFD_CLOEXEC);
  if (memfd < 0) return memfd;
  try {
    for (let done = 0; done < bytes.length;) {
      const written = pwrite(memfd, bytes.subarray(done), BigInt(done));
      if (written <= 0) return written < 0 ? written : -Errno.EIO;
      done += written;
    }
    return Math.min(0, sendmsg(socket, new TextEncoder().encode(`@${bytes.length}`), [memfd, ...fds]));
  } finally {
    close(memfd);
  }
}

/** Receives the packets of any number of sockets, one at a time. */
export class PacketReceiver {
  readonly #message = new MessageReceiver(new Uint8Array(PACKET_MAX), FDS_MAX);

  /**
   * The next packet; undefined at the end of the connection; -errno, for example -EAGAIN without a packet. When this process has no free
   * fds, the packet's fds are missing. Throws BadPacket.
   */
  receive(socket: number): Packet | undefined | Ret {
    const message = this.#message.receive(socket);
    if (typeof message === "number") return message === -Errno.ECONNRESET ? undefined : message;
    if (message.bytes === 0 && message.fds.length === 0) return undefined;
    try {
      const tooMany = message.truncated && message.fds.length === FDS_MAX;
      if (message.cut || tooMany) throw new BadPacket("A packet or its file descriptors did not fit");
      const head = this.#message.into.subarray(0, message.bytes);
      if (head[0] !== "@".charCodeAt(0)) return { text: decode(head), fds: message.fds };
      const [memfd, ...fds] = message.fds;
      const text = decode(readText(memfd, Number(decode(head.subarray(1)))));
      if (memfd !== undefined) close(memfd);
      return { text, fds };
    } catch (error) {
      message.fds.forEach(close);
      throw error;
    }
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw new BadPacket("A packet is no UTF-8");
  }
}

/** Reads with pread. A mapping would fault if the sender made its file shorter. */
function readText(memfd: number | undefined, length: number): Uint8Array {
  if (memfd === undefined) throw new BadPacket("A packet announces a text and has no memfd");
  if (!Number.isInteger(length) || length < 0 || length > TEXT_MAX) {
    throw new BadPacket("A packet announces a text of an impossible length");
  }
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const got = pread(memfd, bytes.subarray(done), BigInt(done));
    if (got <= 0) throw new BadPacket("A packet's text is shorter than announced");
    done += got;
  }
  return bytes;
}
