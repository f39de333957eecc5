/** The end of a command whose step of a live update was interrupted: what became of the update, and how to go on. */
import type { AsyncAgentClient } from "../../lib/agent/async_client.ts";
import type { Methods, UpdateState } from "../../lib/agent/protocol.ts";
import { Failure } from "../errors/failure.ts";

type Reply = Methods["GetUpdate"]["reply"];
type Step = Methods["StepUpdate"]["request"]["step"];

/** The command that was interrupted. */
export interface Told {
  readonly step: Step;
  readonly show: (reply: Reply) => void;
  /** The command that begins a cancelled update again. */
  readonly again: string;
}

/** The states of a step that the agent cancels when the command that asked for the step has ended. */
const CANCELLED: ReadonlySet<UpdateState> = new Set<UpdateState>(["preparing", "freezing", "cancelling"]);

/** Waits until the agent has cancelled the step. A second Ctrl-C ends the wait, and the command. */
export async function interruptedStep(client: AsyncAgentClient, told: Told): Promise<Failure> {
  const { step, show } = told;
  const isCancelled = ({ state }: Reply) => step !== "finish" && step !== "cancel" && CANCELLED.has(state);
  for await (const { reply } of client.more("GetUpdate", {})) {
    show(reply);
    if (!isCancelled(reply)) return failure(told, reply);
  }
  return unknownEnd();
}

/** The agent has ended, or does not answer. */
export function unknownEnd(): Failure {
  const what = "the agent does not say what became of the update";
  return new Failure("interrupted", `Interrupted: ${what}`, { hints: ["see: luo update state"] });
}

function failure({ step, again }: Told, reply: Reply): Failure {
  const { state } = reply;
  const interrupted = (what: string, ...hints: string[]) =>
    new Failure("interrupted", `Interrupted: ${what}`, { reasons: notCancelled(reply), hints });
  if (state === "prepared" || state === "frozen") {
    const next = state === "prepared" ? "luo update freeze" : "luo kexec exec";
    return interrupted(`the update is ${state}`, `to go on: ${next}`, "to go back: luo update cancel");
  }
  if (state !== "normal") return interrupted("the agent goes on with the update", "see: luo update state");
  if (step === "finish") return interrupted("the update is finished");
  return interrupted(
    "the update is cancelled, and everything is as before",
    `to begin again: ${again}`,
  );
}

/** The participants that could not be told to go on as before. */
function notCancelled({ update }: Reply): string[] {
  const failed = (update?.events ?? []).filter(({ event, outcome }) =>
    event === "cancel" && outcome !== undefined && outcome !== "done"
  );
  return failed.map(({ participant, outcome, reason = outcome }) => `cancel of "${participant}": ${reason}`);
}
