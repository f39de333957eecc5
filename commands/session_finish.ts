/** `luo session finish`. */
import { buildCommand } from "./base/build_command.ts";
import type { SessionInfo } from "../lib/agent/protocol.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { allFlag, optionalSession, parseOneOrAll } from "./arguments/one_or_all.ts";
import { call } from "./processes/agent_calls.ts";
import { eachSession } from "./processes/each_session.ts";
import { allSessions } from "./processes/session_pages.ts";
import type { Context } from "./base/context.ts";
import { contents } from "./output/session_text.ts";
import { visible } from "./base/text.ts";

type Result = Answers["session finish"];

export interface Flags extends CommonFlags {
  readonly all: boolean;
  readonly force: boolean;
}

export interface Request {
  /** Undefined: all retrieved sessions. */
  readonly name: string | undefined;
  readonly force: boolean;
}

export function parse({ all, force }: Flags, name: string | undefined): Request {
  return { name: parseOneOrAll(all, name), force };
}

export function run(context: Context, { name, force }: Request, flags: CommonFlags): Result {
  const finish = (session: string) => call(context, flags, "FinishSession", { name: session, force }).session;
  if (name !== undefined) return { session: finish(name) };
  const names = allSessions(context, flags).sessions.filter(({ state }) => state === "retrieved")
    .map(({ name }) => name);
  return { sessions: eachSession(names, { operation: "finish", done: "finished" }, finish) };
}

export function format({ session, sessions = [] }: Result): string {
  if (session !== undefined) return line(session);
  return sessions.length === 0 ? "No session is retrieved" : sessions.map(line).join("\n");
}

function line(session: SessionInfo): string {
  return `Session "${visible(session.name)}" finished: ${contents(session)}`;
}

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "End a retrieved session",
    "The kernel lets go of the session's files. The data of files that were never\n" +
      "restored is gone then, so this is refused without --force while such files are\n" +
      "left, or while the session may hold files that luo does not know. With --all the\n" +
      "sessions that can be finished are finished, and the others are named with exit\n" +
      "code 4. Sessions that are not retrieved stay in the kernel.",
    [
      ["luo session finish vm1", "when every file of vm1 is restored"],
      ["luo session finish --all", "every session whose files are all restored"],
    ],
  ),
  parameters: {
    flags: {
      all: allFlag("Finish every retrieved session"),
      force: forceFlag("Finish it even if files were never restored: their data is gone"),
      ...commonFlags,
    },
    positional: optionalSession("The session to finish"),
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
