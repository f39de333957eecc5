/**
 * The client of the agent: for programs that let the agent hold their sessions.
 *
 * ```ts ignore
 * import { AsyncAgentClient } from "@luo/luo/agent";
 *
 * const agent = new AsyncAgentClient("/run/luo/agent.sock");
 * await agent.call("CreateSession", { name: "vm1" });
 * await agent.call("PreserveFile", { session: "vm1", token: "7", fileFd: 0 }, { fds: [memfd] });
 * for await (const { reply } of agent.more("GetStatus", {}, { signal })) console.log(reply.status.sessions);
 * ```
 *
 * `AsyncAgentClient` does not block the thread; `connectAgent` gives a client that does. A program uses either this client or the
 * library (sessions of its own), never both for one session: one process holds a session.
 *
 * @module
 */
export { AsyncAgentClient, type CallOptions } from "./agent/async_client.ts";
export {
  AgentClient,
  AgentError,
  AgentProtocolError,
  type Answer,
  type AnswerFds,
  connectAgent,
  ConnectionClosed,
  ConnectionEnded,
  NO_LIMIT,
  NoAnswer,
} from "./agent/client.ts";
export type * from "./agent/protocol.ts";
export {
  Errno,
  type ErrnoCode,
  type ErrnoName,
  LuoError,
  type Operation,
  type SystemCallName,
} from "./error.ts";
export type { Received, Ret, Stat, SystemCalls, UserMemory, UserPointer, Utsname } from "./system_calls.ts";
export { HostFd } from "./files/host_fd.ts";
export { OwnedNumber } from "./owned_number.ts";
