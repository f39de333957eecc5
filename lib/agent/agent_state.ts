/** Everything the agent holds: the device, sessions, the loaded image, losses, and the journal of it all. */
import { LuoError } from "../error.ts";
import type { IncomingSession, OutgoingSession } from "../session.ts";
import type { SystemCalls } from "../system_calls.ts";
import { type Given, given } from "./adopt.ts";
import { AgentDevice } from "./agent_device.ts";
import type { AgentPaths } from "./agent_place.ts";
import { inherit, inheritUnreadable, previewRecord } from "./inherit.ts";
import { DigestChecks } from "./digest_checks.ts";
import { announceKept, renewKept } from "./keep.ts";
import { loss, unrestored } from "./journal.ts";
import { JournalWriter } from "./journal_writer.ts";
import type { FdStore } from "./fd_store.ts";
import { SessionStore } from "./session_store.ts";
import { OwnSession } from "./own_session.ts";
import type { Journal } from "./journal.ts";
import type { ImageFiles } from "./loaded_image.ts";
import { MANIFEST_SESSION, VALUES_SESSION } from "./manifest.ts";
import { PreservedFds } from "./preserved_fds.ts";
import { readText } from "./proc_text.ts";
import { journalSource } from "./state_journal.ts";
import { ValueStore } from "./value_store.ts";
import type { ImageInfo, LastUpdate, Loss, SessionInfo, UpdateRecord } from "./protocol.ts";
import { encodeUpdate, findUpdate } from "./update_record.ts";

const VALUES_GONE =
  "the values of luo put are gone: the agent that took them over ended before it could record them";

/** The most losses that are kept. They are in every status and every journal, and an agent may die again and again. */
export const LOSSES_MAX = 10_000;

/**
 * A session that the agent knows of. An incoming session without `session` is still in the kernel. An incoming one with `session`
 * was retrieved by the agent itself, to learn whether the kernel has it.
 */
export interface Held<Session> {
  info: SessionInfo;
  /** Its fd: the session lives as long as this is open. */
  session?: Session;
}

/** A session in one of the two lists of the state. */
export interface SessionKey {
  readonly list: "outgoing" | "incoming";
  readonly name: string;
}

export interface StateOptions {
  readonly sys: SystemCalls;
  readonly paths: AgentPaths;
  readonly pid: number;
  readonly now: () => string;
  readonly log: (line: string) => void;
  /** Where the service manager keeps copies of the sessions' fds; undefined: nowhere. */
  readonly store?: FdStore | undefined;
  /** Kept sessions wait in the kernel for the next agent. */
  readonly early?: boolean;
}

/** The state of the agent. Everything that it holds ends with the agent's process. */
export class AgentState implements Disposable {
  /** Outgoing sessions by name. */
  readonly outgoing = new Map<string, Held<OutgoingSession>>();
  /** Incoming and retrieved sessions by name. */
  readonly incoming = new Map<string, Held<IncomingSession>>();
  readonly losses: Loss[] = [];
  /** The files of outgoing sessions. */
  readonly preserved: PreservedFds;
  /** Compares the files of kept sessions with their digests. */
  readonly digests: DigestChecks;
  readonly sys: SystemCalls;
  readonly device: AgentDevice;
  readonly store: SessionStore;
  readonly given: Given;
  readonly journal: JournalWriter;
  readonly values: ValueStore;
  readonly bootId: string;
  readonly release: string;
  lastUpdate: LastUpdate | undefined;
  /** Why the kernel may have sessions that are not listed; undefined: all are listed. */
  unlisted: string | undefined;
  /** Live updates in a row. */
  updates = 0;
  /** The image that this agent, or one before it in this boot, loaded. */
  image: ImageInfo | undefined;
  /** The image that was loaded before the update under way loaded its own. */
  replaced: { readonly image: ImageInfo; readonly reload: ImageFiles } | undefined;
  /** The files of that image, open as long as it is loaded: only the agent that loaded it can load it again. */
  reload: ImageFiles | undefined;
  /** The session that is being ended, as long as the store may have it. */
  ending: Journal["ending"];
  /** The manifest's session. */
  readonly #manifest: OwnSession;
  /** The journal of an earlier agent says that there were values of `luo put`. */
  valuesExpected = false;
  ended = false;
  /** The live update that is under way, or the last one. */
  update: UpdateRecord | undefined;
  /** Called when the device was opened and the state is filled. */
  onBegin = () => {};

