/** How commands connect to an agent that runs. */
import { type AgentClient, connectAgent, ConnectionEnded } from "../../lib/agent/client.ts";
import { sharedSocket } from "../../lib/agent/shared_place.ts";
import { LuoError } from "../../lib/error.ts";
import type { AgentTarget } from "../arguments/agent_target.ts";
import type { CommonFlags } from "../arguments/command.ts";
import { Failure } from "../errors/failure.ts";
import { PlaceWatch } from "../../lib/waits/place_watch.ts";
import { directoryExists } from "../../lib/agent/agent_place.ts";
import { directoryRemoved, isLocked } from "./background_process.ts";
import { lostOwner } from "./lost_place.ts";
import { limit_ms } from "./call_limit.ts";

/** How long an agent that runs may take to listen: a second after its socket was removed it makes another. */
const LISTEN_LIMIT_MS = 3000;

export function connectRunning(where: AgentTarget, flags: CommonFlags): AgentClient {
  const { backend, socket } = where;
  const client = connectIfRuns(where, flags);
  if (client !== undefined) return client;
  const hints = backend === "model" ? ["the first command starts it: luo status"] : [
    "start it with: luo agent start",
    "to try luo on a software model of the kernel instead: --backend model",
  ];
  throw new Failure("unavailable", `Cannot reach the agent at "${socket}": none is running`, { hints });
}

/**
 * Undefined when no agent runs. An agent that holds its lock and does not listen yet, or whose socket or directory was removed, makes a
 * socket.
 *
 * @throws Failure when it makes none
 */
export function connectIfRuns(where: AgentTarget, flags: CommonFlags): AgentClient | undefined {
  const lock = `${where.socket}.lock`;
  const client = connectAgentIfAny(where, flags);
  if (client !== undefined) return client;
  const lost = isLocked(lock) ? undefined : lostOwner(where.socket);
  if (lost !== undefined && !directoryExists(where.socket.slice(0, where.socket.lastIndexOf("/")) || "/")) {
    throw directoryRemoved(where.socket, lost);
  }
  // An agent whose directory was removed and made anew makes its socket again as well.
  const runs = () => isLocked(lock) || lost !== undefined && lostOwner(where.socket) !== undefined;
  if (!runs()) return undefined;
  const end = Date.now() + LISTEN_LIMIT_MS;
  using place = new PlaceWatch(where.socket);
  do {
    const client = connectAgentIfAny(where, flags);
    if (client !== undefined || !runs()) return client;
    place.wait(end - Date.now());
  } while (Date.now() <= end);
  throw new Failure(
    "unavailable",
    `Cannot reach the agent at "${where.socket}": it runs, and does not listen there`,
    {
      hints: [`its process number is in ${lock}`],
    },
  );
}

/** Undefined when nothing listens there. @throws Failure when the listener turns us away or serves another kernel */
export function connectAgentIfAny(
  { backend, socket }: AgentTarget,
  flags: CommonFlags,
): AgentClient | undefined {
  const client = connectIfAny(socket, limit_ms("Identify", flags));
  if (client === undefined) return undefined;
  try {
    const is = client.call("Identify", {}, [], limit_ms("Identify", flags)).reply.backend;
    if (is === backend) return client;
    // A user who expects Linux must not preserve into a model, nor the other way round.
    throw new Failure(
      "unavailable",
      `Cannot use the agent at "${socket}": its kernel is ${is}, not ${backend}`,
      {
        hints: [`use --backend ${is}, or another socket with --socket or LUO_SOCKET`],
      },
    );
  } catch (error) {
    client[Symbol.dispose]();
    if (error instanceof ConnectionEnded) return undefined;
    throw error;
  }
}

function connectIfAny(socket: string, timeout_ms: number): AgentClient | undefined {
  try {
    return connectAgent(socket, timeout_ms);
  } catch (error) {
    if (!(error instanceof LuoError)) throw error;
    if (error.is("ENOENT") || error.is("ECONNREFUSED") || error.is("ENOTDIR")) return undefined;
    const shared = error.is("EACCES") ? connectShared(socket, timeout_ms) : undefined;
    if (shared !== undefined) return shared;
    throw new Failure("unavailable", `Cannot reach the agent at "${socket}" (${error.code})`, {
      operation: "connect",
      subject: socket,
      errno: error.code,
      hints: error.is("EACCES")
        ? ["only its owner and root may talk to it, and the users of its access rules: docs/security.md"]
        : [],
    });
  }
}

/** The agent at the socket that it shares by access rules; undefined when it shares none. */
function connectShared(socket: string, timeout_ms: number): AgentClient | undefined {
  try {
    return connectAgent(sharedSocket(socket), timeout_ms);
  } catch (error) {
    if (error instanceof LuoError) return undefined;
    throw error;
  }
}
