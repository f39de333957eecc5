import { buildCommand } from "@stricli/core";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { contents } from "./output/session_text.ts";
import { visible } from "./base/text.ts";

type Request = Methods["RetrieveSession"]["request"];
type Result = Methods["RetrieveSession"]["reply"];

export function parse(_flags: CommonFlags, name: string): Request {
  return { name: parseSession(name) };
}

export function run(context: Context, request: Request, flags: CommonFlags): Result {
  return call(context, flags, "RetrieveSession", request);
}

export function format({ session }: Result): string {
  return `Session "${visible(session.name)}" retrieved: ${contents(session)}`;
}

export const command = buildCommand<CommonFlags, [string], Context>({
  docs: docs(
    "Take over a session that the previous kernel handed over",
    "Works once for each session. From then on the agent holds it: should the agent die before its files are restored,\n" +
      "the kernel drops them. A session not yet retrieved is safe in the kernel.",
    [["luo session retrieve vm1", "after the kexec, before the files are restored"]],
  ),
  parameters: {
    flags: commonFlags,
    positional: { kind: "tuple", parameters: [sessionArgument("Which one")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
