/** The method Stop: which sessions would be lost when the agent stops. */
import type { AgentState } from "./agent_state.ts";
import type { Methods, SessionInfo } from "./protocol.ts";
import { dataFirst, type Objection, refused, SESSION_PROBLEM } from "./refusal.ts";

/** @throws VarlinkError `Refused`: sessions would be lost */
export function checkStop(state: AgentState, { force }: Methods["Stop"]["request"]): void {
  // A session that waits in the kernel stays there for the next agent.
  const held = state.held()
    .filter(({ session }) => session !== undefined && !state.store.holds(session))
    .map(({ info }) => info);
  const objections = dataFirst(held).map(atStop);
  if (objections.length > 0 && !force) throw refused("stop", "the agent", objections);
}

/** The fate of a session when the agent that holds it stops. */
function atStop({ name, state, files, filesKnown }: SessionInfo): Objection {
  const content = filesKnown === false
    ? "files unknown"
    : `${files.length} ${files.length === 1 ? "file" : "files"}`;
  return {
    code: SESSION_PROBLEM[state],
    session: name,
    reason: `session "${name}" (${state}, ${content}) would be lost`,
  };
}
