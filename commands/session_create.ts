/** `luo session create`. */
import { buildCommand } from "./base/build_command.ts";
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
  readonly keep: boolean;
}

interface Request {
  readonly name: string;
  readonly ifAbsent: boolean;
  readonly keep: boolean;
}

export function parse({ ifAbsent, keep }: Flags, name: string): Request {
  return { name: parseSession(name), ifAbsent, keep };
}

export function run(context: Context, { name, ifAbsent, keep }: Request, flags: CommonFlags): Result {
  try {
    return { ...call(context, flags, "CreateSession", { name, ...keep ? { keep } : {} }), created: true };
  } catch (error) {
    const there = ifAbsent && exists(error) ? outgoing(context, flags, name) : undefined;
    if (there === undefined) throw error;
    if (!keep || there.keep) return { session: there, created: false };
    return { ...call(context, flags, "KeepSession", { name }), created: false };
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
  return `Session "${visible(session.name)}" ${created ? "created" : "was there already"}${
    session.keep ? ", kept over every update" : ""
  }`;
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Create a session",
    "The agent holds the session until the kexec. Closing the session forgets its\n" +
      "files. Two names are taken: luo-agent is the agent's own, and systemd is for\n" +
      "PID 1 (systemd 261 and later). A name that an incoming or retrieved session has\n" +
      "is free again after that session is finished; --if-absent changes nothing about\n" +
      "that, because that session's files are of the previous kernel. With --keep the agent\n" +
      "preserves the session again after each kexec, by itself, and file restore gives out its\n" +
      "files at any time (docs/keep.md).",
    [
      ["luo session create vm1", "a session for the memory of one virtual machine"],
      ["luo session create vm1 --if-absent", "in a script that may run twice"],
      ["luo session create cache --keep", "one that outlives every update"],
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
      keep: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Preserve it again after each kexec",
      },
      ...commonFlags,
    },
    positional: { kind: "tuple", parameters: [sessionArgument("Its name: 1 to 63 bytes")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
