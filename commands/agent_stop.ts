/** `luo agent stop`. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { stopAgent, target } from "./processes/agent_calls.ts";
import { leftBeside } from "../lib/agent/agent_place.ts";
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
  const stopped = stopAgent(context, flags, request.force);
  return { stopped, left: leftBeside(target(context, flags).socket) };
}

export function format({ stopped }: Result): string {
  if (!stopped) return "No agent was running";
  return "Agent stopped; its record, log and locks stay beside its socket for the next agent";
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Stop the agent",
    "The sessions that the agent holds end with it, so it is refused while there are\n" +
      "outgoing or retrieved sessions, except with --force. Incoming sessions wait in\n" +
      "the kernel for the next agent. When no agent runs there is nothing to do, and\n" +
      "that is no error. These files stay beside the socket, and can be removed when no\n" +
      "agent runs:\n" +
      "  .state   the record: the next agent of this boot reads losses from it\n" +
      "  .log     what the agents said\n" +
      "  .lock    keeps a second agent out: a lock must be on a file that stays\n" +
      "  .start   keeps two commands from starting two agents\n" +
      "On the model the machine has a log and a lock too (.machine.log and\n" +
      ".machine.start), and runs on while sessions, values of luo put or an\n" +
      "image wait in it: see luo machine stop.",
    [["luo agent stop", "when all sessions are finished"]],
  ),
  parameters: { flags: { force: forceFlag("Stop it even if sessions are lost by it"), ...commonFlags } },
  func(flags) {
    return perform(this, flags, { parse: () => parse(flags), run, format });
  },
});
