/** The methods of the agent: finds the handler of a call, checks who calls and the request, and answers. */
import { ProcessKilled } from "../system_calls.ts";
import type { Peer } from "./access.ts";
import { isTaken } from "./agent_device.ts";
import type { AgentState } from "./agent_state.ts";
import { clearLosses } from "./clear_losses.ts";
import { markFile, preserveFile, restoreFile } from "./file_methods.ts";
import type { Gate } from "./gate.ts";
import { openSession } from "./given_session.ts";
import { execImage, loadForClient, showImage, unloadImage } from "./image_methods.ts";
import { keepSession } from "./keep.ts";
import { INTERFACE, type MethodName, type Methods } from "./protocol.ts";
import { agentError, checkRequest, isMethod, kernelError } from "./request_checks.ts";
import { listSessions } from "./session_list.ts";
import { closeSession, finishSession } from "./session_end.ts";
import { createSession, retrieveSession } from "./session_methods.ts";
import { type AgentIdentity, agentStatus } from "./status_method.ts";
import { checkStop } from "./stop_method.ts";
import { NotYet } from "./turns.ts";
import type { UpdateService } from "./update_service.ts";
import { dropValue, getValue, listValues, putValue } from "./value_methods.ts";
import { type Json, type VarlinkCall, VarlinkError } from "./varlink.ts";
import type { Answers, Reply } from "./server_options.ts";
import { orElse, type Soon } from "./soon.ts";
import { type Identity, serviceCall } from "./varlink_service.ts";

/** Answers one method. `fds` came with the call; the handler takes the ones that it keeps out of the list. */
type Handler<Request> = (request: Request, fds: number[], peer: Peer) => Soon<Reply>;
type Handlers = { readonly [M in MethodName]: Handler<Methods[M]["request"]> };

export interface MethodsOptions {
  readonly state: AgentState;
  readonly updates: UpdateService;
  readonly identity: AgentIdentity;
  readonly gate: Gate;
  readonly log: (line: string) => void;
}

/** The methods of the agent. */
export class AgentMethods {
  on_change = () => {};
  on_stop = () => {};

  readonly #handlers: Handlers;

  readonly state: AgentState;
  readonly updates: UpdateService;

  constructor(readonly options: MethodsOptions) {
    this.state = options.state;
    this.updates = options.updates;
    this.#handlers = this.#methods();
  }

  /** Takes the calls of live updates that are answered later. A client that may not make them is refused by `handle`. */
  takesLater(call: VarlinkCall, peer: Peer, take: () => Answers): boolean {
    return this.options.gate.isOpen(peer) && this.updates.takesLater(call, take);
  }

  /** @throws VarlinkError, ProcessKilled */
  handle(call: VarlinkCall, peer: Peer): Soon<Reply> {
    const { version } = this.options.identity;
    const served = serviceCall(call, { version } satisfies Identity);
    if (served !== undefined) return served;
    const name = call.method.slice(INTERFACE.length + 1);
    if (!isMethod(name)) {
      throw new VarlinkError("org.varlink.service.MethodNotFound", { method: call.method });
    }
    return orElse(() => this.#dispatch(name, call, peer), (error) => {
      if (error instanceof NotYet) throw error;
      const answer = this.options.gate.error(peer, name, this.answerable(error));
      throw isTaken(error) ? new NotYet(answer) : answer;
    });
  }

  /** A mistake in this program costs one answer. If it ended the agent, every session would end too. */
  answerable(error: unknown): unknown {
    const answer = kernelError(error);
    if (answer instanceof VarlinkError || answer instanceof ProcessKilled) return answer;
    const what = answer instanceof Error ? answer.stack ?? answer.message : String(answer);
    this.options.log(`This is a bug in luo: ${what}`);
    return agentError("InternalError", { message: String(answer) });
  }

  #dispatch(name: MethodName, call: VarlinkCall, peer: Peer): Soon<Reply> {
    const handler = this.#handlers[name] as Handler<object>;
    const request = checkRequest(name, call.parameters);
    this.options.gate.check(peer, this.state, name, request);
    return handler(request, call.fds, peer);
  }

  #methods(): Handlers {
    const { gate, identity } = this.options;
    return {
      Identify: () => {
        // Every client asks this first. An agent whose kernel has ended ends here, and the client can start the next agent.
        this.state.sys.uname();
        const { backend, version } = identity;
        return answer({ backend, version, pid: this.state.options.pid });
      },
      GetStatus: (_request, _fds, peer) =>
        answer({ status: gate.status(peer, agentStatus(this.state, identity)) }),
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
      LoadImage: async (request, fds) =>
        this.#changing(answer(await loadForClient(this.state, request, fds))),
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

  #stop(request: Methods["Stop"]["request"]): Reply {
    checkStop(this.state, request);
    this.end("the agent was stopped by force");
    this.on_stop();
    return answer({});
  }

  end(reason: string): void {
    for (const { session, files } of this.state.end(reason)) {
      this.options.log(`Session "${session}" is lost with ${files.length} files: ${reason}`);
    }
  }
}

function answeredLater(): never {
  throw new TypeError("The server takes this call to answer it later");
}

function answer(parameters: object, fds: readonly number[] = []): Reply {
  return { parameters: parameters as Json, fds };
}
