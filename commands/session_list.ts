/** `luo session list`. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { allSessions } from "./processes/session_pages.ts";
import type { Context } from "./base/context.ts";
import { sessionTable, unlistedLine } from "./output/session_text.ts";

type Result = Answers["session list"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return allSessions(context, flags);
}

export function format({ sessions, unlisted }: Result): string {
  if (unlisted === undefined) return sessions.length === 0 ? "No sessions" : sessionTable(sessions);
  return [...sessions.length === 0 ? [] : [sessionTable(sessions)], unlistedLine(unlisted, sessions)].join(
    "\n",
  );
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "List the sessions",
    "They are in the order of their names. outgoing: created in this kernel, goes\n" +
      "into the next one. incoming: handed over, not retrieved yet. retrieved: handed over and held by the agent. The number of\n" +
      "files is unknown, or has a +, when the session may hold files that luo does not\n" +
      "know: another program preserved them. Sessions are unknown when a live update\n" +
      "started this kernel and brought no list of luo's.",
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
