/** `luo session keep`. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import type { Context } from "./base/context.ts";
import { parseSession, sessionArgument } from "./arguments/session_name.ts";
import { visible } from "./base/text.ts";
import { contents } from "./output/session_text.ts";

export interface Flags extends CommonFlags {
  readonly off: boolean;
  readonly force: boolean;
}

type Request = Methods["KeepSession"]["request"];
type Result = Methods["KeepSession"]["reply"];

export function parse({ off, force }: Flags, name: string): Request {
  return { name: parseSession(name), keep: !off, force };
}

export function run(context: Context, request: Request, flags: CommonFlags): Result {
  return call(context, flags, "KeepSession", request);
}

export function format({ session }: Result): string {
  const name = `Session "${visible(session.name)}"`;
  if (!session.keep) return `${name} goes over the next kexec only`;
  const problem = session.keepProblem === undefined ? "" : `; ${visible(session.keepProblem)}`;
  return `${name} is kept over every update: ${contents(session)}${problem}`;
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Keep a session over every update",
    "After each kexec the agent retrieves the session, preserves its files again and compares them with their digests, by itself.\n" +
      "luo file restore gives out its files at any time. A session that was handed over is preserved again at once. When the agent\n" +
      "could not preserve a kept session again, luo status says why, nothing of it is lost, and this command tries again.",
    [
      ["luo session keep vm1", "also after the kexec: vm1 goes into the next kernel again"],
      ["luo session keep vm1 --off", "only over the next kexec"],
    ],
  ),
  parameters: {
    flags: {
      off: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "The session goes over the next kexec only",
      },
      force: forceFlag("Go on without the files that luo does not know or the kernel does not give out"),
      ...commonFlags,
    },
    positional: { kind: "tuple", parameters: [sessionArgument("The session to keep")] },
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
