/** Live updates as the agent serves them: the calls about them, and the programs that listen for events. */
import { ProcessKilled } from "../system_calls.ts";
import { sessionNameProblem } from "../session.ts";
import type { AgentState } from "./agent_state.ts";
import { INTERFACE, type Methods, type Moment, type Status } from "./protocol.ts";
import { agentError, checkRequest } from "./request_checks.ts";
import { AgentUpdateHost } from "./update_host.ts";
import { AgentLuodHost } from "./luod_host.ts";
import { LuodServer } from "./luod_server.ts";
import { listUpdates } from "./update_history.ts";
import { getOldUpdate, getUpdate, stepUpdate } from "./update_methods.ts";
import type { EventInput } from "./update/callee.ts";
import { Coordinator } from "./update/coordinator.ts";
import { Subscribers } from "./update/subscribers.ts";
import { type Json, type VarlinkCall, VarlinkError } from "./varlink.ts";
import type { Answers } from "./server_options.ts";

/** The default directory of participants. */
const PARTICIPANTS = "/etc/luo/participants.d";

export interface UpdateServiceOptions {
  readonly state: AgentState;
  readonly backend: Status["backend"];
  /** The directory of participants. */
  readonly directory?: string | undefined;
  /** The command line that starts luo. */
  readonly luo?: readonly string[] | undefined;
  /** The first instruction of this agent in this kernel. */
  readonly started: Moment;
  /** Called after every change. */
  readonly changed: () => void;
  /** Called when the kernel has ended. */
  readonly failed: (error: unknown) => void;
  /** The answer to a call for any error. */
  readonly internal: (error: unknown) => unknown;
}

export class UpdateService {
  readonly #host: AgentUpdateHost;
  readonly #updates: Coordinator;
  readonly #subscribers: Subscribers;
  /** Those who wait for the end of a step: called after every change. */
  readonly #watchers = new Set<() => void>();

  constructor(readonly options: UpdateServiceOptions) {
    const { state, backend, luo, started } = options;
    // An update of a model must not stop the workloads of its host, unless its user names them.
    const directory = options.directory ?? (backend === "linux" ? PARTICIPANTS : undefined);
    const { paths } = state.options;
    this.#subscribers = new Subscribers((name) => this.#beside(this.#updates.died(name)));
    const changed = () => {
      options.changed();
      for (const tell of this.#watchers) tell();
    };
    const subscribers = this.#subscribers;
    this.#host = new AgentUpdateHost({
      state,
      backend,
      directory,
      luo,
      paths,
      started,
      subscribers,
      changed,
    });
    this.#updates = new Coordinator(this.#host);
  }

  /** Goes on with the update that an earlier agent left. */
  resume(): void {
    const { update } = this.options.state;
    this.#host.showState(update?.state ?? "normal");
    if (update !== undefined) this.#beside(this.#updates.resume(update));
  }

  /** Writes the word of the state again: its file was removed. */
  showAgain(): void {
    this.#host.showState(this.#updates.state, "again");
  }

  /** The agent ends: see `Coordinator.stop`. */
  stop(reason: string): Promise<void> {
    return this.#updates.stop(reason);
  }

  now(): Methods["GetUpdate"]["reply"] {
    return getUpdate(this.#updates);
  }

  /** The update whose id begins so. @throws VarlinkError NoSuchUpdate */
  old(id: string): Methods["GetUpdate"]["reply"] {
    return getOldUpdate(this.options.state, this.#updates, id);
  }

  history(): Methods["ListUpdates"]["reply"] {
    return listUpdates(this.options.state, this.#updates.record);
  }

  /** Whether the update waits for a participant of that name to come back. */
  #awaits(name: string): boolean {
    const { record } = this.#updates;
    const state = record?.state;
    if (state !== "updating" && state !== "updated") return false;
    return record?.participants.some((one) => one.name === name && !one.done.includes("updated")) ?? false;
  }

  /** Serves clients of luo-agent at that path, as participants. @throws LuoError `listen` */
  serveLuod(path: string, allowed: (uid: number) => boolean): LuodServer {
    const { state, failed } = this.options;
    const host = new AgentLuodHost({
      state,
      subscribers: this.#subscribers,
      allowed,
      awaits: (name) => this.#awaits(name),
      arrived: (name) => this.#beside(this.#updates.arrived(name)),
      failed,
    });
    const server = new LuodServer(path, host);
    this.#beside(server.run());
    return server;
  }

  /** Takes the calls that are answered later: participants call the agent meanwhile. */
  takesLater(call: VarlinkCall, take: () => Answers): boolean {
    if (call.method === `${INTERFACE}.StepUpdate`) this.#step(call, take());
    else if (call.method === `${INTERFACE}.Participate`) this.#participate(call, take());
    else return false;
    return true;
  }

  #step(call: VarlinkCall, answers: Answers): void {
    const tell = () => answers.continue({ parameters: json(this.now()) });
    this.#watchers.add(tell);
    const { state } = this.options;
    const step = async () =>
      await stepUpdate(
        state,
        this.#updates,
        checkRequest("StepUpdate", call.parameters),
        call.fds,
        answers.gone,
      );
    this.#beside(
      step().then(
        (reply) => answers.end({ parameters: json(reply) }),
        (error) => this.#fail(answers, error),
      ).finally(() => this.#watchers.delete(tell)),
    );
  }

  #participate(call: VarlinkCall, answers: Answers): void {
    try {
      const { name, after = [], seconds = {}, wantsSession = false } = checkRequest(
        "Participate",
        call.parameters,
      );
      if (!call.more) throw new VarlinkError("org.varlink.service.ExpectedMore");
      const problem = sessionNameProblem(name) ??
        (this.#subscribers.has(name) ? `a program takes part as "${name}" already` : undefined);
      if (problem !== undefined) throw agentError("BadRequest", { message: problem });
      const send = (event: EventInput) => {
        const fd = wantsSession ? this.#host.sessionFd(event.session) : undefined;
        if (fd === undefined) answers.continue({ parameters: { event } });
        else answers.continue({ parameters: { event, sessionFd: 0 }, fds: [fd] });
      };
      answers.continue({ parameters: {} });
      this.#subscribers.add({ name, after, seconds, holdsSession: wantsSession }, {
        send,
        gone: answers.gone,
      });
      this.#beside(this.#updates.arrived(name));
    } catch (error) {
      this.#fail(answers, error);
    }
  }

  /** @throws VarlinkError BadRequest */
  answerEvent(answer: Methods["AnswerEvent"]["request"]): Methods["AnswerEvent"]["reply"] {
    const problem = this.#subscribers.answer(answer);
    if (problem !== undefined) throw agentError("BadRequest", { message: problem });
    return {};
  }

  /** @throws ProcessKilled */
  #fail(answers: Answers, error: unknown): void {
    const failure = this.options.internal(error);
    if (!(failure instanceof VarlinkError)) throw failure;
    answers.fail(failure);
  }

  /** Work that goes on beside the calls. The end of the kernel ends the server; a mistake in this program does not. */
  #beside(work: Promise<unknown>): void {
    work.catch((error) => {
      if (error instanceof ProcessKilled) return this.options.failed(error);
      const what = error instanceof Error ? error.stack ?? error.message : String(error);
      this.options.state.options.log(`This is a bug in luo: ${what}`);
    });
  }
}

function json(value: object): Json {
  return value as Json;
}
