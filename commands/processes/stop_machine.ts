/** Ends the model's machine. It can outlive the agent: the machine goes on while something waits in its kernel. */
import { LINUX_REBOOT_CMD_POWER_OFF } from "../../ffi/abi/kexec.ts";
import { connectAgent, ConnectionEnded, NoAnswer } from "../../lib/agent/client.ts";
import { LuoError } from "../../lib/error.ts";
import { connectMachine } from "../../lib/machine_process/remote_system_calls.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { PlaceWatch } from "../../lib/waits/place_watch.ts";
import { type AgentTarget, machineSocket } from "../arguments/agent_target.ts";
import { Failure } from "../errors/failure.ts";
import { waitForEnd } from "./background_process.ts";
import { connectIfRunning } from "./running_machine.ts";

/** An idle machine ends at once after the last goodbye. */
const IDLE_END_MS = 1000;
const END_MS = 10_000;
const AGENT_END_MS = 3000;

/**
 * Without `force` the machine ends only when nothing is in it: no process, no session, no loaded image, no value of
 * `luo put`.
 *
 * @returns false: no machine was running
 * @throws Failure `refused`: something is in it; `unavailable`: the machine does not end
 */
export function stopMachine(where: AgentTarget, force: boolean): boolean {
  const socket = machineSocket(where);
  const sys = connectIfRunning(connectMachine, socket);
  if (sys === undefined) return false;
  if (force) powerOff(sys);
  // The machine looks whether it is idle when a process says goodbye.
  else sys[Symbol.dispose]();
  if (hasEnded(socket, force ? END_MS : IDLE_END_MS)) {
    endAgent(where);
    return true;
  }
  if (force) throw new Failure("unavailable", `Cannot see the machine end within ${END_MS / 1000} seconds`);
  throw new Failure("refused", "Cannot stop the machine: data would be lost", {
    reasons: ["an agent, a session, a loaded image or a value of luo put is in its kernel"],
    hints: [
      "see what it holds: luo status",
      "finish the sessions, drop the values, then: luo agent stop",
      "to lose them: luo machine stop --force",
    ],
  });
}

function powerOff(sys: ReturnType<typeof connectMachine>): void {
  try {
    sys.reboot(LINUX_REBOOT_CMD_POWER_OFF);
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
  }
}

/** An agent of the machine ends at its next call. Without this call it would stay until the next command. */
function endAgent({ socket }: AgentTarget): void {
  try {
    using client = connectAgent(socket, AGENT_END_MS);
    client.call("Identify", {}, [], AGENT_END_MS);
  } catch (error) {
    // No agent runs, or this one does not answer: the machine has ended all the same.
    if (error instanceof ConnectionEnded) waitForEnd(`${socket}.lock`, AGENT_END_MS);
    else if (!(error instanceof LuoError || error instanceof NoAnswer)) throw error;
  }
}

function hasEnded(socket: string, limit_ms: number): boolean {
  const end = Date.now() + limit_ms;
  using place = new PlaceWatch(socket);
  for (;;) {
    const sys = connectIfRunning(connectMachine, socket);
    if (sys === undefined) return true;
    sys[Symbol.dispose]();
    if (Date.now() > end) return false;
    place.wait(end - Date.now());
  }
}
