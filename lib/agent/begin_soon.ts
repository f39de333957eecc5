/** An agent that found the device busy at its start: it reads the handover as soon as the device is free. */
import type { AgentState } from "./agent_state.ts";

/** At boot systemd has the device open for moments. Nothing tells when it is free (`isTaken`): the agent tries for a minute. */
const STEP_MS = 250;
const TRIES = 240;

/** Kept sessions wait for that, although no client asks. `begun` is called when the handover is read. */
export function beginSoon({ device }: AgentState, begun: () => void): Disposable {
  let tries = 0;
  const timer = setInterval(() => {
    if (device.begun || device.status().state !== "busy" || ++tries > TRIES) return clearInterval(timer);
    if (device.tryReady()) begun();
  }, STEP_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
