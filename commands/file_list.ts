/** `luo file list`: the files of a session. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { run as showSession } from "./session_show.ts";
import { fileTable } from "./output/session_text.ts";

export type Result = Answers["file list"];

export function parse(_flags: CommonFlags, session: string): string {
  return parseSession(session);
}

export function run(context: Context, name: string, flags: CommonFlags): Result {
  const { session } = showSession(context, name, flags);
  const { files, filesKnown } = session;
  return { session: session.name, files, ...(filesKnown === undefined ? {} : { filesKnown }) };
}

export function format({ files, filesKnown }: Result): string {
  if (filesKnown !== false) return files.length === 0 ? "No files" : fileTable(files);
  if (files.length === 0) return "Files unknown";
  return `${fileTable(files)}\nThere may be more files`;
}

export const command = buildCommand<CommonFlags, [string], Context>({
  docs: docs(
    "List the files of a session",
    "preserved: goes into the next kernel. waiting: handed over, not restored yet. restored: at least once.",
    [
      ["luo file list vm1", "tokens, sizes, digests and labels"],
      [
        "luo file list vm1 --json | jq '.files[] | select(.state==\"waiting\")'",
        "what is left to restore",
      ],
    ],
  ),
  parameters: {
    flags: commonFlags,
    positional: { kind: "tuple", parameters: [sessionArgument("The session")] },
  },
  func(flags, session) {
    return perform(this, flags, { parse: () => parse(flags, session), run, format, onlyReads: true });
  },
});
