/** `luo session list`. */
import { buildCommand } from "@stricli/core";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { allSessions } from "./processes/session_pages.ts";
import type { Context } from "./base/context.ts";
import { sessionTable } from "./output/session_text.ts";

type Result = Answers["session list"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return { sessions: allSessions(context, flags) };
}

export function format({ sessions }: Result): string {
  return sessions.length === 0 ? "No sessions" : sessionTable(sessions);
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "List the sessions",
    "They are in the order of their names. outgoing: created in this kernel, goes\n" +
      "into the next one. incoming: handed over, not retrieved yet. retrieved: handed over and held by the agent. The number of\n" +
      "files is unknown, or has a +, when the session may hold files that luo does not\n" +
      "know: another program preserved them.",
    [
      ["luo session list", "what is there"],
      ["luo session list --json | jq -r '.sessions[].name'", "only the names"],
    ],
  ),
  parameters: { flags: commonFlags },
  func(flags) {
    return perform(this, flags, { parse: () => null, run, format, onlyReads: true });
  },
});
