/** `luo session retrieve`. */
import { buildCommand } from "@stricli/core";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { contents } from "./output/session_text.ts";
import { visible } from "./base/text.ts";

type Request = Methods["RetrieveSession"]["request"];
type Result = Methods["RetrieveSession"]["reply"];

export interface Flags extends CommonFlags {
  readonly force: boolean;
}

export function parse(flags: Flags, name: string): Request {
  return { name: parseSession(name), force: flags.force };
}

export function run(context: Context, request: Request, flags: CommonFlags): Result {
  return call(context, flags, "RetrieveSession", request);
}

export function format({ session }: Result): string {
  return `Session "${visible(session.name)}" retrieved: ${contents(session)}`;
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Take over a session that the previous kernel handed over",
    "Works once for each session. From then on the agent holds the session: if the\n" +
      "agent dies before the files are restored, the kernel drops them. A session that\n" +
      "is not yet retrieved is safe in the kernel. The files of a session that another\n" +
      "program created are unknown: the kernel cannot list them, but luo file restore\n" +
      'asks the kernel for any token. The session "systemd" is for PID 1 (systemd 261\n' +
      "and later), and is refused without --force.",
    [["luo session retrieve vm1", "after the kexec, before the files are restored"]],
  ),
  parameters: {
    flags: { force: forceFlag('Retrieve the session "systemd" too, which PID 1 expects'), ...commonFlags },
    positional: { kind: "tuple", parameters: [sessionArgument("The session to retrieve")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
