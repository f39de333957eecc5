/** A Varlink server on one epoll loop. */
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from "../../ffi/abi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { Connection } from "./connection.ts";
import type { Listener } from "./listener.ts";
import { Listeners } from "./listeners.ts";
import { ServerEvents } from "./server_events.ts";
import { answersTo, type Reply, type ServerOptions } from "./server_options.ts";
import { inOrder, orElse, type Soon, then } from "./soon.ts";
import { Turns } from "./turns.ts";
import { decodeCall, type Message, ProtocolError, type VarlinkCall, VarlinkError } from "./varlink.ts";

/** The answer to a call, or the error in its place. */
interface Outcome extends Reply {
  readonly error?: string;
}

/** A Varlink server on one epoll loop: a slow, hostile or vanished client does not delay the others. */
export class VarlinkServer {
  readonly #events = new ServerEvents();
  readonly #connections = new Map<number, Connection>();
  readonly #subscriptions = new Map<Connection, VarlinkCall>();
  /** Calls that are answered later. */
  readonly #later = new Map<Connection, AbortController>();
  #failure: unknown;
  readonly #listeners: Listeners;
  #stopping = false;
  #changed = false;
  readonly #turns = new Turns<Connection>(() => this.#events.wake());

  constructor(readonly options: ServerOptions) {
    this.#listeners = new Listeners(options.listeners, this.#events, options.log);
  }

  /** Serves until `stop`. Answers that exist by then are still sent, as far as the sockets take them without waiting. */
  async run(): Promise<void> {
    try {
      while (!this.#stopping) {
        const events = await this.#events.next(this.#later.size > 0, this.#listeners.limit_ms);
        for (const event of events) {
          const working = this.#event(event.fd, event.events);
          if (working !== undefined) await working;
        }
        if (events.length === 0) this.#listeners.replaceLost();
        if (this.#changed) await this.#tellSubscribers();
        for (const listener of this.#listeners.full()) this.#accept(listener);
        this.#turns.throwFailure();
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      // Listeners first: a client that sees its connection end can connect again at once, and must not reach this server.
      this.stop();
      this.#listeners.close();
      for (const connection of this.#connections.values()) this.#end(connection);
      await this.#turns.over();
      this.#events.close();
    }
  }

  stop(): void {
    this.#stopping = true;
    this.#events.wake();
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
    this.#events.wake();
  }

  #tellSubscribers(): Soon<void> {
    this.#changed = false;
    return inOrder([...this.#subscriptions.keys()], (connection) => this.#tell(connection));
  }

  /** A subscriber that still reads the last answer gets the next one after that, so that long answers do not pile up. */
  #tell(connection: Connection): Soon<void> {
    const call = this.#subscriptions.get(connection);
    connection.behind = connection.waiting;
    if (call === undefined || connection.behind) return;
    return this.#guarded(connection, () =>
      then(this.#answer(connection, call, true), (answered) => {
        if (!answered) this.#subscriptions.delete(connection);
      }));
  }

  #event(fd: number, events: number): Soon<void> {
    const connection = this.#connections.get(fd);
    if (connection !== undefined) {
      return this.#turns.untilPostponed(
        connection,
        () => this.#guarded(connection, () => this.#ready(connection, events)),
      );
    }
    const listener = this.#listeners.at(fd);
    if (listener !== undefined) return this.#accept(listener);
    this.#events.endWakeup(fd);
    this.#listeners.placeChanged(fd);
  }