  /**
   * Finds what was handed over. Without the device the agent serves what needs none.
   *
   * @throws LuoError `open`: an error that is not about the device (EMFILE, ENOMEM)
   */
  constructor(readonly options: StateOptions) {
    this.sys = options.sys;
    this.preserved = new PreservedFds(options.sys);
    this.digests = new DigestChecks(options.log);
    this.bootId = readText(this.sys, "/proc/sys/kernel/random/boot_id") ?? "";
    this.release = this.sys.uname().release;
    this.store = new SessionStore(options.store);
    this.given = given(this.sys, options.store, this.store);
    const needsDevice = () => this.#manifest.adopted === undefined;
    this.device = new AgentDevice(this.sys, () => this.#begin(), needsDevice, options.now);
    this.#manifest = new OwnSession(MANIFEST_SESSION, this);
    this.journal = new JournalWriter(options.paths, this.#manifest);
    this.values = new ValueStore(options.paths, this.bootId, new OwnSession(VALUES_SESSION, this));
    try {
      if (!this.device.tryReady()) this.#beginWithoutDevice();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The old manifest is finished after its content is in the record and in the new manifest, as far as those can be written. */
  #begin(): void {
    const lostValues = this.values.begin();
    const old = this.#manifest.incoming();
    // The losses that were shown without the device are found again.
    this.losses.length = 0;
    inherit(this, old);
    if (lostValues !== undefined) this.#loseValues(lostValues);
    else if (this.valuesExpected && !this.values.begun) this.#loseValues(VALUES_GONE);
    const { early = false } = this.options;
    if (!early) announceKept(this);
    this.saveOrLog();
    this.update = findUpdate(this, old);
    if (this.update !== undefined) this.#keepUpdate(this.update);
    // An agent with a store keeps the old manifest there until the journal can be written.
    if (this.journal.problem === undefined || this.store.usage === undefined) this.#manifest.finish();
    if (!early) renewKept(this);
    this.onBegin();
  }

  /** Writes the record anew: the manifest that was handed over, which contains it, is finished after this. */
  #keepUpdate(record: UpdateRecord): void {
    try {
      this.saveUpdate(record);
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      this.options.log(`${error.message}: an agent that starts after this one does not know of the update`);
    }
  }

  /** Keeps the record of a live update. @throws LuoError as `save` */
  saveUpdate(record: UpdateRecord, how?: "for the next kernel"): void {
    this.update = record;
    const file = how === undefined ? this.options.paths.updateRecord : undefined;
    if (this.mayWrite()) this.journal.writeUpdate(encodeUpdate(record), file);
  }

  #loseValues(reason: string): void {
    const at = this.options.now();
    this.lose([
      loss(
        { name: VALUES_SESSION, state: "incoming", createdAt: at, files: [], filesKnown: false },
        reason,
        at,
      ),
    ]);
  }

  /** Retrieves a session from the kernel, and puts it into the store. @throws LuoError `open`, `retrieve` */
  retrieve(name: string): IncomingSession {
    const session = this.device.use((device) => device.retrieve(name));
    // The kernel takes no session back.
    this.keepOrLog(session);
    return session;
  }

  /** A session has ended: its copy in the store goes too. The next journal need not name it any more. */
  endedInStore(session: IncomingSession | OutgoingSession): void {
    try {
      this.store.drop(session);
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      return this.options.log(`${error.message}: session "${session.name}" stays in systemd's fd store`);
    }
    this.ending = undefined;
  }

  /** Keeps a session that exists already. A failure is only logged, because the kernel takes no session back. */
  keepOrLog(session: IncomingSession | OutgoingSession): void {
    try {
      this.store.checkRoom("keep", session.name);
      this.store.keep(session);
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      this.options.log(`${error.message}: session "${session.name}" ends with the agent`);
    }
  }

  #beginWithoutDevice(): void {
    this.options.log(`${this.device.problem}: the agent runs without the device`);
    if (!this.device.broken) return previewRecord(this);
    inheritUnreadable(this);
    this.saveOrLog();
  }

