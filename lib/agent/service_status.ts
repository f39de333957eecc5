/** The line that the service manager shows for the agent (systemctl status). */
import type { AgentState } from "./agent_state.ts";

/** `2 sessions for the next kernel, 1 of the previous one`. */
export function statusLine({ outgoing, incoming, device, losses }: AgentState): string {
  if (!device.begun) return `Waits for the device: ${device.problem}`;
  const lost = losses.length === 0 ? "" : `, ${losses.length} lost`;
  return `${outgoing.size} sessions for the next kernel, ${incoming.size} of the previous one${lost}`;
}
