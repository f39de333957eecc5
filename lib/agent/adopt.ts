/** The sessions that the fd store gave to the agent at its start: which they are, and what the journal knows of them. */
import { LuoError } from "../error.ts";
import { Fd } from "../fd.ts";
import { IncomingSession, OutgoingSession } from "../session.ts";
import type { SystemCalls } from "../system_calls.ts";
import type { AgentState } from "./agent_state.ts";
import type { FdStore } from "./fd_store.ts";
import type { Journal } from "./journal.ts";
import { MANIFEST_SESSION, VALUES_SESSION } from "./manifest.ts";
import type { SessionInfo } from "./protocol.ts";
import type { SessionStore } from "./session_store.ts";

/** The sessions that the store gave and that the agent has not taken yet. */
export interface Given {
  readonly outgoing: Map<string, OutgoingSession>;
  readonly incoming: Map<string, IncomingSession>;
  /** The agent's own sessions, which no client knows: those of this kernel, and those that the previous one handed over. */
  readonly own: {
    readonly outgoing: ReadonlyMap<string, OutgoingSession>;
    readonly incoming: ReadonlyMap<string, IncomingSession>;
  };
}

const OWN_SESSIONS = [MANIFEST_SESSION, VALUES_SESSION];

/** A token that hardly any program uses: to ask for it tells an incoming session from an outgoing one. */
const NO_TOKEN = 2n ** 64n - 1n;

/** Looks at everything that the store gave. An entry that is no session is left alone. */
export function given(sys: SystemCalls, store: FdStore | undefined, sessions: SessionStore): Given {
  const outgoing = new Map<string, OutgoingSession>();
  const incoming = new Map<string, IncomingSession>();
  for (const { name: stored, fd: number } of store?.given ?? []) {
    const fd = new Fd(sys, number);
    const name = nameOf(fd);
    if (name === undefined) {
      fd.release();
      sessions.adoptOther(stored);
      continue;
    }
    const session = isOutgoing(fd, name) ? new OutgoingSession(fd, name) : new IncomingSession(fd, name);
    sessions.adopt(session, stored);
    if (session instanceof OutgoingSession) outgoing.set(name, session);
    else incoming.set(name, session);
  }
  return { outgoing, incoming, own: { outgoing: takeOwn(outgoing), incoming: takeOwn(incoming) } };
}

function takeOwn<Session>(sessions: Map<string, Session>): Map<string, Session> {
  const own = new Map([...sessions].filter(([name]) => OWN_SESSIONS.includes(name)));
  for (const name of own.keys()) sessions.delete(name);
  return own;
}

/** Undefined: the fd is no session. */
function nameOf(fd: Fd): string | undefined {
  try {
    return new TextDecoder().decode(new OutgoingSession(fd, "given").kernelName());
  } catch (error) {
    if (error instanceof LuoError) return undefined;
    throw error;
  }
}

/** luo_session_retrieve_fd() refuses an outgoing session (EINVAL) before it looks for the token (ENOENT). */
function isOutgoing(fd: Fd, name: string): boolean {
  try {
    new IncomingSession(fd, name).restore(NO_TOKEN).close();
    return false;
  } catch (error) {
    if (error instanceof LuoError) return error.is("EINVAL");
    throw error;
  }
}

/**
 * Takes the sessions of a journal of this boot whose fds the store gave. Returns the journal without them, and without those that are
 * settled by that.
 */
export function adoptKnown(state: AgentState, journal: Journal): Journal {
  if (state.store.usage === undefined) return journal;
  const adopted = new Set<string>();
  for (const info of journal.sessions) settleRenewal(state, info);
  for (const info of journal.sessions) if (adopt(state, info)) adopted.add(info.name);
  // A name means one session. While the agent preserves a kept session again there are two, with the same files.
  const rest = journal.sessions.filter((info) => !adopted.has(info.name) && !wasBeingMade(info));
  return { ...journal, sessions: rest };
}

/** True: the store has the session. */
export function adopt(state: AgentState, info: SessionInfo): boolean {
  const { given } = state;
  const known: SessionInfo = { ...info, found: "adopted" };
  if (info.state === "outgoing") {
    const session = given.outgoing.get(info.name);
    if (session !== undefined) state.outgoing.set(info.name, { info: known, session });
    return given.outgoing.delete(info.name);
  }
  const session = given.incoming.get(info.name);
  if (session !== undefined) state.incoming.set(info.name, { info: known, session });
  return given.incoming.delete(info.name);
}

/** The agent was killed before the new session was in the store: no client was told of it, and there is nothing in it. */
function wasBeingMade({ state, files, filesKnown }: SessionInfo): boolean {
  return state === "outgoing" && files.length === 0 && filesKnown !== false;
}

/** The agent was killed while it preserved a kept session again: one of the two sessions has the files. */
function settleRenewal({ given, store, options }: AgentState, { name, state, files }: SessionInfo): void {
  const [old, next] = [given.incoming.get(name), given.outgoing.get(name)];
  if (state === "outgoing" || old === undefined || next === undefined) return;
  if (isFinished(old, files)) {
    given.incoming.delete(name);
    old.finish();
    store.drop(old);
    options.log(
      `Session "${name}" was being preserved again when the agent was killed: files may be missing`,
    );
  } else {
    given.outgoing.delete(name);
    next.close();
    store.drop(next);
  }
}

function isFinished(session: IncomingSession, [file]: SessionInfo["files"]): boolean {
  if (file === undefined) return true;
  try {
    session.restore(BigInt(file.token)).close();
    return false;
  } catch (error) {
    if (error instanceof LuoError) return error.is("ENOENT");
    throw error;
  }
}

/** The sessions that the store gave and that no journal names. One that was being ended is ended; the others are unknown. */
export function adoptRest(state: AgentState, ending: Journal["ending"]): void {
  const { given, store, options } = state;
  const isEnding = (name: string, outgoing: boolean) =>
    ending?.some((one) => one.name === name && one.outgoing === outgoing);
  for (const [name, session] of given.incoming) {
    if (isEnding(name, false)) session.finish();
    else state.incoming.set(name, { info: unknownInfo(name, "incoming", options.now()), session });
    if (session.fd.closed) store.drop(session);
    given.incoming.delete(name);
  }
  for (const [name, session] of given.outgoing) {
    if (isEnding(name, true)) session.close();
    else state.outgoing.set(name, { info: unknownInfo(name, "outgoing", options.now()), session });
    if (session.fd.closed) store.drop(session);
    given.outgoing.delete(name);
  }
}

function unknownInfo(name: string, state: SessionInfo["state"], at: string): SessionInfo {
  return { name, state, createdAt: at, files: [], filesKnown: false, found: "unknown" };
}
