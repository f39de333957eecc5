/** Coordinates updates: one step at a time, each from the state that it may begin in. */
import type { UpdateRecord, UpdateState } from "../../schema/types.ts";
import { arrive, finish, notBack, tellUpdated, type Unfinished, unfinished } from "./after_kexec.ts";
import {
  abandon,
  execute,
  forgetEndedSessions,
  freeze,
  newRecord,
  prepare,
  readyToExec,
  type UpdateOptions,
} from "./before_kexec.ts";
import type { UpdateHost } from "./host.ts";
import { OpenUpdate } from "./open_update.ts";
import { causeOf, StepFailed } from "./step_failed.ts";
import { stopOrphans } from "./orphans.ts";

/** A step that the state does not allow. */
export class WrongState extends Error {
  override readonly name = "WrongState";

  constructor(readonly step: string, readonly state: UpdateState, message: string) {
    super(message);
  }
}

/** A finish that would lose something. */
export class NotFinished extends Error {
  override readonly name = "NotFinished";

  constructor(readonly reasons: readonly Unfinished[]) {
    super(reasons.map(({ reason }) => reason).join("; "));
  }
}

/** The states in which an update is before its kexec. */
export const BEFORE_KEXEC: ReadonlySet<UpdateState> = new Set<UpdateState>([
  "preparing",
  "prepared",
  "freezing",
  "frozen",
  "cancelling",
]);

export class Coordinator {
  #update: OpenUpdate | undefined;
  #running:
    | { readonly step: string; readonly stop: AbortController; readonly end: Promise<unknown> }
    | undefined;

  constructor(readonly host: UpdateHost) {}

  get state(): UpdateState {
    return this.record?.state ?? "normal";
  }

  /** The update that is under way, or the last one. */
  get record(): UpdateRecord | undefined {
    return this.#update?.record;
  }

