/** The agent as the coordination of an update sees it: its sessions, its image, its journal. */
import { LuoError } from "../error.ts";
import { exec } from "../kexec/load.ts";
import { isTaken } from "./agent_device.ts";
import type { AgentState } from "./agent_state.ts";
import { currentImage, putImageBack, readyToExec } from "./image_methods.ts";
import {
  makeOwnCommand,
  participantEnvironment,
  type ParticipantSurroundings,
} from "./participant_environment.ts";
import type { FileVerdict, Moment, SessionInfo, UpdateRecord } from "./protocol.ts";
import { refused } from "./refusal.ts";
import { keepInHistory } from "./update_history.ts";
import { replaceFile } from "./replace_file.ts";
import { closeSession, finishSession, forgetOrLog, unrestoredFiles } from "./session_end.ts";
import { createSession, retrieveSession } from "./session_methods.ts";
import { takeDigests, verify } from "./update_digests.ts";
import type { Callee } from "./update/callee.ts";
import type { Subscriber, UpdateHost } from "./update/host.ts";
import { type Declared, findParticipants, type Found } from "./update/participant_files.ts";
import { ChildEnds } from "./update/child_ends.ts";
import { runParticipant } from "./update/run_participant.ts";
import type { Subscribers } from "./update/subscribers.ts";

export interface UpdateHostOptions extends ParticipantSurroundings {
  readonly state: AgentState;
  /** The directory of participants. Undefined: there are none. */
  readonly directory: string | undefined;
  /** The first instruction of this agent in this kernel. */
  readonly started: Moment;
  readonly subscribers: Subscribers;
  /** Called after every change of the update. */
  readonly changed: () => void;
}

export class AgentUpdateHost implements UpdateHost {
  readonly #state: AgentState;
  #word = "";

  readonly #children = new ChildEnds();

  constructor(readonly options: UpdateHostOptions) {
    this.#state = options.state;
  }

  get release(): string {
    return this.#state.release;
  }

  get bootId(): string {
    return this.#state.bootId;
  }

  get started(): Moment {
    return this.options.started;
  }

  readonly log = (line: string) => this.#state.options.log(line);

  findParticipants(): Found {
    const { directory } = this.options;
    return directory === undefined ? { participants: [], problems: [] } : findParticipants(directory);
  }

  get subscribers(): readonly Subscriber[] {
    return this.options.subscribers.all;
  }

  callee(participant: UpdateRecord["participants"][number]): Callee | undefined {
    const { name, kind } = participant;
    if (kind === "subscriber") return this.#subscriber(participant);
    const found = this.findParticipants().participants.find((one) => one.name === name);
    return found && this.#executable(found);
  }

  #subscriber({ name, session }: UpdateRecord["participants"][number]): Callee {
    const { subscribers } = this.options;
    const callee = subscribers.callee({ name });
    return async (input, limits) => {
      // A client of luo-agent finishes its session by itself, and may have ended after that.
      const over = input.event === "finish" && !subscribers.has(name) && this.session(session) === undefined;
      return over ? { outcome: "done" } : await callee(input, limits);
    };
  }

  #executable({ name, path }: Declared): Callee {
    return (input, { deadline_ms, signal, started }) => {
      makeOwnCommand(this.options);
      return runParticipant({
        path,
        event: input.event,
        input: `${JSON.stringify(input)}\n`,
        env: participantEnvironment(this.options, input),
        deadline_ms,
        signal,
        started,
        log: (line) => this.log(`${name} ${input.event}: ${line}`),
        children: this.#children,
      });
    };
  }

  session(name: string): SessionInfo | undefined {
    return this.#state.named(name)[0];
  }

  async createSession(name: string): Promise<void> {
    await patiently(() => createSession(this.#state, { name }));
  }

  closeSession(name: string): void {
    if (this.#state.outgoing.has(name)) closeSession(this.#state, { name, force: true }, forgetOrLog);
  }

  async retrieveSession(name: string): Promise<boolean> {
    const info = this.#state.incoming.get(name)?.info;
    if (info?.state === "incoming") await patiently(() => retrieveSession(this.#state, { name }));
    return info !== undefined;
  }

  unfinished(name: string, filesUnknown: "may be gone" | "are restored"): string[] {
    const info = this.#state.incoming.get(name)?.info;
    const objections = info === undefined ? [] : unrestoredFiles(info);
    return objections.filter(({ code }) => code !== "files_unknown" || filesUnknown === "may be gone")
      .map(({ reason }) => reason);
  }

  /** A copy of the session's descriptor, for a participant. Undefined: it cannot leave this process. The receiver closes it. */
  sessionFd(name: string): number | undefined {
    const state = this.#state;
    const outgoing = state.outgoing.get(name);
    const session = outgoing?.session ?? state.incoming.get(name)?.session;
    if (session === undefined) return undefined;
    const fd = state.sys.expose(session.fd.number);
    if (fd < 0) return undefined;
    // From here on the session may get files that luo does not know.
    if (outgoing !== undefined && outgoing.info.filesKnown !== false) {
      outgoing.info.filesKnown = false;
      state.saveOrLog();
    }
    return fd;
  }

  async finishSession(name: string): Promise<void> {
    if (await this.retrieveSession(name)) finishSession(this.#state, { name, force: true });
  }

  image(): { loaded: boolean; release?: string } {
    const { loaded, release } = currentImage(this.#state);
    return release === undefined ? { loaded } : { loaded, release };
  }

  unloadImage(): void {
    putImageBack(this.#state);
  }

  readyToExec(force: boolean): void {
    readyToExec(this.#state, force);
  }

  checkAgain(names: readonly string[]): void {
    const sessions = names.flatMap((name) => this.#state.outgoing.get(name)?.info ?? []);
    const objections = this.#state.preserved.resized(sessions);
    if (objections.length > 0) throw refused("kexec exec", "the loaded kernel", objections);
  }

  exec(): never {
    return exec(this.#state.sys);
  }

  takeDigests(
    sessions: readonly string[],
    which: "sealed" | "all",
    progress: (done: number, total: number) => void,
  ): Promise<void> {
    return takeDigests(this.#state, sessions, which, progress);
  }

  verify(session: string, progress: (done: number, total: number) => void): Promise<FileVerdict[]> {
    return verify(this.#state, session, progress);
  }

  show(): void {
    this.options.changed();
  }

  save(record: UpdateRecord, how?: "for the next kernel"): void {
    try {
      this.#state.saveUpdate(record, how);
    } catch (error) {
      if (error instanceof LuoError) this.#tell(record);
      throw error;
    }
    this.#tell(record);
  }

  #tell(record: UpdateRecord): void {
    if (record.state === "normal") keepInHistory(this.#state, record);
    this.showState(record.state);
    this.options.changed();
  }

  /** Writes the word that scripts watch. It tells and decides nothing, so a full disk does not stop an update. */
  showState(word: string, again?: "again"): void {
    if (word === this.#word && again === undefined) return;
    try {
      replaceFile(this.options.paths.update, new TextEncoder().encode(`${word}\n`));
      this.#word = word;
    } catch (error) {
      this.log(error instanceof Error ? error.message : String(error));
    }
  }
}

/** How long another program may have the device open, and how often the agent tries again: nothing tells when it is free (`isTaken`). */
const PATIENCE_MS = 3000;
const RETRY_MS = 20;

/** PID 1 of systemd has the device open at moments that it chooses: that is no reason to cancel an update. */
async function patiently(work: () => unknown): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS;;) {
    try {
      return void work();
    } catch (error) {
      if (!isTaken(error) || performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
