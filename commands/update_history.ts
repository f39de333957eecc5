/** `luo update history`: the live updates of this host, over all kexecs. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { historyText } from "./output/report_text.ts";
import { call } from "./processes/agent_calls.ts";

type Result = Methods["ListUpdates"]["reply"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return call(context, flags, "ListUpdates", {});
}

export function format({ updates }: Result): string {
  return historyText(updates);
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "List the live updates of this host, the oldest first",
    "The last 50, with outcome and blackout. They survive every kexec, as the values of\nluo put do, and end with the power.",
    [["luo update history", "how the updates went"]],
  ),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format, onlyReads: true });
  },
});
