/** The steps of a live update: the agent takes them, and tells of every change. */
import { ConnectionEnded } from "../../lib/agent/client.ts";
import type { Methods } from "../../lib/agent/protocol.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { Failure } from "../errors/failure.ts";
import { callMore } from "./agent_calls.ts";

type Step = Methods["StepUpdate"]["request"];
export type UpdateReply = Methods["GetUpdate"]["reply"];

/** Takes a step, and returns the state that it led to. @throws AgentError, ConnectionEnded */
export function takeStep(
  context: Context,
  flags: CommonFlags,
  step: Step,
  fds: readonly number[] = [],
  show: (reply: UpdateReply) => void = () => {},
): UpdateReply {
  let last: UpdateReply | undefined;
  for (const reply of callMore(context, flags, "StepUpdate", step, fds)) {
    show(reply);
    last = reply;
  }
  if (last === undefined) {
    throw new Failure("internal", "Cannot tell what the step did: the agent gave no answer");
  }
  return last;
}

/**
 * All of an update. On Linux the kernel ends, and this process with it. On the model the next kernel's agent is asked until it is
 * done.
 */
export function runToNextKernel(
  context: Context,
  flags: CommonFlags,
  step: Step,
  fds: readonly number[],
  show: (reply: UpdateReply) => void,
): UpdateReply {
  try {
    return takeStep(context, flags, step, fds, show);
  } catch (error) {
    if (!(error instanceof ConnectionEnded) || !error.sent) throw error;
  }
  for (const reply of callMore(context, flags, "GetUpdate", {})) {
    show(reply);
    if (reply.state === "normal" || reply.state === "updated") return reply;
  }
  throw new Failure("internal", "Cannot tell what became of the update: the agent ended");
}
