/** `luo agent status`. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { callRunning } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { time } from "./base/text.ts";
import { table } from "./output/table.ts";

export type Result = Answers["agent status"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  const { status } = callRunning(context, flags, "GetStatus", {});
  return { agent: status.agent };
}

export function format({ agent }: Result): string {
  return table([
    ["Agent", `running, pid ${agent.pid}`],
    ["Version", agent.version],
    ["Socket", agent.socket],
    ["Started", time(agent.startedAt)],
  ]);
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs("Show whether the agent runs", "Starts nothing. Exit code 3 when it does not run.", [
    ["luo agent status --json | jq .agent.pid", "its process number"],
  ]),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format, onlyReads: true });
  },
});
