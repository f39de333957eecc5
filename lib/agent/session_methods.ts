/** The requests that create, retrieve, finish and close sessions. */
import { Errno } from "../../ffi/abi/errno.ts";
import { LuoError } from "../error.ts";
import type { AgentState, Held, SessionKey } from "./agent_state.ts";
import { loss, unrestored } from "./journal.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";
import type { FileInfo, Methods, SessionInfo } from "./protocol.ts";
import { type Objection, refused } from "./refusal.ts";
import { agentError, kernelError } from "./request_checks.ts";
import { NotYet } from "./turns.ts";
import {
  checkName,
  noSuchSession,
  outgoingSession,
  retrievedSession,
  SYSTEMD_SESSION,
  wrongState,
} from "./session_lookup.ts";

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

export function finishSession(
  state: AgentState,
  { name, force }: Methods["FinishSession"]["request"],
  operation: "finish" | "close" = "finish",
): Methods["FinishSession"]["reply"] {
  const { info, session } = retrievedSession(state, name, operation);
  const objections = force ? [] : unrestoredFiles(info);
  if (objections.length > 0) throw refused(operation, `session "${name}"`, objections);
  // Record first: if the kexec or the agent's end comes now, the next agent must not report this session as lost.
  forget(state, state.incoming, { list: "incoming", name });
  try {
    session.finish();
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    state.ending = undefined;
    state.incoming.set(name, { info, session });
    state.save();
    throw error;
  }
  state.endedInStore(session);
  return { session: info };
}

/** The data that the end of a retrieved session would destroy. */
export function unrestoredFiles({ name: session, files, filesKnown }: SessionInfo): Objection[] {
  const waiting = largestFirst(files.filter(({ state }) => state === "waiting")).map((
    { token, label },
  ): Objection => ({
    code: "file_not_restored",
    session,
    token,
    reason: `file ${token}${labelText(label)} was never restored: it would be gone`,
  }));
  if (filesKnown !== false) return waiting;
  const reason =
    "its files are unknown: another program preserved them, or the agent's record of them is lost, " +
    "and the kernel cannot list them; a file never restored would be gone";
  return [...waiting, { code: "files_unknown", session, reason }];
}

export function closeSession(
  state: AgentState,
  { name, force }: Methods["CloseSession"]["request"],
): Methods["CloseSession"]["reply"] {
  const handedOver = state.incoming.get(name)?.info;
  if (handedOver?.state === "retrieved") return finishSession(state, { name, force }, "close");
  if (handedOver !== undefined) {
    throw wrongState(
      handedOver,
      "close",
      "it was handed over and has not been retrieved, and the kernel keeps it",
    );
  }
  const { info, session } = outgoingSession(state, name, "close");
  const objections = force ? [] : preservedFiles(info);
  if (objections.length > 0) throw refused("close", `session "${name}"`, objections);
  // Record first: if the kexec comes now, the next agent must not look for this session.
  forget(state, state.outgoing, { list: "outgoing", name });
  session.close();
  state.endedInStore(session);
  state.preserved.drop(name);
  return { session: info };
}

/** The data that the end of an outgoing session would destroy. */
function preservedFiles({ name: session, files, filesKnown }: SessionInfo): Objection[] {
  const preserved = largestFirst(files).map(({ token, label }): Objection => ({
    code: "file_preserved",
    session,
    token,
    reason: `file ${token}${labelText(label)} would no longer be preserved`,
  }));
  if (filesKnown !== false) return preserved;
  const reason = "its files are unknown, and would no longer be preserved";
  return [...preserved, { code: "files_unknown", session, reason }];
}

/** A list of reasons is cut at its end. */
function largestFirst(files: readonly FileInfo[]): FileInfo[] {
  return files.toSorted((one, other) => other.size - one.size);
}

function labelText(text: string | undefined): string {
  return text === undefined ? "" : ` (${text})`;
}

function forget<Session>(state: AgentState, from: Map<string, Held<Session>>, key: SessionKey): void {
  const held = from.get(key.name);
  from.delete(key.name);
  // While the store may have the session, an agent that starts after this one must end it there.
  if (state.store.usage !== undefined) state.ending = [{ name: key.name, outgoing: key.list === "outgoing" }];
  saveOr(state, key, () => {
    state.ending = undefined;
    if (held !== undefined) from.set(key.name, held);
  });
}

/** Writes the change of one session (undefined: of more) to the journal. When that fails, `undo` restores the state before, and the error is thrown on. */
export function saveOr(state: AgentState, only: SessionKey | undefined, undo: () => void): void {
  try {
    state.save(only);
  } catch (error) {
    undo();
    // The record was written and the manifest was not: write the record again, with the state before.
    if (error instanceof LuoError && error.operation !== "record") state.save();
    throw error;
  }
}
