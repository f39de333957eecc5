/** An update that is under way: its record, which is kept at every change, and the calls of its participants. */
import type {
  Moment,
  UpdateEvent,
  UpdateEventName,
  UpdateOutcome,
  UpdateParticipant,
  UpdateRecord,
  UpdateState,
} from "../../schema/types.ts";
import { LuoError } from "../../error.ts";
import type { EventInput, SaidEvent } from "./callee.ts";
import type { UpdateHost } from "./host.ts";
import { moment } from "./moment.ts";
import { inOrder, reversed } from "./order.ts";
import type { Called } from "./run_participant.ts";
import { sentenceOf, StepFailed, stoppedBy } from "./step_failed.ts";

/** Seconds that a participant may take, unless it declares others. */
const SECONDS: Readonly<Record<SaidEvent, number>> = {
  prepare: 300,
  freeze: 10,
  cancel: 30,
  updated: 300,
  finish: 60,
};

/** How an event is told to all. */
export interface Round {
  readonly event: SaidEvent;
  readonly participants: readonly UpdateParticipant[];
  /** Whether participants are called in the reverse order of dependencies. */
  readonly reverse?: boolean;
  readonly signal: AbortSignal;
  /** True: the first failure stops all others and is thrown. False: only participants that come after the failed one are left out. */
  readonly allOrNothing?: boolean;
  /** The latest end of all, on the clock of `performance.now()`. */
  readonly latest_ms?: number;
  /** Programs that are not connected are waited for, up to their deadline. */
  readonly waits?: boolean;
  /** Done before a participant is called. The answer is why it cannot be called. */
  readonly before?: (participant: UpdateParticipant) => Promise<string | undefined>;
}

export class OpenUpdate {
  /** True: a record that cannot be kept is logged and stops nothing. */
  tolerant = false;

  /** @param boot on which kernel's clocks new events are */
  constructor(readonly host: UpdateHost, readonly record: UpdateRecord, readonly boot: Moment["boot"]) {}

  #soon: ReturnType<typeof setTimeout> | undefined;
  /** The error of the last write, when nothing waited for that write. */
  #failure: { readonly error: unknown } | undefined;

  /** @throws LuoError the record cannot be kept */
  save(how?: "for the next kernel"): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    try {
      if (this.#failure !== undefined) throw this.#failure.error;
      this.host.save(this.record, how);
    } catch (error) {
      this.#failure = undefined;
      if (!this.tolerant || !(error instanceof LuoError)) throw error;
      this.host.log(`${error.message}: an agent that starts now knows less of the update`);
    }
  }

