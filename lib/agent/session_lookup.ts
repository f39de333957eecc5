/** Finds the session that a request names, and says why a request cannot have it. */
import { type IncomingSession, type OutgoingSession, sessionNameProblem } from "../session.ts";
import type { AgentState, Held } from "./agent_state.ts";
import { MANIFEST_SESSION, VALUES_SESSION } from "./manifest.ts";
import type { SessionInfo } from "./protocol.ts";
import { agentError } from "./request_checks.ts";
import type { VarlinkError } from "./varlink.ts";

/** PID 1 of systemd 261 and later retrieves the session of this name after a kexec, and finishes it when it cannot use it. */
export const SYSTEMD_SESSION = "systemd";

/** A session together with its fd. */
export type Open<Session> = Held<Session> & { session: Session };

/** @throws VarlinkError BadRequest */
export function checkName(name: string): void {
  const problem = sessionNameProblem(name);
  if (problem !== undefined) throw agentError("BadRequest", { message: problem });
  if (name === MANIFEST_SESSION || name === VALUES_SESSION) {
    throw agentError("BadRequest", { message: `session "${name}" is the agent's own` });
  }
}

/** The outgoing session of that name. @throws VarlinkError NoSuchSession, WrongState */
export function outgoingSession(
  state: AgentState,
  name: string,
  operation: string,
): Open<OutgoingSession> {
  checkName(name);
  const held = state.outgoing.get(name);
  if (held?.session !== undefined) return { ...held, session: held.session };
  const incoming = state.incoming.get(name);
  if (incoming === undefined) throw noSuchSession(state, name);
  const message = "it was handed over by the previous kernel, and files go into outgoing sessions";
  throw wrongState(incoming.info, operation, message);
}

/** The retrieved session of that name. @throws VarlinkError NoSuchSession, WrongState */
export function retrievedSession(
  state: AgentState,
  name: string,
  operation: string,
): Open<IncomingSession> {
  checkName(name);
  const held = state.incoming.get(name);
  if (held?.session !== undefined && held.info.state === "retrieved") {
    return { ...held, session: held.session };
  }
  if (held !== undefined) throw wrongState(held.info, operation, "it has not been retrieved");
  const outgoing = state.outgoing.get(name);
  if (outgoing === undefined) throw noSuchSession(state, name);
  throw wrongState(outgoing.info, operation, "it is of this kernel: that can be done after the kexec");
}

/** @throws LuoError `open`: before it had the device the agent does not know the sessions that there are */
export function noSuchSession(state: AgentState, session: string): VarlinkError {
  state.device.ready();
  return agentError("NoSuchSession", { session, known: state.sessions().map(({ name }) => name) });
}

export function wrongState(
  { name: session, state }: SessionInfo,
  operation: string,
  message: string,
): VarlinkError {
  return agentError("WrongState", { session, state, operation, message });
}
