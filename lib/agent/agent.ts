/** The agent: takes its place, serves requests at a socket, and ends on request or with its kernel. */
import { close } from "../../ffi/file.ts";
import { geteuid, getpid } from "../../ffi/process.ts";
import { ProcessKilled, type SystemCalls } from "../system_calls.ts";
import { Access, type Peer } from "./access.ts";
import { Gate } from "./gate.ts";
import { limitedLog } from "./limited_log.ts";
import { agentListeners, leave, takePlaces } from "./agent_listeners.ts";
import { clearLosses } from "./clear_losses.ts";
import { markFile, preserveFile, restoreFile } from "./file_methods.ts";
import { readText } from "./proc_text.ts";
import { currentImage, execImage, loadImage, showImage, unloadImage } from "./image_methods.ts";
import { type AgentPaths, agentPaths } from "./agent_place.ts";
import {
  INTERFACE,
  type MethodName,
  type Methods,
  type Moment,
  type SessionInfo,
  type Status,
} from "./protocol.ts";
import { dataFirst, type Objection, refused, SESSION_PROBLEM } from "./refusal.ts";
import { agentError, checkRequest, isMethod, kernelError } from "./request_checks.ts";
import { listSessions, unlistedOf } from "./session_list.ts";
import { type Answers, type Reply, VarlinkServer } from "./varlink_server.ts";
import { UpdateService } from "./update_service.ts";
import { moment, processStart } from "./update/moment.ts";
import { NotYet } from "./turns.ts";
import { type Identity, serviceCall } from "./varlink_service.ts";
import { keepSession } from "./keep.ts";
import { openSession } from "./given_session.ts";
import { closeSession, createSession, finishSession, retrieveSession } from "./session_methods.ts";
import { isTaken } from "./agent_device.ts";
import { dropValue, getValue, listValues, putValue } from "./value_methods.ts";
import { beginSoon } from "./begin_soon.ts";
import type { Service } from "./service.ts";
import { statusLine } from "./service_status.ts";
import { AgentState } from "./agent_state.ts";
import { type Json, type VarlinkCall, VarlinkError } from "./varlink.ts";

export interface AgentOptions {
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
  /** A new process of the kernel that runs after the end of the agent's own; the agent disposes of it. Undefined: none runs. */
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
  const lock = takePlaces(paths, access);
  const reload = () => access.readAgain(log);
  given.reload?.addEventListener("reload", reload);
  try {
    for (let sys: SystemCalls | undefined = options.sys; sys !== undefined;) {
      // Disposing is a process's orderly end. The caller does it for the first kernel's.
      using _ = sys === options.sys ? undefined : sys;
      const started = sys === options.sys ? processStart() : moment("to");
      sys = await runInKernel({ ...options, sys }, paths, started);
    }
  } finally {
    given.reload?.removeEventListener("reload", reload);
    // The sockets go before the lock: after that another agent may have made its own.
    leave(paths, access, options.service?.listenFd);
    close(lock);
  }
}

