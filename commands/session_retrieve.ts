/** `luo session retrieve`. */
import { buildCommand } from "./base/build_command.ts";
import { AgentError } from "../lib/agent/client.ts";
import type { SessionInfo } from "../lib/agent/protocol.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { allFlag, optionalSession, parseOneOrAll } from "./arguments/one_or_all.ts";
import { call } from "./processes/agent_calls.ts";
import { eachSession } from "./processes/each_session.ts";
import { allSessions, oneSession } from "./processes/session_pages.ts";
import type { Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";
import { contents, unlistedLine } from "./output/session_text.ts";
import { visible } from "./base/text.ts";

type Result = Answers["session retrieve"];

export interface Flags extends CommonFlags {
  readonly force: boolean;
  readonly all: boolean;
  readonly ifNeeded: boolean;
}

export interface Request {
  /** Undefined: all incoming sessions. */
  readonly name: string | undefined;
  readonly force: boolean;
  readonly ifNeeded: boolean;
}

export function parse({ all, force, ifNeeded }: Flags, given: string | undefined): Request {
  const name = parseOneOrAll(all, given);
  if (all && force) {
    throw new Failure("usage", "Cannot take both --all and --force", {
      hints: ["--force is for one session: PID 1 would not find its own any more"],
    });
  }
  return { name, force, ifNeeded: ifNeeded || all };
}

export function run(context: Context, { name, force, ifNeeded }: Request, flags: CommonFlags): Result {
  const retrieve = (session: string) => one(context, flags, { name: session, force }, ifNeeded);
  if (name !== undefined) return { session: retrieve(name) };
  const { sessions, unlisted } = allSessions(context, flags);
  const names = sessions.filter(({ state, name }) => state === "incoming" && name !== SYSTEMD)
    .map(({ name }) => name);
  const retrieved = eachSession(names, { operation: "retrieve", done: "retrieved" }, retrieve);
  return { sessions: retrieved, ...unlisted === undefined ? {} : { unlisted } };
}

/** PID 1 of systemd 261 and later retrieves the session of this name. */
const SYSTEMD = "systemd";

function one(
  context: Context,
  flags: CommonFlags,
  request: { readonly name: string; readonly force: boolean },
  ifNeeded: boolean,
): SessionInfo {
  try {
    return call(context, flags, "RetrieveSession", request).session;
  } catch (error) {
    const there = ifNeeded && isRetrieved(error) ? oneSession(context, flags, request.name) : undefined;
    if (there === undefined) throw error;
    return there;
  }
}

function isRetrieved(error: unknown): boolean {
  return error instanceof AgentError && error.is("WrongState") && error.parameters.state === "retrieved";
}

export function format({ session, sessions = [], unlisted }: Result): string {
  if (session !== undefined) return line(session);
  const lines = sessions.length === 0 ? ["No session waits to be retrieved"] : sessions.map(line);
  return [...lines, ...unlisted === undefined ? [] : [unlistedLine(unlisted, sessions)]].join("\n");
}

function line(session: SessionInfo): string {
  return `Session "${visible(session.name)}" retrieved: ${contents(session)}`;
}

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "Take over a session that the previous kernel handed over",
    "Works once for each session. From then on the agent holds the session: if the\n" +
      "agent dies before the files are restored, the kernel drops them. A session that\n" +
      "is not yet retrieved is safe in the kernel. The files of a session that another\n" +
      "program created are unknown: the kernel cannot list them, but luo file restore\n" +
      'asks the kernel for any token. The session "systemd" is for PID 1 (systemd 261\n' +
      "and later): it is refused without --force, and --all leaves it out.",
    [
      ["luo session retrieve vm1", "after the kexec, before the files are restored"],
      ["luo session retrieve vm1 --if-needed", "in a script that may run twice"],
      ["luo session retrieve --all", "every session that luo knows of"],
    ],
  ),
  parameters: {
    flags: {
      all: allFlag("Retrieve every incoming session that luo knows of"),
      ifNeeded: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Succeed too when the session is retrieved already",
      },
      force: forceFlag('Retrieve the session "systemd" too, which PID 1 expects'),
      ...commonFlags,
    },
    positional: optionalSession("The session to retrieve"),
  },
  func(flags, name) {
    return perform(this, flags, { parse: () => parse(flags, name), run, format });
  },
});
