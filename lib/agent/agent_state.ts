import type { SystemCalls } from "../system_calls.ts";
import { type Device, openDevice, type Session } from "../session.ts";
import { readText } from "./proc_text.ts";
import {
  afterDeath,
  afterKexec,
  afterPowerLoss,
  decodeJournal,
  encodeJournal,
  type Inheritance,
  type Journal,
  loss,
  unrestored,
  whyGone,
} from "./journal.ts";
import { MANIFEST_SESSION, ManifestWriter, readManifest } from "./manifest.ts";
import type { ImageFiles } from "./loaded_image.ts";
import type { AgentPaths } from "./agent_place.ts";
import { readRecord, writeRecord } from "./record.ts";
import type { ImageInfo, LastUpdate, Loss, SessionInfo } from "./protocol.ts";
import { LuoError } from "../error.ts";

/** Of one boot, told in every status and written with every journal: an agent that dies again and again must not fill them. */
export const LOSSES_MAX = 10_000;

/** A session the agent knows of. Without `session` it was handed over and is still in the kernel, not retrieved. */
export interface Held {
  info: SessionInfo;
  /** Its fd: the session lives as long as this is open. */
  session?: Session;
}

export interface StateOptions {
  readonly sys: SystemCalls;
  readonly paths: AgentPaths;
  readonly pid: number;
  readonly now: () => string;
  readonly log: (line: string) => void;
}

/** Everything the agent holds. Opening it takes the device and finds what was handed over; nothing of it outlives its process. */
export class AgentState implements Disposable {
  /** Outgoing sessions by name. */
  readonly outgoing = new Map<string, Held>();
  /** Incoming and retrieved sessions by name. */
  readonly incoming = new Map<string, Held>();
  readonly losses: Loss[] = [];
  readonly sys: SystemCalls;
  readonly device: Device;
  readonly bootId: string;
  readonly release: string;
  lastUpdate: LastUpdate | undefined;
  /** The image this agent, or one before it in this boot, loaded. */
  image: ImageInfo | undefined;
  /** Loads it once more, from its files, which are open as long as it is loaded; only the agent that loaded it can. */
  reload: ImageFiles | undefined;
  ended = false;
  #manifest: { session: Session; writer: ManifestWriter } | undefined;
  #updates = 0;

  /** @throws LuoError `open` the device; `create`, `preserve` the manifest; `record` */
  constructor(readonly options: StateOptions) {
    this.sys = options.sys;
    this.bootId = readText(this.sys, "/proc/sys/kernel/random/boot_id") ?? "";
    this.release = this.sys.uname().release;
    this.device = openDevice(this.sys);
    try {
      this.#begin();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The old manifest is let go only when its content stands in the record and in the new one. */
  #begin(): void {
    using old = this.#incomingManifest();
    this.#inherit(old);
    // At once: whatever fails from here on ends this process, and that finishes the old manifest. Ending because of a full disk
    // would do the same, and help nobody.
    this.saveOrLog();
    const session = this.device.create(MANIFEST_SESSION);
    this.#manifest = { session, writer: new ManifestWriter(session) };
    this.#manifest.writer.write(this.#journal());
    old?.finish();
  }

  #incomingManifest(): Session | undefined {
    try {
      return this.device.retrieve(MANIFEST_SESSION);
    } catch (error) {
      if (error instanceof LuoError && (error.is("ENOENT") || error.is("EINVAL"))) return undefined;
      throw error;
    }
  }

  #inherit(old: Session | undefined): void {
    const at = this.options.now();
    const record = readRecord(this.options.paths);
    if (record?.bootId === this.bootId) {
      [this.lastUpdate, this.image, this.#updates] = [record.lastUpdate, record.image, record.updates];
      return this.#take(afterDeath(record, at), record);
    }
    const payload = old === undefined ? undefined : readManifest(old);
    if (payload === undefined) {
      return record === undefined ? undefined : this.#take(afterPowerLoss(record, at), record);
    }
    const journal = decodeJournal(payload);
    if (journal !== undefined) return this.#takeUpdate(journal, at);
    this.options.log(
      "The manifest that was handed over is damaged: sessions can still be retrieved by their names",
    );
    const nameless: SessionInfo = { name: MANIFEST_SESSION, state: "incoming", createdAt: at, files: [] };
    this.lose([
      loss(nameless, "the manifest is damaged: the other sessions can be retrieved by their names", at),
    ]);
  }

