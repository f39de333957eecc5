/** The steps of a live update: the agent takes them, and tells of every change. */
import { AsyncAgentClient } from "../../lib/agent/async_client.ts";
import { ConnectionEnded } from "../../lib/agent/client.ts";
import type { Methods } from "../../lib/agent/protocol.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { Failure } from "../errors/failure.ts";
import { connectedSocket } from "./agent_calls.ts";
import { interruptible } from "./interrupt.ts";
import { interruptedStep, type Told, unknownEnd } from "./interrupted_step.ts";

type Step = Methods["StepUpdate"]["request"];
export type UpdateReply = Methods["GetUpdate"]["reply"];

/**
 * Takes a step, and returns the state that it led to.
 *
 * @param again the command that begins a cancelled update again
 * @throws AgentError, ConnectionEnded; Failure `interrupted`
 */
export async function takeStep(
  context: Context,
  flags: CommonFlags,
  step: Step,
  fds: readonly number[] = [],
  show: (reply: UpdateReply) => void = () => {},
  again = step.step === "run" ? "luo update run" : "luo update prepare",
): Promise<UpdateReply> {
  const told = { step: step.step, show, again };
  return await orInterrupted(context, flags, told, async (signal) => {
    const client = new AsyncAgentClient(connectedSocket(context, flags));
    let last: UpdateReply | undefined;
    for await (const { reply } of client.more("StepUpdate", step, { fds, signal })) {
      show(reply);
      last = reply;
    }
    if (last !== undefined) return last;
    throw new Failure("internal", "Cannot tell what the step did: the agent gave no answer");
  });
}

/**
 * All of an update. On Linux the kernel ends, and this process with it. On the model the next kernel's agent is asked until it is
 * done.
 */
export async function runToNextKernel(
  context: Context,
  flags: CommonFlags,
  step: Step,
  fds: readonly number[],
  show: (reply: UpdateReply) => void,
): Promise<UpdateReply> {
  try {
    return await takeStep(context, flags, step, fds, show);
  } catch (error) {
    if (!(error instanceof ConnectionEnded) || !error.sent) throw error;
  }
  const told = { step: step.step, show, again: "luo update run" };
  return await orInterrupted(context, flags, told, async (signal) => {
    const client = new AsyncAgentClient(connectedSocket(context, flags));
    for await (const { reply } of client.more("GetUpdate", {}, { signal })) {
      show(reply);
      if (reply.state === "normal" || reply.state === "updated") return reply;
    }
    throw new Failure("internal", "Cannot tell what became of the update: the agent ended");
  });
}

/** Without a limit of time: the agent has limits of its own. */
async function orInterrupted<T>(
  context: Context,
  flags: CommonFlags,
  told: Told,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await interruptible(work);
  } catch (error) {
    if (!(error instanceof Failure && error.kind === "interrupted")) throw error;
    throw await whyInterrupted(() => connectedSocket(context, flags), told);
  }
}

/** An agent that does not answer any more does not make another error of the interrupt. */
async function whyInterrupted(connected: () => string, told: Told): Promise<Failure> {
  try {
    return await interruptedStep(new AsyncAgentClient(connected()), told);
  } catch {
    return unknownEnd();
  }
}
