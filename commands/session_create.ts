/** `luo session create`. */
import { buildCommand } from "@stricli/core";
import { AgentError } from "../lib/agent/client.ts";
import type { SessionInfo } from "../lib/agent/protocol.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import { oneSession } from "./processes/session_pages.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { visible } from "./base/text.ts";

type Result = Answers["session create"];

export interface Flags extends CommonFlags {
  readonly ifAbsent: boolean;
}

interface Request {
  readonly name: string;
  readonly ifAbsent: boolean;
}

export function parse({ ifAbsent }: Flags, name: string): Request {
  return { name: parseSession(name), ifAbsent };
}

export function run(context: Context, { name, ifAbsent }: Request, flags: CommonFlags): Result {
  try {
    return { ...call(context, flags, "CreateSession", { name }), created: true };
  } catch (error) {
    const there = ifAbsent && exists(error) ? outgoing(context, flags, name) : undefined;
    if (there === undefined) throw error;
    return { session: there, created: false };
  }
}

function exists(error: unknown): boolean {
  return error instanceof AgentError && error.is("KernelError") && error.parameters.errno === "EEXIST";
}

/** Undefined when the session of that name is not the agent's: then another program made it. */
function outgoing(context: Context, flags: CommonFlags, name: string): SessionInfo | undefined {
  const session = oneSession(context, flags, name);
  return session?.state === "outgoing" ? session : undefined;
}

export function format({ session, created }: Result): string {
  return `Session "${visible(session.name)}" ${created ? "created" : "was there already"}`;
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Create a session",
    "The agent holds the session until the kexec. Closing the session forgets its\n" +
      "files. Two names are taken: luo-agent is the agent's own, and systemd is for\n" +
      "PID 1 (systemd 261 and later). A name that an incoming or retrieved session has\n" +
      "is free again after that session is finished; --if-absent changes nothing about\n" +
      "that, because that session's files are of the previous kernel.",
    [
      ["luo session create vm1", "a session for the memory of one virtual machine"],
      ["luo session create vm1 --if-absent", "in a script that may run twice"],
    ],
  ),
  parameters: {
    flags: {
      ifAbsent: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Succeed too when there is an outgoing session of that name",
      },
      ...commonFlags,
    },
    positional: { kind: "tuple", parameters: [sessionArgument("Its name: 1 to 63 bytes")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
