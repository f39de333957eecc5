/** `luo session close`. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { contents } from "./output/session_text.ts";
import { visible } from "./base/text.ts";

type Request = Methods["CloseSession"]["request"];
type Result = Methods["CloseSession"]["reply"];

export interface Flags extends CommonFlags {
  readonly force: boolean;
}

export function parse(flags: Flags, name: string): Request {
  return { name: parseSession(name), force: flags.force };
}

export function run(context: Context, request: Request, flags: CommonFlags): Result {
  return call(context, flags, "CloseSession", request);
}

export function format({ session }: Result): string {
  return `Session "${visible(session.name)}" closed: ${contents(session)}`;
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Forget a session and what it preserves",
    "An outgoing session with files in it is closed only with --force: the files do\n" +
      "not go into the next kernel. Closing a retrieved session finishes it.",
    [["luo session close vm1", "an empty session"], [
      "luo session close vm1 --force",
      "its files are not wanted in the next kernel",
    ]],
  ),
  parameters: {
    flags: { force: forceFlag("Close it even if files are lost by it"), ...commonFlags },
    positional: { kind: "tuple", parameters: [sessionArgument("The session to close")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
