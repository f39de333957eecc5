/** A Varlink server on one epoll loop. */
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  type EpollEvent,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
} from "../../ffi/abi/epoll.ts";
import { epoll_create1, epoll_ctl, epoll_wait, EpollWaiter } from "../../ffi/epoll.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../../ffi/abi/fcntl.ts";
import { close, pipe2, read, write } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Peer } from "./access.ts";
import { Connection } from "./connection.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import { Turns } from "./turns.ts";
import {
  decodeCall,
  encodeMessage,
  type Json,
  type Message,
  ProtocolError,
  type VarlinkCall,
  VarlinkError,
} from "./varlink.ts";

/** The answer of a handler: parameters, and fds that the server sends and then closes. */
export interface Reply {
  readonly parameters: Json;
  readonly fds?: readonly number[];
  /** Descriptors that stay open as long as the connection: the client opens their files by a path in /proc. */
  readonly held?: readonly number[];
}

export interface ServerOptions {
  /** The sockets at which clients come in. */
  readonly listeners: readonly ListenerOptions[];
  /**
   * Answers one call of the process `peer`. The server waits for the answer, so that calls of all clients happen one after the
   * other.
   *
   * @throws VarlinkError, NotYet
   */
  readonly handle: (call: VarlinkCall, peer: Peer) => Reply | Promise<Reply>;
  /**
   * Takes a call that is answered later, while other calls are answered. False: it is no such call. The fds that it keeps it takes out
   * of the call's list.
   */
  readonly takesLater?: (call: VarlinkCall, peer: Peer, answers: Answers) => boolean;
  /** Whether this call, made with `more`, is answered again after every change. */
  readonly subscribes: (call: VarlinkCall) => boolean;
  /** Gets a line for each client that was cut off, with the reason. */
  readonly log: (line: string) => void;
}

/** The answers to a call that was taken to be answered later. The client can make no other call on the connection until the last one. */
export interface Answers {
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
  /** An answer before the last one. A client that did not ask for `more` does not get it. */
  continue(reply: Reply): void;
  /** The last answer. */
  end(reply: Reply): void;
  fail(error: VarlinkError): void;
}

/** The answers to a call. */
interface Outcome {
  readonly message: object;
  readonly fds: readonly number[];
  readonly held: readonly number[];
}

const EVENTS_MAX = 64;
/** How long this thread waits for the next call by itself. */
const LINGER_MS = 3;
/** How long it goes on with that before other work of Deno has a turn. */
const TURN_MS = 20;

/** A Varlink server on one epoll loop: a slow, hostile or vanished client does not delay the others. */
export class VarlinkServer {
  readonly #epoll = check(epoll_create1(), "epoll_create1", "the server");
  readonly #waiter = new EpollWaiter(this.#epoll, EVENTS_MAX);
  /** On the clock of `performance.now()`: until then this thread waits by itself. */
  #yield_at = 0;
  readonly #connections = new Map<number, Connection>();
  readonly #subscriptions = new Map<Connection, VarlinkCall>();
  /** Calls that are answered later. */
  readonly #later = new Map<Connection, AbortController>();
  /** A byte in it ends the wait for events. */
  readonly #wakeup = check<[number, number]>(pipe2(O_CLOEXEC | O_NONBLOCK), "pipe2", "the server");
  #failure: unknown;
  /** Whether the server waits in another thread, so that it must be woken. */
  #waiting = false;
  readonly #listeners: readonly Listener[];
  #stopping = false;
  #changed = false;
  readonly #turns = new Turns();