  #takeUpdate(journal: Journal, at: string): void {
    this.#updates = journal.updates + 1;
    this.#take(afterKexec(journal, at), journal);
    const files = [...this.incoming.values()].flatMap(({ info }) => info.files);
    this.lastUpdate = {
      fromRelease: journal.release,
      toRelease: this.release,
      at,
      count: this.#updates,
      sessions: this.incoming.size,
      files: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
    };
  }

  #take({ waiting, doubtful, losses }: Inheritance, journal: Journal): void {
    for (const info of waiting) this.incoming.set(info.name, { info });
    this.lose(losses);
    for (const info of doubtful) this.#askKernel(info, journal);
  }

  /** Whether a session is still there: only retrieving it tells. */
  #askKernel(info: SessionInfo, journal: Journal): void {
    try {
      const session = this.device.retrieve(info.name);
      this.incoming.set(info.name, { info: { ...info, state: "retrieved" }, session });
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      // It waited for us nowhere: what the old kernel had was outgoing.
      const state = info.state === "incoming" ? "outgoing" : info.state;
      this.lose([loss({ ...unrestored(info), state }, whyGone(info, journal), this.options.now())]);
    }
  }

  lose(losses: readonly Loss[]): void {
    this.losses.push(...losses);
    const old = this.losses.splice(0, Math.max(0, this.losses.length - LOSSES_MAX));
    if (old.length > 0) {
      this.options.log(`Forgot the ${old.length} oldest of ${LOSSES_MAX + old.length} losses`);
    }
  }

  /** All sessions, as they are told to others. */
  sessions(): SessionInfo[] {
    return [...this.outgoing.values(), ...this.incoming.values()].map(({ info }) => info);
  }

  /**
   * Writes the journal to the record and to the manifest, for what can be undone when it fails. The record first: it is the
   * likelier one to fail (a full disk), and then the manifest is as it was.
   *
   * @throws LuoError `record`; `write`, `preserve` the manifest
   */
  save(): void {
    const journal = this.#journal();
    writeRecord(this.options.paths, journal);
    this.#manifest?.writer.write(journal);
  }

  /**
   * The same for what the kernel has done already and cannot undo (`done`, a sentence): the manifest tells the next kernel of
   * it, record or not, and the error says that it is done.
   */
  saveDone(done: string): void {
    const journal = this.#journal();
    try {
      writeRecord(this.options.paths, journal);
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      const { operation, subject, errno } = error;
      throw new LuoError(operation, subject, errno, `${done}, but it cannot be recorded in ${subject}`);
    } finally {
      this.#manifest?.writer.write(journal);
    }
  }

  /** For a beginning and an end, which a full disk must not stop. An old record makes the next agent look, and tell. */
  saveOrLog(): void {
    try {
      this.save();
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      this.options.log(
        `${error.message}: an agent started after this one in the same boot knows less for it`,
      );
    }
  }

  #journal(): Uint8Array {
    return encodeJournal({
      version: 1,
      bootId: this.bootId,
      release: this.release,
      pid: this.options.pid,
      updates: this.#updates,
      sessions: this.sessions(),
      image: this.image,
      lastUpdate: this.lastUpdate,
      losses: this.losses,
      ended: this.ended,
    });
  }

  /** Ends on purpose: what was held counts as lost from here on, and the next agent says so. */
  end(reason: string): Loss[] {
    const at = this.options.now();
    const held = [...this.outgoing.values(), ...this.incoming.values()].filter(({ session }) =>
      session !== undefined
    );
    const lost = held.map(({ info }) => loss(unrestored(info), reason, at));
    this.lose(lost);
    this.outgoing.clear();
    for (const [name, { session }] of this.incoming) if (session !== undefined) this.incoming.delete(name);
    this.ended = true;
    this.saveOrLog();
    for (const { session } of held) session?.close();
    return lost;
  }

  [Symbol.dispose](): void {
    this.reload?.[Symbol.dispose]();
    for (const { session } of [...this.outgoing.values(), ...this.incoming.values()]) {
      session?.[Symbol.dispose]();
    }
    this.#manifest?.session[Symbol.dispose]();
    this.device[Symbol.dispose]();
  }
}
