import { LuoError } from "../error.ts";
import { type Session, sessionNameProblem } from "../session.ts";
import { MANIFEST_SESSION } from "./manifest.ts";
import type { Methods, SessionInfo } from "./protocol.ts";
import { type Objection, refused } from "./refusal.ts";
import { agentError } from "./request_checks.ts";
import type { AgentState, Held } from "./agent_state.ts";

function checkName(name: string): void {
  const problem = sessionNameProblem(name);
  if (problem !== undefined) throw agentError("BadRequest", { message: problem });
  if (name === MANIFEST_SESSION) {
    throw agentError("BadRequest", { message: `session "${name}" is the agent's own` });
  }
}

/** The outgoing session of that name. @throws VarlinkError NoSuchSession, WrongState */
export function outgoingSession(
  state: AgentState,
  name: string,
  operation: string,
): Held & { session: Session } {
  checkName(name);
  const held = state.outgoing.get(name);
  if (held?.session !== undefined) return { ...held, session: held.session };
  const incoming = state.incoming.get(name);
  if (incoming === undefined) throw unknown(state, name);
  throw wrongState(
    incoming.info,
    operation,
    "it was handed over by the previous kernel: files go into outgoing sessions",
  );
}

/** The retrieved session of that name. @throws VarlinkError NoSuchSession, WrongState */
export function retrievedSession(
  state: AgentState,
  name: string,
  operation: string,
): Held & { session: Session } {
  checkName(name);
  const held = state.incoming.get(name);
  if (held?.session !== undefined) return { ...held, session: held.session };
  if (held !== undefined) throw wrongState(held.info, operation, "it has not been retrieved");
  const outgoing = state.outgoing.get(name);
  if (outgoing === undefined) throw unknown(state, name);
  throw wrongState(outgoing.info, operation, "it is of this kernel: that can be done after the kexec");
}

function unknown(state: AgentState, session: string) {
  return agentError("NoSuchSession", { session, known: state.sessions().map(({ name }) => name) });
}

function wrongState({ name: session, state }: SessionInfo, operation: string, message: string) {
  return agentError("WrongState", { session, state, operation, message });
}

export function createSession(
  state: AgentState,
  { name }: Methods["CreateSession"]["request"],
): Methods["CreateSession"]["reply"] {
  checkName(name);
  // Should the agent die before it is written down: the kernel forgets the session with it.
  const session = state.device.create(name);
  const info: SessionInfo = { name, state: "outgoing", createdAt: state.options.now(), files: [] };
  state.outgoing.set(name, { info, session });
  saveOr(state, () => {
    state.outgoing.delete(name);
    session.close();
  });
  return { session: info };
}

export function retrieveSession(
  state: AgentState,
  { name }: Methods["RetrieveSession"]["request"],
): Methods["RetrieveSession"]["reply"] {
  checkName(name);
  const known = state.incoming.get(name);
  const before = known?.info ?? unknownSession(name, state.options.now());
  const info: SessionInfo = { ...before, state: "retrieved" };
  // Written down first: should the agent die in between, the next one asks the kernel whether it is still there. The other way
  // round it would believe in a session that the kernel has finished.
  state.incoming.set(name, { ...known, info });
  saveOr(state, () => restore(state, name, known));
  try {
    const session = state.device.retrieve(name);
    state.incoming.set(name, { info, session });
  } catch (error) {
    // A killed process writes nothing down any more: what stands there is what the next agent is to find.
    if (!(error instanceof LuoError)) throw error;
    restore(state, name, known);
    state.save();
    throw known === undefined && error.is("ENOENT") ? unknown(state, name) : error;
  }
  return { session: info };
}

/** An incoming session that the agent has no record of: another program created it, or the record is lost. */
function unknownSession(name: string, at: string): SessionInfo {
  return { name, state: "incoming", createdAt: at, files: [], filesKnown: false };
}

function restore(state: AgentState, name: string, known: Held | undefined): void {
  if (known === undefined) state.incoming.delete(name);
  else state.incoming.set(name, known);
}

export function finishSession(
  state: AgentState,
  { name, force }: Methods["FinishSession"]["request"],
): Methods["FinishSession"]["reply"] {
  const { info, session } = retrievedSession(state, name, "finish");
  const objections = force ? [] : unrestoredFiles(info);
  if (objections.length > 0) throw refused("finish", `session "${name}"`, objections);
  // Forgotten first: should the kexec or the agent's end come in between, nobody takes it for lost against his will.
  forget(state, state.incoming, name);
  try {
    session.finish();
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    state.incoming.set(name, { info, session });
    state.save();
    throw error;
  }
  session.close();
  return { session: info };
}

/** The data that the end of a retrieved session would destroy. */
function unrestoredFiles({ name: session, files, filesKnown }: SessionInfo): Objection[] {
  const waiting = files.filter(({ state }) => state === "waiting").map(({ token, label }): Objection => ({
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
  if (!state.outgoing.has(name) && state.incoming.get(name)?.session !== undefined) {
    return finishSession(state, { name, force });
  }
  const { info, session } = outgoingSession(state, name, "close");
  if (info.files.length > 0 && !force) {
    throw refused(
      "close",
      `session "${name}"`,
      info.files.map(({ token, label }) => ({
        code: "file_preserved",
        session: name,
        token,
        reason: `file ${token}${labelText(label)} would no longer be preserved`,
      })),
    );
  }
  // Forgotten first: should the kexec come in between, the next agent does not look for what is not there.
  forget(state, state.outgoing, name);
  session.close();
  return { session: info };
}

function labelText(text: string | undefined): string {
  return text === undefined ? "" : ` (${text})`;
}

function forget(state: AgentState, from: Map<string, Held>, name: string): void {
  const held = from.get(name);
  from.delete(name);
  saveOr(state, () => {
    if (held !== undefined) from.set(name, held);
  });
}

/** Writes the journal; when that fails, `undo` puts things back and the failure is told. */
export function saveOr(state: AgentState, undo: () => void): void {
  try {
    state.save();
  } catch (error) {
    undo();
    // The record was written, the manifest could not be: the record says again what is so.
    if (error instanceof LuoError && error.operation !== "record") state.save();
    throw error;
  }
}