  /** Keeps the record once for all changes of this turn of the event loop. */
  saveSoon(): void {
    this.#soon ??= setTimeout(() => {
      try {
        this.save();
      } catch (error) {
        this.#failure = { error };
      }
    }, 0);
  }

  /** @throws LuoError the record cannot be kept */
  enter(state: UpdateState): void {
    this.record.state = state;
    this.save();
  }

  /** @throws LuoError */
  begin(event: UpdateEventName, participant?: string, how?: "for the next kernel"): UpdateEvent {
    const begun: UpdateEvent = {
      event,
      ...(participant === undefined ? {} : { participant }),
      started: moment(this.boot),
    };
    const { events } = this.record;
    events.push(begun);
    try {
      this.save(how);
    } catch (error) {
      // The event does not begin. A participant that was not told needs no cancel.
      events.splice(events.indexOf(begun), 1);
      throw error;
    }
    return begun;
  }

  end(event: UpdateEvent, outcome: UpdateOutcome, reason?: string): void {
    event.ended = moment(this.boot);
    event.outcome = outcome;
    if (reason !== undefined) event.reason = reason;
    this.saveSoon();
  }

  /** A phase of luo's own. @throws what the work throws */
  async phase<T>(
    event: UpdateEventName,
    work: (progress: (done: number, total: number) => void) => T | Promise<T>,
  ): Promise<T> {
    const begun = this.begin(event);
    try {
      const done = await work((done, total) => {
        begun.progress = { done, total };
        this.host.show();
      });
      this.end(begun, "done");
      return done;
    } catch (error) {
      begun.ended = moment(this.boot);
      begun.outcome = "failed";
      begun.reason = sentenceOf(error);
      throw error;
    }
  }

  /** Tells an event to participants. @returns the first failure @throws StepFailed the first failure, with `allOrNothing` */
  async tell(round: Round): Promise<StepFailed | undefined> {
    const { event, participants, reverse = false, allOrNothing = false } = round;
    const phase = this.begin(event);
    const done = new Set<string>();
    const stop = new AbortController();
    const signal = AbortSignal.any([round.signal, stop.signal]);
    let first: StepFailed | undefined;
    let broken: unknown;
    const one = async (participant: UpdateParticipant): Promise<boolean> => {
      try {
        const called = await this.#call(participant, { ...round, signal });
        if (called.outcome === "done") done.add(participant.name);
        // A participant that was stopped because another one failed has not failed itself.
        else if (called.outcome !== "skipped" && first === undefined) {
          first = new StepFailed(event, called.outcome, called.reason ?? called.outcome, participant.name);
          if (allOrNothing) stop.abort(`participant "${participant.name}" failed`);
        }
        return called.outcome === "done";
      } catch (error) {
        broken ??= error;
        stop.abort("luo failed");
        return false;
      }
    };
    await inOrder(reverse ? reversed(participants) : participants, one, () => signal.aborted);
    if (broken !== undefined) throw broken;
    const left = participants.filter(({ name }) => !done.has(name));
    if (!allOrNothing) this.#skip(event, left);
    first ??= round.signal.aborted ? stoppedBy(event, round.signal) : undefined;
    this.end(phase, left.length === 0 ? "done" : first?.outcome ?? "failed", first?.message);
    if (first !== undefined && allOrNothing) throw first;
    return first;
  }

  /** Notes which of these participants were not called. */
  #skip(event: SaidEvent, participants: readonly UpdateParticipant[]): void {
    const at = this.record.events.findLastIndex((one) =>
      one.event === event && one.participant === undefined
    );
    const called = new Set(this.record.events.slice(at).map(({ participant }) => participant));
    for (const { name } of participants) {
      if (called.has(name)) continue;
      const reason = "one that comes before it did not do its part";
      const started = moment(this.boot);
      this.record.events.push({
        event,
        participant: name,
        started,
        ended: started,
        outcome: "skipped",
        reason,
      });
    }
  }

  async #call(participant: UpdateParticipant, round: Round): Promise<Called> {
    const { event, signal, latest_ms = Infinity, before, waits = false } = round;
    // Participants of a round are copies when the order is reversed.
    const kept = this.record.participants.find(({ name }) => name === participant.name) ?? participant;
    const begun = this.begin(event, kept.name);
    const seconds = kept.seconds[event] ?? SECONDS[event];
    const own_ms = performance.now() + seconds * 1000;
    const deadline_ms = Math.min(own_ms, latest_ms);
    const callee = this.host.callee(kept);
    const unable = callee === undefined ? absent(kept) : await before?.(kept);
    let called: Called = { outcome: "failed", reason: unable ?? "" };
    if (callee !== undefined && unable === undefined) {
      called = await callee(this.#input(kept, event, deadline_ms), {
        deadline_ms,
        latest_ms,
        signal,
        waits,
        started: (pid) => {
          begun.pid = pid;
          this.save();
        },
      });
      if (called.outcome === "late" && deadline_ms < own_ms) {
        called = { ...called, reason: `the blackout of ${this.record.blackoutSeconds} seconds was over` };
      }
    }
    if (called.answer !== undefined) kept.answer = called.answer;
    if (called.outcome === "done" && !kept.done.includes(event)) kept.done.push(event);
    this.end(begun, called.outcome, called.reason);
    return called;
  }

  #input({ name, session, answer }: UpdateParticipant, event: SaidEvent, deadline_ms: number): EventInput {
    const left_ms = Math.max(0, deadline_ms - performance.now());
    const { id, from, to } = this.record;
    return {
      update: id,
      event,
      participant: name,
      session,
      kernel: { from: from.release, ...(to?.release === undefined ? {} : { to: to.release }) },
      deadline: new Date(Date.now() + left_ms).toISOString(),
      seconds: Math.round(left_ms / 1000),
      ...(answer === undefined ? {} : { answer }),
      files: (this.host.session(session)?.files ?? []).map(({ token, label, size, state }) => ({
        token,
        ...(label === undefined ? {} : { label }),
        size,
        state,
      })),
    };
  }
}

function absent({ kind }: UpdateParticipant): string {
  return kind === "executable"
    ? "its executable is not there, or can no longer be executed"
    : "the program is not connected";
}
