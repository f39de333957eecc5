/** `luo session list`. */
import { buildCommand } from "@stricli/core";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { sessionTable } from "./output/session_text.ts";

type Result = Methods["ListSessions"]["reply"];

export function run(context: Context, _request: null, flags: CommonFlags): Result {
  return call(context, flags, "ListSessions", {});
}

export function format({ sessions }: Result): string {
  return sessions.length === 0 ? "No sessions" : sessionTable(sessions);
}

export const command = buildCommand<CommonFlags, [], Context>({
  docs: docs(
    "List the sessions",
    "outgoing: created in this kernel, goes into the next one. incoming: handed over,\n" +
      "not retrieved yet. retrieved: handed over and held by the agent. The number of\n" +
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