  /** @throws WrongState, StepFailed, and what the agent refuses with */
  async prepare(options: UpdateOptions, signal: AbortSignal): Promise<void> {
    await this.#step(
      "prepare",
      ["normal"],
      signal,
      (stop) => this.#orAbandon(() => this.#prepare(options, stop)),
    );
  }

  async #prepare(options: UpdateOptions, stop: AbortSignal): Promise<OpenUpdate> {
    const update = new OpenUpdate(this.host, newRecord(this.host, options), "from");
    this.#update = update;
    await prepare(update, options, stop);
    return update;
  }

  async freeze(options: UpdateOptions, signal: AbortSignal): Promise<void> {
    const update = this.#update;
    await this.#step("freeze", ["prepared"], signal, (stop) =>
      this.#orAbandon(async () => {
        if (update === undefined) return;
        update.record.finishes = options.finishes;
        update.record.blackoutSeconds = options.blackoutSeconds ?? update.record.blackoutSeconds;
        await freeze(update, options.force, stop, false);
      }));
  }

  /** All of it. Returns only when it fails. */
  async run(options: UpdateOptions, signal: AbortSignal): Promise<void> {
    const { state } = this;
    if ((state === "prepared" || state === "frozen") && options.load !== undefined) {
      throw new WrongState(
        "run",
        state,
        `the state is ${state}, and a kernel is loaded when an update begins`,
      );
    }
    await this.#step("run", ["normal", "prepared", "frozen"], signal, (stop) =>
      this.#orAbandon(async () => {
        const before = this.state;
        if (before === "normal" || this.#update === undefined) await this.#prepare(options, stop);
        const update = this.#update;
        if (update === undefined) return;
        update.record.finishes = options.finishes;
        update.record.blackoutSeconds = options.blackoutSeconds ?? update.record.blackoutSeconds;
        if (before === "frozen") await readyToExec(update, options.force);
        else await freeze(update, options.force, stop, true);
        execute(update, options.force, stop);
      }));
  }

  /** Cancels what is prepared, or stops the step that is under way. */
  async cancel(): Promise<void> {
    const running = this.#running;
    if (running !== undefined && ["prepare", "freeze", "run"].includes(running.step)) {
      running.stop.abort(CANCELLED);
      await running.end.catch(() => {});
      return;
    }
    const update = this.#update;
    await this.#step("cancel", ["prepared", "frozen"], undefined, async () => {
      if (update !== undefined) await abandon(update, undefined);
    });
  }

  /** @throws NotFinished something would be lost; WrongState; StepFailed a participant says no */
  async finish(force: boolean): Promise<void> {
    // Soon after the kexec the agent itself calls the participants.
    if (this.#running?.step === "resume") await this.#running.end;
    const update = this.#update;
    await this.#step("finish", ["updated"], undefined, async () => {
      if (update === undefined) return;
      await tellUpdated(update, { waits: false });
      const left = force ? [] : unfinished(update);
      if (left.length > 0) throw new NotFinished(left);
      await finish(update, force);
    });
  }

  /**
   * Goes on with the update that an earlier agent left, in this kernel or in the one before. It never throws for what participants do.
   */
  async resume(record: UpdateRecord): Promise<void> {
    const here = record.to?.bootId === this.host.bootId;
    const update = new OpenUpdate(this.host, record, here ? "to" : "from");
    this.#update = update;
    if (record.state === "normal") return;
    update.tolerant = true;
    if (!here && record.from.bootId !== this.host.bootId) return lost(update);
    stopOrphans(record);
    await this.#step("resume", undefined, undefined, async () => {
      if (!here) {
        forgetEndedSessions(update);
        return await abandon(update, new Error("the agent ended before the kexec"));
      }
      const { state } = record;
      if (BEFORE_KEXEC.has(state)) arrive(update);
      await tellUpdated(update, { waits: true });
      if (record.finishes || state === "finishing") await this.#finishByItself(update);
    });
  }

  /** A subscriber of the next kernel came: if the update waited for it, it goes on. */
  async arrived(name: string): Promise<void> {
    const update = this.#update;
    if (update === undefined || this.state !== "updated" || this.#running !== undefined) return;
    if (!notBack(update).some((one) => one.name === name)) return;
    await this.#step("resume", ["updated"], undefined, async () => {
      await tellUpdated(update, { waits: false });
      if (update.record.finishes) await this.#finishByItself(update);
    });
  }

  /** The agent ends: a step that is under way before the kexec is cancelled first. */
  async stop(reason: string): Promise<void> {
    const running = this.#running;
    if (running === undefined || !BEFORE_KEXEC.has(this.state)) return;
    running.stop.abort(reason);
    await running.end.catch(() => {});
  }

  /** A subscriber has gone. Before the kexec that is the end of the update. */
  async died(name: string): Promise<void> {
    const update = this.#update;
    const takesPart = update?.record.participants.some((one) =>
      one.name === name && one.kind === "subscriber"
    );
    if (update === undefined || !takesPart || !BEFORE_KEXEC.has(this.state) || this.state === "cancelling") {
      return;
    }
    const failure = new StepFailed("prepare", "died", "its connection ended", name);
    if (this.#running !== undefined) return this.#running.stop.abort(failure);
    await this.#step("cancel", undefined, undefined, () => abandon(update, failure));
  }

  async #finishByItself(update: OpenUpdate): Promise<void> {
    const left = unfinished(update);
    if (left.length > 0) return this.#notFinished(update, new NotFinished(left));
    try {
      await finish(update, false);
    } catch (error) {
      if (!(error instanceof Error) || error.name === "ProcessKilled") throw error;
      this.#notFinished(update, error);
    }
  }

  /** A participant that is not back is the reason that the record has already. */
  #notFinished(update: OpenUpdate, error: Error): void {
    this.host.log(`The update is not finished: ${error.message}`);
    if (update.record.reason !== undefined) return;
    Object.assign(update.record, causeOf(error));
    update.save();
  }

  async #orAbandon(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const update = this.#update;
      const byHand = this.#running?.stop.signal.reason === CANCELLED;
      if (update !== undefined) await abandon(update, byHand ? undefined : error);
      throw error;
    }
  }

  /** @throws WrongState */
  async #step(
    step: string,
    from: readonly UpdateState[] | undefined,
    signal: AbortSignal | undefined,
    work: (stop: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (this.#running !== undefined) {
      throw new WrongState(step, this.state, `the step "${this.#running.step}" is under way`);
    }
    if (from !== undefined && !from.includes(this.state)) {
      throw new WrongState(
        step,
        this.state,
        `the state is ${this.state}, and it leads from ${from.join(" or ")}`,
      );
    }
    const stop = new AbortController();
    const end = work(signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]));
    this.#running = { step, stop, end };
    try {
      await end;
    } finally {
      this.#running = undefined;
    }
  }
}

const CANCELLED = "it was cancelled by hand";

/** The record is of a boot that ended without a kexec. */
function lost(update: OpenUpdate): void {
  update.record.outcome = "lost";
  update.record.reason = "the machine ended without a kexec";
  update.enter("normal");
}