  #ready(connection: Connection, events: number): Soon<void> {
    if (events & EPOLLOUT) connection.flush();
    if (connection.behind && !connection.waiting) return this.#tell(connection);
    if (events & EPOLLIN) return this.#read(connection);
    if (events & (EPOLLERR | EPOLLHUP)) this.#end(connection);
  }

  #accept(listener: Listener): void {
    const client = this.#listeners.accept(listener);
    if (client === undefined) return;
    const { fd, peer } = client;
    const connection = new Connection(fd, peer, listener);
    this.#connections.set(fd, connection);
    this.#events.add(fd);
    const turnedAway = listener.join(peer, this.options.log);
    if (turnedAway === undefined) return;
    this.#guardedNow(connection, () => connection.send(turnedAway, []));
    this.#end(connection);
  }

  #read(connection: Connection): Soon<void> {
    const messages = connection.receive();
    if (messages === undefined) return this.#end(connection);
    // The handler takes the fds that it keeps out of the list. Messages after one that ended the connection are not handled.
    const closeFds = () => messages.forEach(({ fds }) => fds.forEach(close));
    let kept = false;
    const answering = orElse(
      () =>
        inOrder(messages, (message) => {
          if (connection.closed) return;
          const answering = this.#message(connection, message);
          // Meanwhile other clients are read into the same memory.
          if (answering instanceof Promise && !kept) messages.forEach((one) => one.bytes = one.bytes.slice());
          kept ||= answering instanceof Promise;
          return answering;
        }),
      (error) => {
        closeFds();
        throw error;
      },
    );
    return then(answering, closeFds);
  }

  #message(connection: Connection, message: Message): Soon<void> {
    // Answers come in the order of calls. The answer to this call would come after answers that never end.
    if (this.#subscriptions.has(connection) || this.#later.has(connection)) {
      throw new ProtocolError("it calls again on a subscribed connection");
    }
    const call = decodeCall(message);
    if (this.#takenLater(connection, call)) return;
    const subscribes = call.more && !call.oneway && this.options.subscribes(call);
    return then(this.#answer(connection, call, subscribes), (answered) => {
      if (subscribes && answered) this.#subscriptions.set(connection, { ...call, fds: [] });
    });
  }

  #takenLater(connection: Connection, call: VarlinkCall): boolean {
    const send = (message: object, fds: readonly number[]) => {
      if (connection.closed || call.oneway) return fds.forEach(close);
      this.#guardedNow(connection, () => connection.send(message, fds));
    };
    const last = (message: object, fds: readonly number[]) => {
      this.#later.delete(connection);
      send(message, fds);
    };
    const take = () => {
      const gone = new AbortController();
      this.#later.set(connection, gone);
      return answersTo(call, gone.signal, send, last);
    };
    return this.options.takesLater?.(call, connection.peer, take) ?? false;
  }

  #guardedNow(connection: Connection, work: () => void): void {
    try {
      work();
      if (!connection.closed) this.#watch(connection);
    } catch (error) {
      this.#cutOff(connection, error);
    }
  }

  /** False: the answer was an error, and a subscription ends with it. */
  #answer(connection: Connection, call: VarlinkCall, continues: boolean): Soon<boolean> {
    return then(this.#outcome(call, connection), ({ error, parameters, fds = [], held = [] }) => {
      if (call.oneway || connection.closed) [...fds, ...held].forEach(close);
      else if (error !== undefined) connection.send({ error, parameters }, []);
      else connection.send(continues ? { parameters, continues } : { parameters }, fds, held);
      this.#watch(connection);
      return error === undefined;
    });
  }

  #outcome(call: VarlinkCall, connection: Connection): Soon<Outcome> {
    return orElse<Outcome>(() =>
      this.#turns.patiently({
        client: connection,
        handler: () => this.options.handle(call, connection.peer),
        wanted: () => !this.#stopping && !connection.closed,
        postpone: () => this.#postpone(connection),
      }), (error) => {
      if (error instanceof VarlinkError) return { error: error.error, parameters: error.parameters };
      throw error;
    });
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
    this.#events.change(connection.fd, events);
  }

  #guarded(connection: Connection, work: () => Soon<void>): Soon<void> {
    return orElse(
      () =>
        then(work(), () => {
          if (!connection.closed) this.#watch(connection);
        }),
      (error) => this.#cutOff(connection, error),
    );
  }

  #cutOff(connection: Connection, error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.options.log(`Cut off a client: ${error.message}`);
    this.#end(connection);
  }

  #end(connection: Connection): void {
    if (connection.closed) return;
    this.#connections.delete(connection.fd);
    this.#subscriptions.delete(connection);
    const later = this.#later.get(connection);
    this.#later.delete(connection);
    this.#events.remove(connection.fd);
    connection.listener.leave(connection.peer);
    connection.close();
    later?.abort("the command that asked for it has ended");
  }
}
