/** Clients of luo-agent's socket as participants of the agent's updates. */
import { sessionNameProblem } from "../session.ts";
import { ProcessKilled } from "../system_calls.ts";
import type { AgentState } from "./agent_state.ts";
import type { LuodConnection } from "./luod_connection.ts";
import { giveIncoming, giveOutgoing, noteFiles, reasonOf, untilFinished } from "./luod_participant.ts";
import type { LuodHost } from "./luod_server.ts";
import type { EventInput } from "./update/callee.ts";
import type { EventAnswer, Listener, Subscribers } from "./update/subscribers.ts";

/** The protocol has no word for a deadline: a client saves all of its state after START_PRESERVATION. */
const SECONDS = { freeze: 60 };

export interface LuodHostOptions {
  readonly state: AgentState;
  readonly subscribers: Subscribers;
  readonly allowed: (uid: number) => boolean;
  /** Whether an update waits for a participant of that name to come back. */
  readonly awaits: (id: string) => boolean;
  /** Called after a participant has come. */
  readonly arrived: (id: string) => void;
  readonly failed: (error: unknown) => void;
}

export class AgentLuodHost implements LuodHost {
  /** The event that each client is to answer. */
  readonly #asked = new Map<string, EventInput>();
  /** Clients that have claimed their session and finished it, as far as that can be seen. */
  readonly #back = new Set<string>();

  /** The claims of each client that are not over. The client is there as long as it has one. */
  readonly #claims = new Map<string, { open: number; readonly gone: AbortController }>();

  constructor(readonly options: LuodHostOptions) {}

  readonly log = (line: string) => this.options.state.options.log(line);

  allowed(uid: number): boolean {
    return this.options.allowed(uid);
  }

  failed(error: unknown): void {
    this.options.failed(error);
  }

  subscribe(id: string, connection: LuodConnection): string | undefined {
    const problem = sessionNameProblem(id);
    if (problem !== undefined) return problem;
    if (this.options.subscribers.has(id)) return `a client takes part as "${id}" already`;
    this.#add(id, connection, connection.gone);
    return undefined;
  }

  #add(id: string, connection: LuodConnection, gone: AbortSignal): void {
    const listener: Listener = { send: (input) => this.#tell(id, connection, input), gone };
    this.options.subscribers.add({ name: id, after: [], seconds: SECONDS }, listener);
    this.options.arrived(id);
  }

  /** The protocol has START_PRESERVATION and no other event. A client that must go on as before sees that its connection ends. */
  #tell(id: string, connection: LuodConnection, input: EventInput): void {
    this.#asked.set(id, input);
    const { event } = input;
    if (event === "prepare" || event === "finish") return this.#answer(id, "ready");
    if (event === "cancel") {
      this.#answer(id, "ready");
      return connection.end();
    }
    // `claim` answers for a client that is still to claim, restore and finish its session. SUBSCRIBE alone brings nothing back.
    if (event === "updated") {
      return this.#back.has(id) || !this.options.state.incoming.has(id)
        ? this.#answer(id, "ready")
        : undefined;
    }
    this.#back.delete(id);
    try {
      const send = (fd: number) => connection.send({ event: "START_PRESERVATION" }, [fd]);
      giveOutgoing(this.options.state, input.session, send);
    } catch (error) {
      this.#failed(id, error);
    }
  }

  ready(id: string): void {
    const input = this.#asked.get(id);
    if (input?.event !== "freeze") return;
    try {
      noteFiles(this.options.state, input.session);
      this.#answer(id, "ready");
    } catch (error) {
      this.#failed(id, error);
    }
  }

  #failed(id: string, error: unknown): void {
    if (error instanceof ProcessKilled) throw error;
    this.#answer(id, "veto", reasonOf(error));
  }

  #answer(id: string, answer: EventAnswer["answer"], reason?: string): void {
    const input = this.#asked.get(id);
    if (input === undefined) return;
    this.#asked.delete(id);
    const { update, event } = input;
    const more = reason === undefined ? {} : { reason };
    // Inside of the call that sends the event no answer is taken yet.
    queueMicrotask(() =>
      this.options.subscribers.answer({ update, event, participant: id, answer, ...more })
    );
  }

  claim(id: string, connection: LuodConnection): string | undefined {
    const { state, subscribers, awaits } = this.options;
    if (!state.incoming.has(id)) return `there is no session "${id}" that was handed over`;
    try {
      giveIncoming(state, id, (fd) => connection.send({ event: "SESSION", id }, [fd]));
    } catch (error) {
      if (error instanceof ProcessKilled) throw error;
      return reasonOf(error);
    }
    const claims = this.#claims.get(id) ?? { open: 0, gone: new AbortController() };
    claims.open++;
    this.#claims.set(id, claims);
    if (awaits(id) && !subscribers.has(id)) this.#add(id, connection, claims.gone.signal);
    untilFinished(state, id, connection.gone).then((done) => {
      if (!done) return;
      this.#back.add(id);
      this.#answer(id, "ready");
    }).catch((error) => {
      if (error instanceof ProcessKilled) return this.options.failed(error);
      this.#answer(id, "veto", reasonOf(error));
    }).finally(() => setTimeout(() => this.#claimEnded(id), 0));
    return undefined;
  }

  /** This comes after a last look at the session: a client may finish its session and end its connection at once. */
  #claimEnded(id: string): void {
    const claims = this.#claims.get(id);
    if (claims === undefined || --claims.open > 0) return;
    this.#claims.delete(id);
    claims.gone.abort();
  }
}