  constructor(readonly options: ServerOptions) {
    this.#listeners = options.listeners.map((one) => new Listener(one));
    for (const { fd } of this.#listeners) this.#addListener(fd);
    check(epoll_ctl(this.#epoll, EPOLL_CTL_ADD, this.#wakeup[0], EPOLLIN), "epoll_ctl", "the server");
  }

  #addListener(fd: number): void {
    check(epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, EPOLLIN), "epoll_ctl", "the listening socket");
  }

  /** Serves until `stop`. Answers that exist by then are still sent, as far as the sockets take them without waiting. */
  async run(): Promise<void> {
    try {
      while (!this.#stopping) {
        const events = await this.#wait();
        for (const event of events) await this.#event(event.fd, event.events);
        if (events.length === 0) this.#listeners.forEach((listener) => this.#replace(listener));
        if (this.#changed) await this.#tellSubscribers();
        for (const listener of this.#listeners) if (!listener.accepting) await this.#accept(listener);
        this.#turns.throwFailure();
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      // Listeners first: a client that sees its connection end can connect again at once, and must not reach this server.
      this.stop();
      for (const { fd } of this.#listeners) close(fd);
      for (const connection of this.#connections.values()) this.#end(connection);
      await this.#turns.over();
      [this.#epoll, ...this.#wakeup].forEach(close);
    }
  }

  /**
   * The next events. A client that has just got an answer often calls again at once, so that this thread waits a moment for that by
   * itself: it is many times as fast as a wait in another thread. Signals and other work of Deno have their turn after each wait in
   * the other thread.
   */
  async #wait(): Promise<EpollEvent[]> {
    const now = performance.now();
    if (now < this.#yield_at) {
      const events = this.#waiter.wait(LINGER_MS);
      if (events.length > 0) return events;
    }
    // A second at most: a signal can ask to stop while no client sends anything.
    this.#waiting = true;
    const events = await epoll_wait(this.#epoll, EVENTS_MAX, 1000);
    this.#waiting = false;
    this.#yield_at = events.length > 0 ? performance.now() + TURN_MS : 0;
    return events;
  }

  #replace(listener: Listener): void {
    const fd = listener.options.listenAgain?.();
    if (fd === undefined) return;
    // Closing the old socket takes it out of the epoll.
    close(listener.fd);
    listener.fd = fd;
    listener.accepting = true;
    this.#addListener(fd);
  }

  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  /** Ends `run` with this error: work beside the calls failed, or its kernel has ended. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.stop();
  }

  /** Answers every subscriber once more, when all calls that have come in are answered. */
  changed(): void {
    if (this.#changed) return;
    this.#changed = true;
    this.#wake();
  }

  /** A full pipe wakes as well. */
  #wake(): void {
    if (this.#waiting) write(this.#wakeup[1], Uint8Array.of(1));
  }

  async #tellSubscribers(): Promise<void> {
    this.#changed = false;
    for (const [connection, call] of this.#subscriptions) {
      await this.#guarded(connection, async () => {
        if (!await this.#answer(connection, call, true)) this.#subscriptions.delete(connection);
      });
    }
  }

  async #event(fd: number, events: number): Promise<void> {
    const listener = this.#listeners.find((one) => one.fd === fd);
    if (listener !== undefined) return await this.#accept(listener);
    if (fd === this.#wakeup[0]) return void read(fd, new Uint8Array(64));
    const connection = this.#connections.get(fd);
    if (connection === undefined) return;
    const work = this.#guarded(connection, async () => {
      if (events & EPOLLOUT) connection.flush();
      if (events & EPOLLIN) await this.#read(connection);
      else if (events & (EPOLLERR | EPOLLHUP)) this.#end(connection);
    });
    await this.#turns.untilPostponed(work);
  }

  async #accept(listener: Listener): Promise<void> {
    const before = listener.accepting;
    const client = listener.accept();
    if (listener.accepting !== before) this.#listenOn(listener);
    if (client === undefined) return;
    const { fd, peer } = client;
    const connection = new Connection(fd, peer, listener);
    this.#connections.set(fd, connection);
    epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
    const turnedAway = listener.join(peer, this.options.log);
    if (turnedAway === undefined) return;
    await this.#guarded(connection, () => connection.send(encodeMessage(turnedAway), []));
    this.#end(connection);
  }

  /** Without free fds a client stays in the backlog, and epoll would report the listener without end. Each turn tries again. */
  #listenOn({ fd, accepting }: Listener): void {
    if (!accepting) this.options.log("Cannot accept a client: no file descriptors left");
    epoll_ctl(this.#epoll, EPOLL_CTL_MOD, fd, accepting ? EPOLLIN : 0);
  }

  async #read(connection: Connection): Promise<void> {
    const messages = connection.receive();
    if (messages === undefined) return this.#end(connection);
    try {
      for (const message of messages) {
        if (connection.closed) break;
        await this.#message(connection, message);
      }
    } finally {
      // The handler takes the fds that it keeps out of the list. Messages after one that ended the connection were not handled.
      for (const { fds } of messages) fds.forEach(close);
    }
  }

  async #message(connection: Connection, message: Message): Promise<void> {
    // Answers come in the order of calls. The answer to this call would come after answers that never end.
    if (this.#subscriptions.has(connection) || this.#later.has(connection)) {
      throw new ProtocolError("it calls again on a subscribed connection");
    }
    const call = decodeCall(message);
    if (this.#takenLater(connection, call)) return;
    const subscribes = call.more && !call.oneway && this.options.subscribes(call);
    const answered = await this.#answer(connection, call, subscribes);
    if (subscribes && answered) this.#subscriptions.set(connection, { ...call, fds: [] });
  }

  #takenLater(connection: Connection, call: VarlinkCall): boolean {
    const gone = new AbortController();
    const send = (message: object, fds: readonly number[] = []) => {
      if (connection.closed || call.oneway) return fds.forEach(close);
      this.#guardedNow(connection, () => connection.send(encodeMessage(message), fds));
    };
    const last = (message: object, fds?: readonly number[]) => {
      this.#later.delete(connection);
      send(message, fds);
    };
    const answers: Answers = {
      gone: gone.signal,
      continue: ({ parameters, fds = [] }) =>
        call.more ? send({ parameters, continues: true }, fds) : fds.forEach(close),
      end: ({ parameters, fds }) => last({ parameters }, fds),
      fail: ({ error, parameters }) => last({ error, parameters }),
    };
    this.#later.set(connection, gone);
    if (this.options.takesLater?.(call, connection.peer, answers)) return true;
    this.#later.delete(connection);
    return false;
  }

