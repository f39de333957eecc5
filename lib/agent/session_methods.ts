/** The requests that create and retrieve sessions. */
import { Errno } from "../../ffi/abi/errno.ts";
import { LuoError } from "../error.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";
import type { AgentState, Held, SessionKey } from "./agent_state.ts";
import { loss, unrestored } from "./journal.ts";
import type { Methods, SessionInfo } from "./protocol.ts";
import { refused } from "./refusal.ts";
import { agentError, kernelError } from "./request_checks.ts";
import { saveOr } from "./save_or.ts";
import { checkName, noSuchSession, SYSTEMD_SESSION, wrongState } from "./session_lookup.ts";
import { NotYet } from "./turns.ts";

/**
 * A name means one session: while an incoming or retrieved session has the name, no outgoing one can have it too, although the
 * kernel would take it.
 */
export function createSession(
  state: AgentState,
  { name, keep }: Methods["CreateSession"]["request"],
): Methods["CreateSession"]["reply"] {
  checkName(name);
  state.device.ready();
  if (name === SYSTEMD_SESSION) throw agentError("BadRequest", { message: SYSTEMD_OWNS });
  const handedOver = state.incoming.get(name);
  if (handedOver !== undefined) {
    const message = "a session of that name was handed over by the previous kernel and is not finished";
    throw wrongState(handedOver.info, "create", message);
  }
  // The kernel forgets the session if the agent dies before it is recorded.
  state.store.checkRoom("create", name);
  const session = makeSession(state, name);
  const info: SessionInfo = {
    name,
    state: "outgoing",
    createdAt: state.options.now(),
    files: [],
    ...keep ? { keep } : {},
  };
  state.outgoing.set(name, { info, session });
  const undo = () => {
    state.outgoing.delete(name);
    session.close();
  };
  saveOr(state, { list: "outgoing", name }, undo);
  storeOr(state, session, { list: "outgoing", name }, undo);
  return { session: info };
}

/** @throws LuoError `create`; NotYet a session of that name was closed, and systemd has not closed its copy yet */
function makeSession(state: AgentState, name: string): OutgoingSession {
  try {
    return state.device.use((device) => device.create(name));
  } catch (error) {
    const leaves = error instanceof LuoError && error.is("EEXIST") && state.store.mayStillHave(name);
    throw leaves ? new NotYet(kernelError(error)) : error;
  }
}

/** Puts the session into the store. When that fails, `undo` restores the state before, and the error is thrown on. */
function storeOr(state: AgentState, session: OutgoingSession, key: SessionKey, undo: () => void): void {
  try {
    state.store.keep(session);
  } catch (error) {
    undo();
    if (error instanceof LuoError) state.save(key);
    throw error;
  }
}

const SYSTEMD_OWNS = `session "${SYSTEMD_SESSION}" is systemd's own: ` +
  "PID 1 of systemd 261 and later retrieves it after the kexec, and finishes it";

export function retrieveSession(
  state: AgentState,
  { name, force }: Methods["RetrieveSession"]["request"],
): Methods["RetrieveSession"]["reply"] {
  checkName(name);
  state.device.ready();
  if (name === SYSTEMD_SESSION && !force) {
    const reason =
      "systemd's PID 1 keeps the file descriptors of its services in it, and could not retrieve it any more";
    throw refused("retrieve", `session "${name}"`, [{ code: "session_of_systemd", session: name, reason }]);
  }
  const known = state.incoming.get(name);
  if (known === undefined) mayBeUnknown(state, name);
  if (known?.info.state === "retrieved") {
    throw wrongState(known.info, "retrieve", "the agent has retrieved it already");
  }
  if (known?.session === undefined) {
    state.store.checkRoom("retrieve", name);
    // Opened before the journal is written: when another program has the device, nothing has changed.
    return { session: state.device.use(() => retrieveFrom(state, name, known)) };
  }
  return { session: recordRetrieved(state, name, known) };
}

function recordRetrieved(
  state: AgentState,
  name: string,
  known: Held<IncomingSession> | undefined,
): SessionInfo {
  const before = known?.info ?? unknownSession(name, state.options.now());
  const info: SessionInfo = { ...before, state: "retrieved" };
  state.incoming.set(name, { ...known, info });
  saveOr(state, { list: "incoming", name }, () => putBack(state, name, known));
  return info;
}

function retrieveFrom(
  state: AgentState,
  name: string,
  known: Held<IncomingSession> | undefined,
): SessionInfo {
  // Record first: if the agent dies in between, the next one asks the kernel whether it still has the session. In the other
  // order the next agent would list a session that the kernel has finished.
  const info = recordRetrieved(state, name, known);
  try {
    const session = state.retrieve(name);
    state.incoming.set(name, { info, session });
    return info;
  } catch (error) {
    // A killed process records nothing: the next agent finds what was recorded above.
    if (!(error instanceof LuoError)) throw error;
    putBack(state, name, known);
    if (error.is("ENOENT") && known !== undefined) throw gone(state, known.info);
    state.save();
    throw notRetrieved(state, name, error);
  }
}

/** Retrieving a name that an outgoing session has would give two sessions one name. @throws VarlinkError WrongState */
function mayBeUnknown(state: AgentState, name: string): void {
  const outgoing = state.outgoing.get(name);
  if (outgoing === undefined) return;
  const message =
    "this kernel made it, and as far as the agent knows the previous kernel handed over no session of that name";
  throw wrongState(outgoing.info, "retrieve", message);
}

/** The kernel does not have a session that was listed as incoming: from now on it is a loss. */
export function gone(state: AgentState, info: SessionInfo): LuoError {
  state.incoming.delete(info.name);
  const reason =
    "the kernel does not have it: another program retrieved and finished it, or it was never handed over";
  state.lose([loss(unrestored(info), reason, state.options.now())]);
  state.saveOrLog();
  const subject = `session "${info.name}"`;
  const what = `Cannot retrieve ${subject}: the kernel does not have it, and luo status lists it as lost now`;
  return new LuoError("retrieve", subject, Errno.ENOENT, what);
}

function notRetrieved(state: AgentState, name: string, error: LuoError): Error {
  if (error.is("ENOENT")) return noSuchSession(state, name);
  if (!error.is("EINVAL")) return error;
  const { operation, subject, errno } = error;
  return new LuoError(
    operation,
    subject,
    errno,
    `Cannot retrieve ${subject}: another program has retrieved it`,
  );
}

/** An incoming session that the agent has no record of: another program created it, or the record is lost. */
function unknownSession(name: string, at: string): SessionInfo {
  return { name, state: "incoming", createdAt: at, files: [], filesKnown: false };
}

function putBack(state: AgentState, name: string, known: Held<IncomingSession> | undefined): void {
  if (known === undefined) state.incoming.delete(name);
  else state.incoming.set(name, known);
}
