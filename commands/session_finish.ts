/** `luo session finish`. */
import { buildCommand } from "@stricli/core";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { contents } from "./output/session_text.ts";
import { visible } from "./base/text.ts";

type Request = Methods["FinishSession"]["request"];
type Result = Methods["FinishSession"]["reply"];

export interface Flags extends CommonFlags {
  readonly force: boolean;
}

export function parse(flags: Flags, name: string): Request {
  return { name: parseSession(name), force: flags.force };
}

export function run(context: Context, request: Request, flags: CommonFlags): Result {
  return call(context, flags, "FinishSession", request);
}

export function format({ session }: Result): string {
  return `Session "${visible(session.name)}" finished: ${contents(session)}`;
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "End a retrieved session",
    "The kernel lets go of the session's files. The data of files that were never\n" +
      "restored is gone then, so this is refused without --force while such files are\n" +
      "left, or while the session may hold files that luo does not know.",
    [["luo session finish vm1", "when every file of vm1 is restored"]],
  ),
  parameters: {
    flags: {
      force: forceFlag("Finish it even if files were never restored: their data is gone"),
      ...commonFlags,
    },
    positional: { kind: "tuple", parameters: [sessionArgument("The session to finish")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