interface RunningOptions extends AgentOptions {
  readonly gate: Gate;
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
  const { sys, log, service } = options;
  using state = new AgentState({ sys, paths, pid: getpid(), now, log, store: service?.store });
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
  const agent = new Agent(options, state, updates, now());
  const server = new VarlinkServer({
    listeners: agentListeners(paths, options.gate.access, options.log, service?.listenFd),
    handle: (call, peer) => agent.handle(call, peer),
    takesLater: (call, peer, answers) => agent.takesLater(call, peer, answers),
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
  state.onBegin = () => updates.resume();
  if (state.device.begun) updates.resume();
  // A step that is under way is cancelled first: participants must not be left in the middle of it.
  const stop = () => void updates.stop("the agent is stopped").then(() => server.stop());
  options.stop?.addEventListener("abort", stop);
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

/** A log on a full disk must not end the agent. */
function unfailing(log: (line: string) => void): (line: string) => void {
  return (line) => {
    try {
      log(line);
    } catch (error) {
      if (error instanceof ProcessKilled) throw error;
    }
  };
}

/** Answers one method. `fds` came with the call; the handler takes the ones that it keeps out of the list. */
type Handler<Request> = (request: Request, fds: number[], peer: Peer) => Reply | Promise<Reply>;
type Handlers = { readonly [M in MethodName]: Handler<Methods[M]["request"]> };

class Agent {
  on_change = () => {};
  on_stop = () => {};

  readonly #handlers: Handlers;

  constructor(
    readonly options: RunningOptions,
    readonly state: AgentState,
    readonly updates: UpdateService,
    readonly startedAt: string,
  ) {
    this.#handlers = this.#methods();
  }

  /** Takes the calls of live updates that are answered later. A client that may not make them is refused by `handle`. */
  takesLater(call: VarlinkCall, peer: Peer, answers: Answers): boolean {
    return this.options.gate.isOpen(peer) && this.updates.takesLater(call, answers);
  }

  /** @throws VarlinkError, ProcessKilled */
  async handle(call: VarlinkCall, peer: Peer): Promise<Reply> {
    const { version } = this.options;
    const served = serviceCall(call, { version } satisfies Identity);
    if (served !== undefined) return served;
    const name = call.method.slice(INTERFACE.length + 1);
    if (!isMethod(name)) {
      throw new VarlinkError("org.varlink.service.MethodNotFound", { method: call.method });
    }
    try {
      return await this.#dispatch(name, call, peer);
    } catch (error) {
      if (error instanceof NotYet) throw error;
      const answer = this.options.gate.error(peer, name, this.answerable(error));
      throw isTaken(error) ? new NotYet(answer) : answer;
    }
  }

  /** A mistake in this program costs one answer. If it ended the agent, every session would end too. */
  answerable(error: unknown): unknown {
    const answer = kernelError(error);
    if (answer instanceof VarlinkError || answer instanceof ProcessKilled) return answer;
    const what = answer instanceof Error ? answer.stack ?? answer.message : String(answer);
    this.options.log(`This is a bug in luo: ${what}`);
    return agentError("InternalError", { message: String(answer) });
  }

  #dispatch(name: MethodName, call: VarlinkCall, peer: Peer): Reply | Promise<Reply> {
    const handler = this.#handlers[name] as Handler<object>;
    const request = checkRequest(name, call.parameters);
    this.options.gate.check(peer, this.state, name, request);
    return handler(request, call.fds, peer);
  }

  #methods(): Handlers {
    const { gate } = this.options;
    return {
      Identify: () => {
        // Every client asks this first. An agent whose kernel has ended ends here, and the client can start the next agent.
        this.state.sys.uname();
        return answer({
          backend: this.options.backend,
          version: this.options.version,
          pid: this.state.options.pid,
        });
      },
      GetStatus: (_request, _fds, peer) => answer({ status: gate.status(peer, this.#status()) }),
      ListSessions: (request, _fds, peer) => answer(listSessions(this.state, request, gate.sees(peer))),
      GetUpdate: ({ id }) => answer(id === undefined ? this.updates.now() : this.updates.old(id)),
      ListUpdates: () => answer(this.updates.history()),
      StepUpdate: answeredLater,
      Participate: answeredLater,
      AnswerEvent: (request) => answer(this.updates.answerEvent(request)),
      ShowImage: () => answer(showImage(this.state)),
      CreateSession: (request) => this.#changing(answer(createSession(this.state, request))),
      KeepSession: (request) => this.#changing(answer(keepSession(this.state, request))),
      RetrieveSession: (request) => this.#changing(answer(retrieveSession(this.state, request))),
      FinishSession: (request) => this.#changing(answer(finishSession(this.state, request))),
      CloseSession: (request) => this.#changing(answer(closeSession(this.state, request))),
      OpenSession: (request) => {
        const { reply, fds } = openSession(this.state, request);
        return this.#changing(answer(reply, fds));
      },
      PreserveFile: (request, fds, peer) =>
        this.#changing(answer(preserveFile(this.state, request, fds, peer))),
      RestoreFile: (request) => {
        const { reply, fds, held } = restoreFile(this.state, request);
        return this.#changing({ ...answer(reply, fds), held });
      },
      MarkFile: (request) => this.#changing(answer(markFile(this.state, request))),
      PutValue: (request) => this.#changing(answer(putValue(this.state, request))),
      GetValue: (request) => answer(getValue(this.state, request)),
      ListValues: (request) => answer(listValues(this.state, request)),
      DropValue: (request) => this.#changing(answer(dropValue(this.state, request))),
      LoadImage: async (request, fds) => this.#changing(answer(await loadImage(this.state, request, fds))),
      UnloadImage: () => this.#changing(answer(unloadImage(this.state))),
      ExecImage: (request) => answer(execImage(this.state, request)),
      ClearLosses: (request) => this.#changing(answer(clearLosses(this.state, request))),
      Stop: (request) => this.#stop(request),
    };
  }

  #changing(reply: Reply): Reply {
    this.on_change();
    return reply;
  }

  #stop({ force }: Methods["Stop"]["request"]): Reply {
    // A session that waits in the kernel stays there for the next agent.
    const held = this.state.held()
      .filter(({ session }) => session !== undefined && !this.state.store.holds(session))
      .map(({ info }) => info);
    const objections = dataFirst(held).map(atStop);
    if (objections.length > 0 && !force) throw refused("stop", "the agent", objections);
    this.end("the agent was stopped by force");
    this.on_stop();
    return answer({});
  }

  end(reason: string): void {
    for (const { session, files } of this.state.end(reason)) {
      this.options.log(`Session "${session}" is lost with ${files.length} files: ${reason}`);
    }
  }

  #status(): Status {
    this.state.device.tryReady();
    const { state, options } = this;
    const { release, machine } = state.sys.uname();
    const commandLine = readText(state.sys, "/proc/cmdline") ?? "";
    return {
      backend: options.backend,
      kernel: { release, machine, bootId: state.bootId, commandLine },
      device: state.device.status(),
      agent: {
        pid: state.options.pid,
        version: options.version,
        socket: options.socket,
        startedAt: this.startedAt,
        ...(state.store.usage === undefined ? {} : { store: state.store.usage }),
        ...(state.journal.problem === undefined ? {} : { unrecorded: state.journal.problem }),
      },
      image: currentImage(state),
      sessions: state.preserved.withSizesNow(state.sessions()),
      ...unlistedOf(state),
      ...(state.lastUpdate === undefined ? {} : { lastUpdate: state.lastUpdate }),
      ...(state.values.size.count === 0 ? {} : { values: state.values.size }),
      losses: state.losses,
    };
  }
}

function answeredLater(): never {
  throw new TypeError("The server takes this call to answer it later");
}

/** The fate of a session when the agent that holds it stops. */
function atStop({ name, state, files, filesKnown }: SessionInfo): Objection {
  const content = filesKnown === false
    ? "files unknown"
    : `${files.length} ${files.length === 1 ? "file" : "files"}`;
  return {
    code: SESSION_PROBLEM[state],
    session: name,
    reason: `session "${name}" (${state}, ${content}) would be lost`,
  };
}

function answer(parameters: object, fds: readonly number[] = []): Reply {
  return { parameters: parameters as Json, fds };
}
