import { buildCommand } from "@stricli/core";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { stopAgent } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";

export interface Flags extends CommonFlags {
  readonly force: boolean;
}

export type Result = Answers["agent stop"];

export function parse(flags: Flags): { force: boolean } {
  return { force: flags.force };
}

export function run(
  context: Context,
  request: { force: boolean },
  flags: CommonFlags,
): Result {
  return { stopped: stopAgent(context, flags, request.force) };
}

export function format({ stopped }: Result): string {
  return stopped ? "Agent stopped" : "No agent was running";
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Stop the agent",
    "What it holds ends with it, so it is refused while there are sessions, except with --force. When no agent runs there\n" +
      "is nothing to do, and that is no error.",
    [["luo agent stop", "when all sessions are finished"]],
  ),
  parameters: { flags: { force: forceFlag("Stop it even if sessions are lost by it"), ...commonFlags } },
  func(flags) {
    return perform(this, flags, { parse: () => parse(flags), run, format });
  },
});
