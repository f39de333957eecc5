/** `luo machine stop`: ends the machine of the model. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";
import { target } from "./processes/agent_calls.ts";

export interface Flags extends CommonFlags {
  readonly force: boolean;
}

export type Result = Answers["machine stop"];

export function parse(flags: Flags): { force: boolean } {
  return { force: flags.force };
}

export async function run(
  context: Context,
  { force }: { force: boolean },
  flags: CommonFlags,
): Promise<Result> {
  const where = target(context, flags);
  if (where.backend !== "model") {
    throw new Failure("usage", "Cannot stop the machine: only the model has one that luo may stop", {
      hints: ["to stop the model's: luo machine stop --backend model"],
    });
  }
  const { stopMachine } = await import("./processes/stop_machine.ts");
  return { stopped: stopMachine(where, force) };
}

export function format({ stopped }: Result): string {
  return stopped ? "Machine stopped" : "No machine was running";
}

export const command = buildCommand<Flags, [], Context>({
  docs: docs(
    "Stop the machine of the software model",
    "The machine is the process that the model's kernel lives in. It ends by itself after luo agent stop, unless sessions\n" +
      "or a loaded image wait in it: they are lost with it, so that takes --force. Two files stay beside the agent's\n" +
      "socket: its log, and the lock that keeps two starts apart. Both are used again and can be removed.",
    [
      ["luo machine stop --backend model", "when nothing waits in it any more"],
      ["luo machine stop --backend model --force", "power off, whatever is in it"],
    ],
  ),
  parameters: { flags: { force: forceFlag("Stop it even if sessions are lost by it"), ...commonFlags } },
  func(flags) {
    return perform(this, flags, { parse: () => parse(flags), run, format });
  },
});
