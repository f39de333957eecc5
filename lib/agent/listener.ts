/** A socket at which the Varlink server takes clients, and which of them it takes. */
import { Errno } from "../../ffi/abi/errno.ts";
import { SOCK_NONBLOCK } from "../../ffi/abi/socket.ts";
import { accept4, MessageReceiver, peer_credentials, peer_groups } from "../../ffi/socket.ts";
import { SocketPlace } from "../waits/socket_place.ts";
import type { Peer } from "./access.ts";
import { MESSAGE_FDS_MAX } from "./connection.ts";
import { MessageEncoder } from "./varlink.ts";

export interface ListenerOptions {
  /** Listening and non-blocking; closed when the server ends. */
  readonly listen_fd: number;
  readonly clients_max: number;
  /** The most clients of one user. Undefined: only the limit for all users holds. */
  readonly clients_of_uid_max?: number;
  /** Whether this client may call. */
  readonly allowed: (peer: Peer) => boolean;
  /** The path of the socket, when this process has made the socket. */
  readonly path?: string;
  /** Called a second after the socket has lost its path. Returns a new listening fd, when no client can reach the old one any more. */
  readonly listenAgain?: () => number | undefined;
  /** Clients of other users come here: their groups are asked for, and they are read in small pieces, so that each has its turn. */
  readonly shared?: boolean;
}

/** No process has these numbers. */
const UNKNOWN: Peer = { pid: -1, uid: -1, gid: -1 };

/** The bytes that are read of one client before another one has its turn: this many short calls are answered in a row. */
const PIECE_BYTES = 65536;
const SHARED_PIECE_BYTES = 4096;

/** A listening socket of the server. */
export class Listener {
  fd: number;
  /** False: there was no fd left for the last client. */
  accepting = true;
  /** Receives for all its clients. */
  readonly receiver: MessageReceiver;
  /** Encodes for all its clients. */
  readonly encoder = new MessageEncoder();
  /** How many clients there are of each user. */
  readonly #clients = new Map<number, number>();

  /** Tells when the socket has lost its path. Undefined: another process has made the socket. */
  readonly place: SocketPlace | undefined;

  constructor(readonly options: ListenerOptions) {
    this.fd = options.listen_fd;
    this.place = options.path === undefined ? undefined : new SocketPlace(options.path);
    const pieceBytes = options.shared ? SHARED_PIECE_BYTES : PIECE_BYTES;
    this.receiver = new MessageReceiver(new Uint8Array(pieceBytes), MESSAGE_FDS_MAX);
  }

  /** The next client; undefined when there is none. */
  accept(): { readonly fd: number; readonly peer: Peer } | undefined {
    const fd = accept4(this.fd, SOCK_NONBLOCK);
    this.accepting = fd !== -Errno.EMFILE && fd !== -Errno.ENFILE;
    return fd < 0 ? undefined : { fd, peer: this.#peerOf(fd) };
  }

  #peerOf(fd: number): Peer {
    const peer = peer_credentials(fd);
    if (typeof peer === "number") return UNKNOWN;
    if (!this.options.shared) return peer;
    const groups = peer_groups(fd);
    return { ...peer, groups: typeof groups === "number" ? [] : groups };
  }

  /** The client counts from now on. The answer that turns it away; undefined when it may stay. */
  join(peer: Peer, log: (line: string) => void): object | undefined {
    const own = (this.#clients.get(peer.uid) ?? 0) + 1;
    this.#clients.set(peer.uid, own);
    const { allowed, clients_max, clients_of_uid_max = Infinity } = this.options;
    if (peer.uid === UNKNOWN.uid || !allowed(peer)) {
      const who = peer.uid === UNKNOWN.uid ? "unknown" : `${peer.uid}, process ${peer.pid}`;
      log(`Turned away a client of uid ${who}`);
      return { error: "org.varlink.service.PermissionDenied", parameters: {} };
    }
    const all = [...this.#clients.values()].reduce((sum, count) => sum + count, 0);
    if (own > clients_of_uid_max) return busy(clients_of_uid_max);
    return all > clients_max ? busy(clients_max) : undefined;
  }

  leave({ uid }: Peer): void {
    const left = (this.#clients.get(uid) ?? 1) - 1;
    if (left === 0) this.#clients.delete(uid);
    else this.#clients.set(uid, left);
  }
}

function busy(clients: number): object {
  return { error: "io.luo.Agent.Busy", parameters: { clients } };
}
