/** The requests that end sessions, finish and close, and what of their data would be gone then. */
import { LuoError } from "../error.ts";
import type { AgentState, Held, SessionKey } from "./agent_state.ts";
import type { FileInfo, Methods, SessionInfo } from "./protocol.ts";
import { type Objection, refused } from "./refusal.ts";
import { saveOr } from "./save_or.ts";
import { outgoingSession, retrievedSession, wrongState } from "./session_lookup.ts";

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
  record: Recording = forget,
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
  record(state, state.outgoing, { list: "outgoing", name });
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

/** Writes down that a session is about to end. */
type Recording = <Session>(state: AgentState, from: Map<string, Held<Session>>, key: SessionKey) => void;

/** Without the record the session does not end. @throws LuoError */
function forget<Session>(state: AgentState, from: Map<string, Held<Session>>, key: SessionKey): void {
  const held = from.get(key.name);
  drop(state, from, key);
  saveOr(state, key, () => {
    state.ending = undefined;
    if (held !== undefined) from.set(key.name, held);
  });
}

/**
 * As `forget`, where the session ends on a full disk too. An agent that starts before the journal can be written lists the session
 * as lost.
 */
export function forgetOrLog<Session>(
  state: AgentState,
  from: Map<string, Held<Session>>,
  key: SessionKey,
): void {
  drop(state, from, key);
  state.saveOrLog();
}

function drop<Session>(
  state: AgentState,
  from: Map<string, Held<Session>>,
  { name, list }: SessionKey,
): void {
  from.delete(name);
  // While the store may have the session, an agent that starts after this one must end it there.
  if (state.store.usage !== undefined) state.ending = [{ name, outgoing: list === "outgoing" }];
}
