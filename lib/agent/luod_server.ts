/**
 * The socket of luo-agent (luod), for programs that were written for it: SUBSCRIBE, START_PRESERVATION with the fd of a session, READY,
 * and after the kexec CLAIM, as the README of https://github.com/soleen/luo-agent has them. Each client is a participant of luo's update.
 */
import { Errno } from "../../ffi/abi/errno.ts";
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { epoll_create1, epoll_ctl, epoll_wait } from "../../ffi/epoll.ts";
import { close, mkdir, unlink } from "../../ffi/file.ts";
import { accept4, peer_credentials, unix_connect, unix_listen } from "../../ffi/socket.ts";
import { check, LuoError } from "../error.ts";
import { ProcessKilled } from "../system_calls.ts";
import { mayListen } from "../stale_socket.ts";
import { Wakeup } from "../waits/wakeup.ts";
import { commandOf, LuodConnection } from "./luod_connection.ts";

const CLIENTS_MAX = 64;
const EVENTS_MAX = 16;

/** The part of the agent that the server uses. */
export interface LuodHost {
  /** Why a client may not take part under that id; undefined: it does from now on. */
  subscribe(id: string, connection: LuodConnection): string | undefined;
  ready(id: string): void;
  /** Why the session cannot be given to the client; undefined: it was sent. */
  claim(id: string, connection: LuodConnection): string | undefined;
  allowed(uid: number): boolean;
  readonly log: (line: string) => void;
  /** The kernel has ended, or there is a mistake in this program. */
  failed(error: unknown): void;
}

export class LuodServer {
  readonly #epoll = check(epoll_create1(), "epoll_create1", "luo-agent's clients");
  readonly #listen_fd: number;
  readonly #clients = new Map<number, { connection: LuodConnection; id?: string }>();
  readonly #wakeup = new Wakeup();
  #stopping = false;

  /** @throws LuoError `listen`: EADDRINUSE luod runs, EEXIST a file that is no socket */
  constructor(readonly path: string, readonly host: LuodHost) {
    this.#listen_fd = listenAt(path);
    for (const fd of [this.#listen_fd, this.#wakeup.fd]) epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  async run(): Promise<void> {
    try {
      while (!this.#stopping) {
        for (const { fd } of await epoll_wait(this.#epoll, EVENTS_MAX, -1)) {
          if (this.#stopping) break;
          if (fd === this.#listen_fd) this.#accept();
          else this.#read(fd);
        }
      }
    } catch (error) {
      this.host.failed(error);
    } finally {
      for (const fd of [...this.#clients.keys()]) this.#end(fd);
      [this.#listen_fd, this.#epoll].forEach(close);
      this.#wakeup[Symbol.dispose]();
    }
  }

  /** The path goes at once: a client that looks for luod must not find this one. */
  stop(): void {
    if (!this.#stopping) unlink(this.path);
    this.#stopping = true;
    this.#wakeup.wake();
    for (const fd of [...this.#clients.keys()]) this.#end(fd);
  }

  #accept(): void {
    const fd = accept4(this.#listen_fd, SOCK_NONBLOCK);
    if (fd < 0) return;
    const peer = peer_credentials(fd);
    if (typeof peer === "number" || !this.host.allowed(peer.uid) || this.#clients.size >= CLIENTS_MAX) {
      close(fd);
      return;
    }
    const connection = new LuodConnection(fd);
    this.#clients.set(fd, { connection });
    // A cancelled update ends connections too, and their numbers go to others.
    connection.gone.addEventListener("abort", () => {
      if (this.#clients.get(fd)?.connection === connection) this.#clients.delete(fd);
    });
    epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  #read(fd: number): void {
    const client = this.#clients.get(fd);
    const lines = client?.connection.receive();
    if (client === undefined || lines === undefined) return this.#end(fd);
    for (const line of lines) this.#command(fd, line);
  }

  #command(fd: number, line: string): void {
    const client = this.#clients.get(fd);
    if (client === undefined || line.replaceAll("\0", "").trim() === "") return;
    const { connection } = client;
    const command = commandOf(line);
    try {
      const problem = command === undefined ? "this is no command of luo-agent" : this.#obey(client, command);
      if (problem !== undefined) connection.send({ error: problem });
    } catch (error) {
      if (error instanceof ProcessKilled) throw error;
      this.host.log(`A client of luo-agent's socket: ${error instanceof Error ? error.message : error}`);
      this.#end(fd);
    }
  }

  #obey(
    client: { connection: LuodConnection; id?: string },
    command: NonNullable<ReturnType<typeof commandOf>>,
  ): string | undefined {
    if (command.cmd === "READY") {
      if (client.id === undefined) return "READY comes after SUBSCRIBE";
      this.host.ready(client.id);
      return undefined;
    }
    if (command.cmd === "CLAIM") return this.host.claim(command.id, client.connection);
    if (client.id !== undefined) return `this connection takes part as "${client.id}" already`;
    const problem = this.host.subscribe(command.id, client.connection);
    if (problem === undefined) client.id = command.id;
    return problem;
  }

  #end(fd: number): void {
    const client = this.#clients.get(fd);
    if (client === undefined) return;
    this.#clients.delete(fd);
    epoll_ctl(this.#epoll, EPOLL_CTL_DEL, fd);
    client.connection.end();
  }
}

function listenAt(path: string): number {
  const subject = `"${path}"`;
  mayListen(path);
  const other = unix_connect(path, SOCK_STREAM | SOCK_NONBLOCK);
  if (other >= 0) {
    close(other);
    throw new LuoError(
      "listen",
      subject,
      Errno.EADDRINUSE,
      `Cannot listen at ${subject}: luod runs, or another agent`,
    );
  }
  const directory = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  mkdir(directory, 0o755);
  unlink(path);
  return check(unix_listen(path, SOCK_STREAM | SOCK_NONBLOCK, 64), "listen", subject);
}
