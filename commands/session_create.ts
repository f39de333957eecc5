/** `luo session create`. */
import { buildCommand } from "@stricli/core";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { visible } from "./base/text.ts";

type Request = Methods["CreateSession"]["request"];
type Result = Methods["CreateSession"]["reply"];

export function parse(_flags: CommonFlags, name: string): Request {
  return { name: parseSession(name) };
}

export function run(context: Context, request: Request, flags: CommonFlags): Result {
  return call(context, flags, "CreateSession", request);
}

export function format({ session }: Result): string {
  return `Session "${visible(session.name)}" created`;
}

export const command = buildCommand<CommonFlags, [string], Context>({
  docs: docs(
    "Create a session",
    "The agent holds the session until the kexec. Closing the session forgets its\n" +
      "files. Two names are taken: luo-agent is the agent's own, and systemd is for\n" +
      "PID 1 (systemd 261 and later). A name that an incoming or retrieved session has\n" +
      "is free again after that session is finished.",
    [
      ["luo session create vm1", "a session for the memory of one virtual machine"],
    ],
  ),
  parameters: {
    flags: commonFlags,
    positional: { kind: "tuple", parameters: [sessionArgument("Its name: 1 to 63 bytes")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
