/** The calls that commands make to the agent. */
import { geteuid } from "../../ffi/process.ts";
import { type AgentClient, NO_LIMIT } from "../../lib/agent/client.ts";
import type { FileInfo, MethodName, Methods, SessionInfo, Status } from "../../lib/agent/protocol.ts";
import type { HostFd } from "../../lib/files/host_fd.ts";
import { type AgentTarget, resolveTarget } from "../arguments/agent_target.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { Failure } from "../errors/failure.ts";
import { connectAgentIfAny, connectIfRuns, connectRunning } from "./agent_connection.ts";
import { ensureRunning, type Service, START_LIMIT_MS, waitForEnd } from "./background_process.ts";
import { limit_ms } from "./call_limit.ts";
import { selfCommand } from "./own_command.ts";

const STDOUT = 1;

/** How long a stopped agent may take to be gone. */
const STOP_LIMIT_MS = 10_000;

/** How long the start of an agent may take. */
function startLimit_ms({ timeout }: Pick<CommonFlags, "timeout">): number {
  if (timeout === undefined) return START_LIMIT_MS;
  return timeout === 0 ? NO_LIMIT : timeout * 1000;
}

export function target(context: Context, flags: CommonFlags): AgentTarget {
  return resolveTarget(flags, context.settings, () => geteuid() === 0);
}

/** One call. On the model it starts the agent when none runs; on Linux it never does. */
export function call<M extends MethodName>(
  context: Context,
  flags: CommonFlags,
  method: M,
  request: Methods[M]["request"],
  fds: readonly number[] = [],
): Methods[M]["reply"] {
  return withAgent(
    context,
    flags,
    (client) => client.call(method, request, fds, limit_ms(method, flags)).reply,
  );
}

/** Like `call`, but starts nothing. */
export function callRunning<M extends MethodName>(
  context: Context,
  flags: CommonFlags,
  method: M,
  request: Methods[M]["request"],
): Methods[M]["reply"] {
  const work = (client: AgentClient) => client.call(method, request, [], limit_ms(method, flags)).reply;
  return withAgent(context, flags, work, connectRunning);
}

/** The sessions of an agent that runs; undefined without one, and when this user may not ask it. */
export function sessionsIfAny(context: Context, flags: CommonFlags): SessionInfo[] | undefined {
  try {
    using client = connectAgentIfAny(target(context, flags), flags);
    return client?.call("GetStatus", {}, [], limit_ms("GetStatus", flags)).reply.status.sessions;
  } catch (error) {
    if (error instanceof Failure && error.kind === "unavailable") return undefined;
    throw error;
  }
}

/** A restored file: its description, and its descriptor, which the caller closes. */
export function restoreFile(
  context: Context,
  flags: CommonFlags,
  request: Methods["RestoreFile"]["request"],
): { file: FileInfo; fd: HostFd } {
  const limit = limit_ms("RestoreFile", flags);
  const { reply, fds } = withAgent(
    context,
    flags,
    (client) => client.call("RestoreFile", request, [], limit),
  );
  return { file: reply.file, fd: fds.fileFd };
}

/**
 * Executes the kexec. Success is the end of the connection. On Linux this process ends with its kernel; on the model the caller
 * can ask the next kernel what was handed over.
 */
export function callUntilEnd(
  context: Context,
  flags: CommonFlags,
  request: Methods["ExecImage"]["request"],
): void {
  using client = connect(context, flags);
  const ended = client.callUntilEnd("ExecImage", request, limit_ms("ExecImage", flags));
  if (!ended) {
    throw new Failure("internal", "Cannot execute the kernel: the agent answered and nothing happened");
  }
}

/** The status now, and again after every change, until the reader of standard output has gone. */
export function* watch(
  context: Context,
  flags: CommonFlags,
): Generator<Methods["GetStatus"]["reply"]> {
  using client = connect(context, flags);
  for (const { reply } of client.more("GetStatus", {}, limit_ms("GetStatus", flags), STDOUT)) yield reply;
}

/** The socket at which the agent answers. On the model it starts the agent when none runs. */
export function connectedSocket(context: Context, flags: CommonFlags): string {
  using client = connect(context, flags);
  return client.socket;
}

export function startAgent(
  context: Context,
  flags: CommonFlags,
  access?: string,
): { agent: Status["agent"]; device: Status["device"]; started: boolean } {
  const { client, started } = ensureRunning(agentService(context, target(context, flags), flags, access));
  using _ = client;
  const { reply } = client.call("GetStatus", {}, [], limit_ms("GetStatus", flags));
  const { agent, device } = reply.status;
  return { agent, device, started };
}

/** Stops the agent. False: no agent was running. */
export function stopAgent(context: Context, flags: CommonFlags, force: boolean): boolean {
  const where = target(context, flags);
  using client = connectIfRuns(where, flags);
  if (client === undefined) return false;
  client.call("Stop", { force }, [], limit_ms("Stop", flags));
  if (waitForEnd(`${where.socket}.lock`, STOP_LIMIT_MS)) return true;
  throw new Failure("unavailable", `Cannot see the agent end within ${STOP_LIMIT_MS / 1000} seconds`);
}

/** Works on a connection of its own, or on one that the context keeps. */
function withAgent<T>(
  context: Context,
  flags: CommonFlags,
  work: (client: AgentClient) => T,
  open = (where: AgentTarget, flags: CommonFlags) => connect(context, flags, where),
): T {
  const where = target(context, flags);
  const opened = () => open(where, flags);
  if (context.agents !== undefined) {
    return context.agents.use(`${where.backend} ${where.socket}`, opened, work);
  }
  using client = opened();
  return work(client);
}

function connect(context: Context, flags: CommonFlags, where = target(context, flags)): AgentClient {
  if (where.backend === "linux") return connectRunning(where, flags);
  return ensureRunning(agentService(context, where, flags)).client;
}

/** @param access the file with the access rules; without it the agent takes that of LUO_ACCESS */
function agentService(
  context: Context,
  where: AgentTarget,
  flags: CommonFlags,
  access?: string,
): Service<AgentClient> {
  const { backend, socket, isDefault } = where;
  const rules = access === undefined ? [] : ["--access", access];
  return {
    name: "the agent",
    socket,
    isDefault,
    lock: `${socket}.lock`,
    log: `${socket}.log`,
    argv: () => [...selfCommand(context), "agent", "run", "--backend", backend, "--socket", socket, ...rules],
    connect: () => connectAgentIfAny(where, flags),
    limit_ms: startLimit_ms(flags),
  };
}
