/** The sessions, files and keys of the running agent, for completion: at once or not at all, and without starting an agent. */
import { geteuid } from "../../ffi/process.ts";
import { type AgentClient, connectAgent } from "../../lib/agent/client.ts";
import type { SessionInfo } from "../../lib/agent/protocol.ts";
import { resolveTarget } from "../arguments/agent_target.ts";
import type { Context } from "../base/context.ts";

/** The longest wait of a user who presses the key for completion. */
const LIMIT_MS = 1000;
const PAGE_ENTRIES = 1000;
const PAGES_MAX = 20;

type Flags = ReadonlyMap<string, string>;

/** @param flags what the command line says about the agent */
export function runningSessions(context: Pick<Context, "settings">, flags: Flags): SessionInfo[] {
  using client = runningAgent(context, flags);
  if (client === undefined) return [];
  const sessions: SessionInfo[] = [];
  let after: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const request = { limit: PAGE_ENTRIES, ...after === undefined ? {} : { after } };
    const { reply } = client.call("ListSessions", request, [], LIMIT_MS);
    sessions.push(...reply.sessions);
    after = reply.next;
    if (after === undefined) break;
  }
  return sessions;
}

/**
 * The keys of `luo put` that begin so.
 *
 * @param flags what the command line says about the agent
 */
export function runningKeys(context: Pick<Context, "settings">, flags: Flags, prefix: string): string[] {
  using client = runningAgent(context, flags);
  const request = { prefix, limit: PAGE_ENTRIES };
  return client?.call("ListValues", request, [], LIMIT_MS).reply.values.map(({ key }) => key) ?? [];
}

/** The agent that the command line means. Undefined: it means one of another kernel. */
function runningAgent({ settings }: Pick<Context, "settings">, flags: Flags): AgentClient | undefined {
  const backend = flags.get("backend");
  if (backend !== undefined && backend !== "linux" && backend !== "model") return undefined;
  const target = resolveTarget({ backend, socket: flags.get("socket") }, settings, () => geteuid() === 0);
  const client = connectAgent(target.socket, LIMIT_MS);
  if (client.call("Identify", {}, [], LIMIT_MS).reply.backend === target.backend) return client;
  client[Symbol.dispose]();
  return undefined;
}