  lose(losses: readonly Loss[]): void {
    this.losses.push(...losses);
    const old = this.losses.splice(0, Math.max(0, this.losses.length - LOSSES_MAX));
    if (old.length > 0) {
      this.options.log(`Forgot the ${old.length} oldest of ${LOSSES_MAX + old.length} losses`);
    }
  }

  held(): Held<OutgoingSession | IncomingSession>[] {
    return [...this.outgoing.values(), ...this.incoming.values()];
  }

  /** All sessions, as the agent's answers list them. */
  sessions(): SessionInfo[] {
    return this.held().map(({ info }) => info);
  }

  /** The session of that name, if there is one. */
  named(name: string): SessionInfo[] {
    return [this.outgoing.get(name), this.incoming.get(name)].flatMap((held) => held?.info ?? []);
  }

  /**
   * Writes the journal after a change that can be undone. `only` names the one session that has changed, is new or is gone since
   * the journal was written last. Without it all of the journal is written.
   *
   * @throws LuoError `record`; `create`, `write`, `preserve` the manifest
   */
  save(only?: SessionKey): void {
    if (this.mayWrite()) this.journal.write(journalSource(this, only));
  }

  /**
   * Writes the journal after a change that the kernel cannot undo. The error says that the change is done (`done`, a sentence).
   *
   * @throws LuoError as `save`
   */
  saveDone(done: string, only?: SessionKey): void {
    if (!this.mayWrite()) return;
    const [error] = this.journal.tryWrite(journalSource(this, only));
    if (error === undefined) return;
    const { operation, subject, errno } = error;
    throw new LuoError(operation, subject, errno, `${done}, but it cannot be recorded in ${subject}`);
  }

  /** Writes the journal at a start or an end, which a full disk must not stop. With an old record the next agent asks the kernel. */
  saveOrLog(): void {
    if (!this.mayWrite()) return;
    for (const { message } of this.journal.tryWrite(journalSource(this))) {
      this.options.log(`${message}: an agent started after this one in the same boot knows less`);
    }
  }

  /** Writes all files beside the socket again: they were removed. Errors as `saveOrLog`. */
  saveAgain(): void {
    this.saveOrLog();
    this.values.saveAgain();
    if (this.update !== undefined) this.#keepUpdate(this.update);
  }

  /** Whether the end of this agent would lose nothing, and nothing waits for its next one. */
  get isEmpty(): boolean {
    return this.held().length === 0 && this.losses.length === 0 && this.values.size.count === 0 &&
      this.image === undefined;
  }

  /** All of the journal, without a log: the next kernel may start an agent of 0.1.0, which cannot read logs. Errors as `saveOrLog`. */
  saveForNextKernel(): void {
    if (!this.mayWrite()) return;
    for (const { message } of this.journal.tryWriteForNextKernel(journalSource(this))) {
      this.options.log(`${message}: an agent of 0.1.0 in the next kernel would know less`);
    }
  }

  /**
   * An agent that never had the device has not read the handover, and must not replace the record of it. After EIO there is
   * nothing to read.
   */
  mayWrite(): boolean {
    return this.device.begun || this.device.broken;
  }

  /**
   * Ends on purpose: the sessions whose fds the agent alone holds are lost from here on, and the next agent says so. The next agent
   * takes the others over from the store.
   */
  end(reason: string): Loss[] {
    const at = this.options.now();
    const held = this.held().filter(({ session }) => session !== undefined && !this.store.holds(session));
    const lost = held.map(({ info }) => loss(unrestored(info), reason, at));
    this.lose(lost);
    for (const list of [this.outgoing, this.incoming]) {
      for (const [name, one] of list) if (held.includes(one)) list.delete(name);
    }
    // A journal that has ended names no session that an agent held.
    this.ended = this.held().every(({ session }) => session === undefined);
    this.saveOrLog();
    for (const { session } of held) session?.fd.close();
    this.preserved[Symbol.dispose]();
    return lost;
  }

  [Symbol.dispose](): void {
    this.reload?.[Symbol.dispose]();
    this.replaced?.reload[Symbol.dispose]();
    this.digests[Symbol.dispose]();
    this.preserved[Symbol.dispose]();
    for (const { session } of this.held()) session?.fd[Symbol.dispose]();
    this.values[Symbol.dispose]();
    this.#manifest[Symbol.dispose]();
    this.journal[Symbol.dispose]();
    this.device[Symbol.dispose]();
  }
}
