/** The agent's sessions in the fd store: which are there, under which names, and whether there is room for more. */
import { Errno } from "../../ffi/abi/errno.ts";
import { LuoError } from "../error.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";
import { type FdStore, storeName } from "./fd_store.ts";

/** How long systemd may take to close an fd that it was asked to remove. */
const LEAVING_MS = 10_000;

type Session = IncomingSession | OutgoingSession;

/** Without a store nothing is kept, and nothing fails. */
export class SessionStore {
  readonly #names = new Map<Session, string>();
  /** The names of entries that are no sessions of ours. They take room. */
  readonly #others: string[] = [];
  /** When an entry for a session of that name was removed. */
  readonly #dropped = new Map<string, number>();

  constructor(readonly store: FdStore | undefined) {}

  /** How many entries there are, of how many. */
  get usage(): { room: number; used: number } | undefined {
    if (this.store === undefined) return undefined;
    return { room: this.store.room, used: this.#names.size + this.#others.length };
  }

  holds(session: Session | undefined): boolean {
    return session !== undefined && this.#names.has(session);
  }

  /** A session that came from the store, under that name. */
  adopt(session: Session, name: string): void {
    this.#names.set(session, name);
  }

  /** An entry that is no session. */
  adoptOther(name: string): void {
    this.#others.push(name);
  }

  /**
   * systemd drops what does not fit, and does not tell.
   *
   * @throws LuoError `store`: ENOSPC
   */
  checkRoom(operation: string, name: string): void {
    const usage = this.usage;
    if (usage === undefined || usage.used < usage.room) return;
    const subject = `session "${name}"`;
    const what = `Cannot ${operation} ${subject}: ` +
      `systemd's fd store has ${usage.used} of ${usage.room} entries, and the session would end with the agent`;
    throw new LuoError("store", subject, Errno.ENOSPC, what);
  }

  /** Puts the session into the store: from now on it outlives the agent. @throws LuoError `store` */
  keep(session: Session): void {
    if (this.store === undefined || this.holds(session)) return;
    const name = this.#freeName(session.name);
    this.store.push(name, session.fd.number);
    this.#names.set(session, name);
  }

  #freeName(session: string): string {
    const taken = new Set([...this.#names.values(), ...this.#others]);
    for (let count = 0;; count++) {
      const name = storeName(session, count);
      if (!taken.has(name)) return name;
    }
  }

  /** After the end of the session. @throws LuoError `store` */
  drop(session: Session): void {
    const name = this.#names.get(session);
    if (name === undefined) return;
    this.#names.delete(session);
    this.#noteDropped(session.name);
    this.store?.remove(name);
  }

  #noteDropped(session: string): void {
    const now = performance.now();
    for (const [name, at] of this.#dropped) if (now - at > LEAVING_MS) this.#dropped.delete(name);
    this.#dropped.delete(session);
    this.#dropped.set(session, now);
  }

  /** systemd closes its copies in a process of its own, a moment after it was asked to. */
  mayStillHave(session: string): boolean {
    const at = this.#dropped.get(session);
    return at !== undefined && performance.now() - at < LEAVING_MS;
  }
}
