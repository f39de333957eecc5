/** The agent: takes its place, serves requests at a socket, and ends on request or with its kernel. */
import { geteuid, getpid } from "../../ffi/process.ts";
import { ProcessKilled, type SystemCalls } from "../system_calls.ts";
import { Access } from "./access.ts";
import { agentListeners, leave, takePlaces } from "./agent_listeners.ts";
import { AgentMethods } from "./agent_methods.ts";
import { type AgentPaths, agentPaths } from "./agent_place.ts";
import type { HeldPlace } from "./held_place.ts";
import { AgentState } from "./agent_state.ts";
import { beginSoon } from "./begin_soon.ts";
import { Gate } from "./gate.ts";
import { limitedLog } from "./limited_log.ts";
import { INTERFACE, type Moment, type Status } from "./protocol.ts";
import type { Service } from "./service.ts";
import { statusLine } from "./service_status.ts";
import { unfailing } from "./unfailing_log.ts";
import { moment, processStart } from "./update/moment.ts";
import { UpdateService } from "./update_service.ts";
import { VarlinkServer } from "./varlink_server.ts";

export interface AgentOptions {
  /** The agent disposes of it, and of those of next kernels. */
  readonly sys: SystemCalls;
  /** The word for the kernel in `status` and `Identify`. Nothing else depends on it. */
  readonly backend: Status["backend"];
  readonly socket: string;
  readonly version: string;
  /** Takes the lines that an operator should see. */
  readonly log: (line: string) => void;
  /** Aborted by a signal: the agent ends, and logs the sessions that are lost by that. */
  readonly stop?: AbortSignal;
  /** The directory of participants of live updates. */
  readonly participants?: string;
  /** The agent of an initramfs: it leaves kept sessions and live updates under way to the next agent of this kernel. */
  readonly early?: boolean;
  /** The command line that starts luo, for participants. Undefined: they have the `luo` of their PATH. */
  readonly luo?: readonly string[];
  /** The file with the access rules. Undefined: only root and the user of the agent may connect. */
  readonly access?: string;
  /** Gets an event "reload" when the access rules are to be read again. */
  readonly reload?: EventTarget;
  /** The service manager that started the agent. */
  readonly service?: Service;
  /** The path of a socket for clients of luo-agent. */
  readonly luodSocket?: string | undefined;
  /** A new process of the kernel that runs after the end of the agent's own. Undefined: none runs. */
  readonly next_kernel?: () => SystemCalls | undefined;
}

/**
 * Runs the agent until it is stopped. When its kernel ends, it goes on in the next kernel, or throws `ProcessKilled` when there is none.
 *
 * @throws LuoError `lock` another agent runs; `listen` the socket's directory; `open` no file descriptors or memory for the device;
 *   `configure` the access rules
 */
export async function runAgent(given: AgentOptions): Promise<void> {
  const log = unfailing(given.log);
  const access = new Access(geteuid(), given.access);
  access.read();
  const options = { ...given, log, gate: new Gate(access, limitedLog(log)) };
  const paths = agentPaths(options.socket);
  // Kept over a kexec, so that no command starts a second agent meanwhile.
  using place = takePlaces(paths, access);
  const reload = () => access.readAgain(log);
  given.reload?.addEventListener("reload", reload);
  try {
    for (let sys: SystemCalls | undefined = options.sys; sys !== undefined;) {
      // Disposing is a process's orderly end. The model's machine may end with it, and has removed its socket before the lock is let go.
      using _ = sys;
      const started = sys === options.sys ? processStart() : moment("to");
      sys = await runInKernel({ ...options, sys, place }, paths, started);
    }
  } finally {
    given.reload?.removeEventListener("reload", reload);
    // The sockets go before the lock: after that another agent may have made its own.
    leave(paths, place, access, options.service?.listenFd);
  }
}

interface RunningOptions extends AgentOptions {
  readonly gate: Gate;
  readonly place: HeldPlace;
}

/** Runs the agent to its end, or to that of its kernel. @returns the calls of a process of the next kernel. @throws ProcessKilled */
async function runInKernel(
  options: RunningOptions,
  paths: AgentPaths,
  started: Moment,
): Promise<SystemCalls | undefined> {
  try {
    await serve(options, paths, started);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
    const next = options.next_kernel?.();
    if (next === undefined) throw error;
    options.log(
      "The kernel has ended; the agent goes on in the next one and knows what that kernel was handed",
    );
    return next;
  }
}

async function serve(options: RunningOptions, paths: AgentPaths, started: Moment): Promise<void> {
  const now = () => new Date().toISOString();
  const { sys, log, service, early = false } = options;
  using state = new AgentState({ sys, paths, pid: getpid(), now, log, store: service?.store, early });
  const updates: UpdateService = new UpdateService({
    state,
    backend: options.backend,
    directory: options.participants,
    luo: options.luo,
    started,
    changed: () => server.changed(),
    failed: (error) => server.fail(error),
    internal: (error) => agent.answerable(error),
  });
  const { backend, version, socket, gate } = options;
  const identity = { backend, version, socket, startedAt: now() };
  const agent = new AgentMethods({ state, updates, identity, gate, log });
  const server = new VarlinkServer({
    listeners: agentListeners({
      paths,
      place: options.place,
      access: options.gate.access,
      log: options.log,
      given: service?.listenFd,
      returned: () => {
        state.saveAgain();
        updates.showAgain();
      },
      lost: () => endIfEmpty(),
    }),
    handle: (call, peer) => agent.handle(call, peer),
    takesLater: (call, peer, take) => agent.takesLater(call, peer, take),
    subscribes: ({ method }) => ["GetStatus", "GetUpdate"].some((name) => method === `${INTERFACE}.${name}`),
    log: options.gate.log,
  });
  const tellStatus = () => service?.status(statusLine(state));
  agent.on_change = () => {
    server.changed();
    tellStatus();
  };
  state.digests.on_verdict = () => server.changed();
  agent.on_stop = () => server.stop();
  const resume = () => {
    if (!early) updates.resume();
  };
  state.onBegin = resume;
  if (state.device.begun) resume();
  // A step that is under way is cancelled first: participants must not be left in the middle of it.
  const stop = () => void updates.stop("the agent is stopped").then(() => server.stop());
  options.stop?.addEventListener("abort", stop);
  // No client can reach an agent that has lost its place. One that holds something waits for its directory. A service manager wants its
  // service to run.
  const endIfEmpty = () => {
    if (service !== undefined || !state.isEmpty || updates.now().state !== "normal") return;
    log(`The directory of "${socket}" is gone, and the agent holds nothing: it ends`);
    server.stop();
  };
  const { access } = options.gate;
  const isOpen = (uid: number) => access.rightsOf({ pid: -1, uid, gid: -1 }) === "all";
  const luod = options.luodSocket === undefined ? undefined : updates.serveLuod(options.luodSocket, isOpen);
  using _ = service?.watchdog();
  using _begin = beginSoon(state, tellStatus);
  service?.ready();
  tellStatus();
  try {
    await server.run();
    service?.stopping();
  } finally {
    luod?.stop();
    options.stop?.removeEventListener("abort", stop);
  }
  if (!state.ended) agent.end("the agent was stopped by a signal");
}