  #guardedNow(connection: Connection, work: () => void): void {
    try {
      work();
      if (!connection.closed) this.#watch(connection);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.options.log(`Cut off a client: ${error.message}`);
      this.#end(connection);
    }
  }

  /** False: the answer was an error, and a subscription ends with it. */
  async #answer(connection: Connection, call: VarlinkCall, continues: boolean): Promise<boolean> {
    const { message, fds, held } = await this.#outcome(call, connection, continues);
    if (call.oneway || connection.closed) [...fds, ...held].forEach(close);
    else connection.send(encodeMessage(message), fds, held);
    this.#watch(connection);
    return !("error" in message);
  }

  async #outcome(call: VarlinkCall, connection: Connection, continues: boolean): Promise<Outcome> {
    const handler = async () => await this.options.handle(call, connection.peer);
    const wanted = () => !this.#stopping && !connection.closed;
    try {
      const { parameters, fds = [], held = [] } = await this.#turns.patiently(
        handler,
        wanted,
        () => this.#postpone(connection),
      );
      return { message: continues ? { parameters, continues } : { parameters }, fds, held };
    } catch (error) {
      if (!(error instanceof VarlinkError)) throw error;
      return { message: { error: error.error, parameters: error.parameters }, fds: [], held: [] };
    }
  }

  /** Until the answer is called, no more calls of the client are read. */
  #postpone(connection: Connection): () => void {
    connection.postponed = true;
    this.#watch(connection);
    return () => {
      connection.postponed = false;
    };
  }

  /** While answers wait, no more calls are read. So a client that does not read cannot fill the memory of the agent. */
  #watch(connection: Connection): void {
    const events = connection.postponed ? 0 : connection.waiting ? EPOLLOUT : EPOLLIN;
    if (connection.closed || connection.watched === events) return;
    connection.watched = events;
    epoll_ctl(this.#epoll, EPOLL_CTL_MOD, connection.fd, events);
  }

  async #guarded(connection: Connection, work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
      if (!connection.closed) this.#watch(connection);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.options.log(`Cut off a client: ${error.message}`);
      this.#end(connection);
    }
  }

  #end(connection: Connection): void {
    if (connection.closed) return;
    this.#connections.delete(connection.fd);
    this.#subscriptions.delete(connection);
    const later = this.#later.get(connection);
    this.#later.delete(connection);
    epoll_ctl(this.#epoll, EPOLL_CTL_DEL, connection.fd);
    connection.listener.leave(connection.peer);
    connection.close();
    later?.abort("the command that asked for it has ended");
  }
}
