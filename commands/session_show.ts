/** `luo session show`. */
import { buildCommand } from "./base/build_command.ts";
import type { SessionInfo } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { allSessions, oneSession } from "./processes/session_pages.ts";
import type { Context } from "./base/context.ts";
import { noSuchSession } from "./errors/agent_failure.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { fileTable, sessionLine } from "./output/session_text.ts";
import { time } from "./base/text.ts";

export interface Result {
  session: SessionInfo;
}

export function parse(_flags: CommonFlags, name: string): string {
  return parseSession(name);
}

export function run(context: Context, name: string, flags: CommonFlags): Result {
  const session = oneSession(context, flags, name);
  if (session === undefined) {
    throw noSuchSession(name, allSessions(context, flags).sessions.map((candidate) => candidate.name));
  }
  return { session };
}

export function format({ session }: Result): string {
  const created = session.filesKnown === false ? "" : `, created ${time(session.createdAt)}`;
  const lines = [`${sessionLine(session)}${created}`];
  if (session.files.length > 0) lines.push(fileTable(session.files));
  return lines.join("\n");
}

export const command = buildCommand<CommonFlags, [string], Context>({
  docs: docs(
    "Show one session and its files",
    "State, age, and for each file token, size, digest and label.",
    [
      ["luo session show vm1", "what goes into the next kernel with vm1"],
    ],
  ),
  parameters: {
    flags: commonFlags,
    positional: { kind: "tuple", parameters: [sessionArgument("The session to show")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format, onlyReads: true });
  },
});
