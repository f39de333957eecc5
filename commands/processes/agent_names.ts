/** The sessions and files of the running agent, for completion: at once or not at all, and without starting an agent. */
import { geteuid } from "../../ffi/process.ts";
import { connectAgent } from "../../lib/agent/client.ts";
import type { SessionInfo } from "../../lib/agent/protocol.ts";
import { resolveTarget } from "../arguments/agent_target.ts";
import type { Context } from "../base/context.ts";

/** Whoever presses a key does not wait longer. */
const LIMIT_MS = 1000;
const PAGE_SESSIONS = 1000;
const PAGES_MAX = 20;

/** @param flags what the command line says about the agent */
export function runningSessions(
  { settings }: Pick<Context, "settings">,
  flags: ReadonlyMap<string, string>,
): SessionInfo[] {
  const backend = flags.get("backend");
  if (backend !== undefined && backend !== "linux" && backend !== "model") return [];
  const target = resolveTarget({ backend, socket: flags.get("socket") }, settings, () => geteuid() === 0);
  using client = connectAgent(target.socket, LIMIT_MS);
  if (client.call("Identify", {}, [], LIMIT_MS).reply.backend !== target.backend) return [];
  const sessions: SessionInfo[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const request = { limit: PAGE_SESSIONS, ...after === undefined ? {} : { after } };
    const { reply } = client.call("ListSessions", request, [], LIMIT_MS);
    sessions.push(...reply.sessions);
    after = reply.next;
    if (after === undefined) break;
  }
  return sessions;
}
