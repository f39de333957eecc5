/** Runs the agent or the machine in the foreground. */
import { Errno } from "../../ffi/abi/errno.ts";
import { SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { release_program_code } from "../../ffi/program_memory.ts";
import { unix_connect } from "../../ffi/socket.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import type { FaultSpec } from "../../lib/model/faults/fault_spec.ts";
import { visible } from "../base/text.ts";
import { VERSION } from "../../lib/version.ts";
import {
  ensureRunning,
  type Service,
  START_LIMIT_MS,
  waitForEnd,
  waitForReturn,
} from "./background_process.ts";
import { Failure } from "../errors/failure.ts";
import type { CommonFlags } from "../arguments/command.ts";
import { target } from "./agent_calls.ts";
import type { Context } from "../base/context.ts";
import { connectIfRunning } from "./running_machine.ts";
import { selfCommand } from "./own_command.ts";
import { onSignals } from "./signals.ts";
import { type AgentTarget, machineSocket } from "../arguments/agent_target.ts";

/** Where clients of luo-agent look for luod (LUOD_SOCKET_PATH of its luo_defs.h). */
const LUOD_SOCKET = "/run/luod/liveupdate.sock";

/** The files that an operator gives the agent. */
interface AgentFiles {
  readonly access: string | undefined;
  readonly participants: string | undefined;
  readonly luodSocket: string | undefined;
}

export interface AgentWanted extends AgentFiles {
  readonly early: boolean;
}

/** Runs the agent until it is stopped, or its kernel ends and none follows. */
export async function serveAgent(
  context: Context,
  flags: CommonFlags,
  {
    access,
    participants = context.settings.participants || undefined,
    luodSocket = context.settings.luodSocket || undefined,
    early,
  }: AgentWanted,
): Promise<void> {
  const { runAgent } = await import("../../lib/agent/agent.ts");
  const { Service: ManagedService } = await import("../../lib/agent/service.ts");
  const { agentPaths, makeDirectory } = await import("../../lib/agent/agent_place.ts");
  const where = target(context, flags);
  const log = (line: string) =>
    context.process.stderr.write(`${new Date().toISOString()} ${visible(line)}\n`);
  if (where.isDefault) makeDirectory(agentPaths(where.socket).directory);
  const reload = access === undefined ? undefined : new EventTarget();
  using stop = stopSignal(reload);
  releaseCodeLater();
  const service = context.settings.service && new ManagedService(context.settings.service, where);
  if (service?.listenFd === undefined) refuseOthersSocket(where.socket);
  using sys = await kernelOf(context, where);
  try {
    await runAgent({
      sys,
      ...where,
      version: VERSION,
      participants,
      early,
      luodSocket: luodSocket === "default" ? LUOD_SOCKET : luodSocket,
      luo: selfCommand(context),
      log,
      ...service === undefined ? {} : { service },
      stop: stop.signal,
      access,
      reload,
      next_kernel: await nextKernelOf(where),
    });
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
    log("The kernel has ended, and with it this agent");
  }
}

/**
 * A socket at which somebody listens is not taken away. The lock says whether an agent runs. When none does, it is systemd's socket
 * for the agent, and systemd has now been asked to start the agent.
 *
 * @throws Failure
 */
function refuseOthersSocket(socket: string): void {
  if (!waitForEnd(`${socket}.lock`, 0)) return;
  const fd = unix_connect(socket, SOCK_STREAM | SOCK_NONBLOCK);
  if (fd >= 0) close(fd);
  // An agent whose directory was removed comes back, and then has the lock.
  else if (fd !== -Errno.EAGAIN) return waitForReturn(socket);
  throw new Failure("unavailable", `Cannot listen at "${socket}": another program listens there`, {
    operation: "listen",
    subject: socket,
    errno: "EADDRINUSE",
    hints: [
      "if it is systemd (luo-agent.socket), start the agent as its service: systemctl start luo-agent",
      "or choose another place with --socket",
    ],
  });
}

/** Runs the machine of the model until it has no process left. */
export async function serveMachine(
  context: Context,
  flags: CommonFlags,
  faults?: FaultSpec,
): Promise<void> {
  const { serveMachine } = await import("../../lib/machine_process/serve_machine.ts");
  const { agentPaths } = await import("../../lib/agent/agent_place.ts");
  const { hostAvailableMemory } = await import("../../lib/files/free_memory.ts");
  using stop = stopSignal();
  releaseCodeLater();
  const available = hostAvailableMemory();
  const where = target(context, flags);
  await serveMachine({
    path: machineSocket(where),
    // The record counts for the next agent of the same boot. A new machine would be a new boot.
    isNeeded: async () => {
      const { recordHasValues } = await import("../../lib/agent/values_record.ts");
      return recordHasValues(agentPaths(where.socket).values);
    },
    signal: stop.signal,
    faults,
    // The model's memory is the memory that its host has free; the host allocates a page when it is written.
    memory_bytes: available === undefined ? undefined : Number(available),
    on_console: (line) => context.process.stderr.write(`${visible(line)}\n`),
  });
}

/** How long a start takes, at most. */
const START_MS = 1000;

/** A server waits for days: code that only its start needs does not stay in memory. */
function releaseCodeLater(): void {
  Deno.unrefTimer(setTimeout(release_program_code, START_MS));
}

async function kernelOf(context: Context, where: AgentTarget): Promise<SystemCalls> {
  if (where.backend === "linux") return (await import("../../lib/linux/system_calls.ts")).linux();
  const { connectMachine } = await import("../../lib/machine_process/remote_system_calls.ts");
  return ensureRunning(machineService(context, where, connectMachine)).client;
}

/** The agent goes on when the model's machine has booted its next kernel, like a service that every boot starts. */
async function nextKernelOf(where: AgentTarget): Promise<(() => SystemCalls | undefined) | undefined> {
  if (where.backend === "linux") return undefined;
  const { connectMachine } = await import("../../lib/machine_process/remote_system_calls.ts");
  // A machine that was powered off is not started again.
  return () => connectIfRunning(connectMachine, machineSocket(where));
}

function machineService(
  context: Context,
  where: AgentTarget,
  connect: (socket: string) => SystemCalls,
): Service<SystemCalls> {
  const socket = machineSocket(where);
  return {
    name: "the model's machine",
    socket,
    isDefault: where.isDefault,
    // The machine takes no lock; its listening socket makes it unique.
    lock: `${socket}.lock`,
    log: `${socket}.log`,
    argv: () => [...selfCommand(context), "machine", "run", "--backend", "model", "--socket", where.socket],
    connect: () => connectIfRunning(connect, socket),
    limit_ms: START_LIMIT_MS,
  };
}

/**
 * A signal that SIGTERM and SIGINT abort. Without `reload` SIGHUP ends the agent, as it ends every program of a closed terminal.
 *
 * @param reload gets an event "reload" on SIGHUP, under nohup too
 */
function stopSignal(reload?: EventTarget): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const hangUp = reload && { SIGHUP: () => void reload.dispatchEvent(new Event("reload")) };
  const listening = onSignals({ SIGINT: stop, SIGTERM: stop }, hangUp);
  return { signal: controller.signal, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}
