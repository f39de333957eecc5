/** The calls that commands make to the agent. */
import { geteuid } from "../../ffi/process.ts";
import { type AgentClient, connectAgent, ConnectionEnded, NO_LIMIT } from "../../lib/agent/client.ts";
import { sharedSocket } from "../../lib/agent/shared_place.ts";
import type { FileInfo, MethodName, Methods, SessionInfo, Status } from "../../lib/agent/protocol.ts";
import { LuoError } from "../../lib/error.ts";
import type { HostFd } from "../../lib/files/host_fd.ts";
import { ensureRunning, type Service, waitForEnd } from "./background_process.ts";
import type { CommonFlags } from "../arguments/command.ts";
import type { Context } from "../base/context.ts";
import { Failure } from "../errors/failure.ts";
import { selfCommand } from "./own_command.ts";
import { type AgentTarget, resolveTarget } from "../arguments/agent_target.ts";

const STDOUT = 1;

/** How long a stopped agent may take to be gone. */
const STOP_LIMIT_MS = 10_000;

/** How long an agent that runs may take to listen: it looks for its socket every second. */
const LISTEN_LIMIT_MS = 3000;
const LISTEN_STEP_MS = 50;

/** The default limit for an answer. An agent that runs and is not busy answers in milliseconds. */
const SHORT_MS = 10_000;
/** The limit for calls that read, copy or free the memory of files, or sync file systems. */
const LONG_MS = 600_000;
const LONG: ReadonlySet<MethodName> = new Set<MethodName>([
  "PreserveFile",
  "RestoreFile",
  "LoadImage",
  "ExecImage",
  "FinishSession",
  "KeepSession",
  "CloseSession",
  "Stop",
]);

/** How long a command waits for the answer to a call. */
export function limit_ms(method: MethodName, { timeout }: Pick<CommonFlags, "timeout">): number {
  if (timeout === undefined) return LONG.has(method) ? LONG_MS : SHORT_MS;
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

/** A call with all its answers, without a limit of time: the agent has limits of its own. On the model it starts the agent. */
export function* callMore<M extends MethodName>(
  context: Context,
  flags: CommonFlags,
  method: M,
  request: Methods[M]["request"],
  fds: readonly number[] = [],
): Generator<Methods[M]["reply"]> {
  using client = connect(context, flags);
  for (const { reply } of client.more(method, request, NO_LIMIT, undefined, fds)) yield reply;
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

function connectRunning(where: AgentTarget, flags: CommonFlags): AgentClient {
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
 * Undefined when no agent runs. An agent that holds its lock and does not listen yet, or whose socket was removed, makes a socket.
 *
 * @throws Failure when it makes none
 */
function connectIfRuns(where: AgentTarget, flags: CommonFlags): AgentClient | undefined {
  const lock = `${where.socket}.lock`;
  const end = Date.now() + LISTEN_LIMIT_MS;
  for (;;) {
    const client = connectAgentIfAny(where, flags);
    if (client !== undefined || waitForEnd(lock, LISTEN_STEP_MS)) return client;
    if (Date.now() > end) break;
  }
  throw new Failure(
    "unavailable",
    `Cannot reach the agent at "${where.socket}": it runs, and does not listen there`,
    {
      hints: [`its process number is in ${lock}`],
    },
  );
}

/** Undefined when nothing listens there. @throws Failure when the listener turns us away or serves another kernel */
function connectAgentIfAny({ backend, socket }: AgentTarget, flags: CommonFlags): AgentClient | undefined {
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
  };
}
