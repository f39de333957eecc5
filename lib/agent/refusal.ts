/** A refusal of the agent: what would be lost, as sentences for people and as codes for programs. */
import type { Problem, ProblemCode, SessionInfo, SessionState } from "./protocol.ts";
import { agentError } from "./request_checks.ts";
import type { VarlinkError } from "./varlink.ts";

/** One reason to refuse: the sentence, and the same as a code with the session and the token it is about. */
export interface Objection extends Problem {
  readonly reason: string;
}

/** `Refused`, to be thrown. `reasons` and `problems` have the same order. */
export function refused(operation: string, subject: string, objections: readonly Objection[]): VarlinkError {
  return agentError("Refused", {
    operation,
    subject,
    reasons: objections.map(({ reason }) => reason),
    problems: objections.map(({ reason: _, ...problem }) => problem),
  });
}

/** The problem that a session of this state is for everything that ends the agent or its kernel. */
export const SESSION_PROBLEM: Readonly<Record<SessionState, ProblemCode>> = {
  outgoing: "session_outgoing",
  incoming: "session_not_retrieved",
  retrieved: "session_not_finished",
};

/** Sessions that hold files, or may, before those that hold none: a list of reasons is cut at its end. */
export function dataFirst(sessions: readonly SessionInfo[]): SessionInfo[] {
  const data = ({ files, filesKnown }: SessionInfo) => Number(files.length > 0 || filesKnown === false);
  return sessions.toSorted((one, other) => data(other) - data(one));
}
