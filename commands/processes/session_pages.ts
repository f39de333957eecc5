/** The sessions of the agent, fetched page by page: an answer with all of them may be too long for one message. */
import { AgentProtocolError } from "../../lib/agent/client.ts";
import type { Methods, SessionInfo } from "../../lib/agent/protocol.ts";
import type { Answers } from "../../lib/schema/answer_types.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { call } from "./agent_calls.ts";

type Request = Methods["ListSessions"]["request"];

const PAGE_SESSIONS = 1000;

/** All sessions, in the order of their names, and why there may be others. */
export function allSessions(context: Context, flags: CommonFlags): Answers["session list"] {
  const sessions: SessionInfo[] = [];
  let after: string | undefined;
  let unlisted: string | undefined;
  do {
    const page = list(context, flags, { limit: PAGE_SESSIONS, ...after === undefined ? {} : { after } });
    sessions.push(...page.sessions);
    after = page.next;
    unlisted = page.unlisted;
  } while (after !== undefined);
  return { sessions, ...unlisted === undefined ? {} : { unlisted } };
}

/** The session of that name; undefined when there is none. */
export function oneSession(context: Context, flags: CommonFlags, name: string): SessionInfo | undefined {
  return list(context, flags, { name }).sessions.find((session) => session.name === name);
}

/** An agent of 0.1.0, which may still hold sessions when luo is a newer one, knows no parameters and lists all. */
function list(context: Context, flags: CommonFlags, request: Request): Methods["ListSessions"]["reply"] {
  try {
    return call(context, flags, "ListSessions", request);
  } catch (error) {
    if (!(error instanceof AgentProtocolError && error.message.includes("InvalidParameter"))) throw error;
    return call(context, flags, "ListSessions", {});
  }
}
