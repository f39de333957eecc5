/** Writes a change to the journal, or takes the change back. */
import { LuoError } from "../error.ts";
import type { AgentState, SessionKey } from "./agent_state.ts";

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
