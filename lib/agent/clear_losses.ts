/** The request that forgets losses, after an operator has dealt with them. */
import type { AgentState } from "./agent_state.ts";
import type { Loss, Methods } from "./protocol.ts";
import { saveOr } from "./save_or.ts";

/**
 * Forgets the losses in the status and in the journal, so that no later agent tells of them again.
 *
 * @throws LuoError `open`: without the device the journal may not be written, and the losses would come back; `record`, `write`
 */
export function clearLosses(
  state: AgentState,
  { until }: Methods["ClearLosses"]["request"],
): Methods["ClearLosses"]["reply"] {
  if (!state.device.broken) state.device.ready();
  const before = [...state.losses];
  const isCleared = ({ at }: Loss) => until === undefined || at <= until;
  state.losses.splice(0, Infinity, ...before.filter((loss) => !isCleared(loss)));
  saveOr(state, undefined, () => void state.losses.splice(0, Infinity, ...before));
  return { losses: before.filter(isCleared) };
}
