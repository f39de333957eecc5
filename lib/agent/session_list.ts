/** The answer to ListSessions: all sessions, one of them, or a page. */
import type { AgentState } from "./agent_state.ts";
import type { Methods, SessionInfo } from "./protocol.ts";
import { agentError } from "./request_checks.ts";

/** A page ends after a session with which it lists more files than these: about 2 MiB of JSON. */
const PAGE_FILES = 10_000;

/**
 * Pages are in the order of names, and a page begins after a name: so a session that is there from the first page to the last is
 * listed once, whatever else comes and goes in between.
 *
 * @param seen whether the client may see a session
 * @throws VarlinkError BadRequest; LuoError `open`
 */
export function listSessions(
  state: AgentState,
  { name, limit, after }: Methods["ListSessions"]["request"],
  seen: (session: SessionInfo) => boolean = () => true,
): Methods["ListSessions"]["reply"] {
  state.device.ready();
  if (limit !== undefined && limit < 1) {
    throw agentError("BadRequest", { message: `a limit is 1 or more, not ${limit}` });
  }
  const sessions = (name === undefined ? state.sessions() : state.named(name)).filter(seen);
  const all = limit === undefined && after === undefined;
  return { ...all ? { sessions } : page(sessions, limit ?? Infinity, after), ...unlistedOf(state) };
}

/** Why the list may be incomplete. */
export function unlistedOf({ unlisted }: AgentState): { unlisted?: string } {
  return unlisted === undefined ? {} : { unlisted };
}

function page(
  all: SessionInfo[],
  limit: number,
  after: string | undefined,
): Methods["ListSessions"]["reply"] {
  const rest = (after === undefined ? all : all.filter(({ name }) => name > after)).sort(byName);
  let count = 0;
  for (let files = 0; count < Math.min(limit, rest.length) && files <= PAGE_FILES; count++) {
    files += rest[count]?.files.length ?? 0;
  }
  const sessions = rest.slice(0, count);
  const last = sessions.at(-1)?.name;
  return count === rest.length || last === undefined ? { sessions } : { sessions, next: last };
}

/** Compares by UTF-16 code units, as `<` does. */
function byName({ name: one }: SessionInfo, { name: other }: SessionInfo): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
