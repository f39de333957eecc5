/** Participants that listen: programs that called Participate, and stay connected as long as they take part. */
import type { UpdateParticipant } from "../../schema/types.ts";
import type { Callee, EventInput, Limits } from "./callee.ts";
import type { Subscriber } from "./host.ts";
import { ANSWER_MAX, type Called } from "./run_participant.ts";

/** The connection of a subscriber. */
export interface Listener {
  /** Sends an event. */
  readonly send: (input: EventInput) => void;
  /** Aborted when the connection has ended. */
  readonly gone: AbortSignal;
}

/** The answer to an event. */
export interface EventAnswer {
  readonly update: string;
  readonly event: string;
  readonly participant: string;
  readonly answer: "ready" | "veto" | "later";
  readonly reason?: string;
  readonly milliseconds?: number;
  readonly output?: string;
}

interface Asked {
  readonly input: EventInput;
  readonly limits: Limits;
  readonly end: (called: Called) => void;
  timer: ReturnType<typeof setTimeout>;
}

interface Connected extends Subscriber {
  readonly listener: Listener;
  asked: Asked | undefined;
}

export class Subscribers {
  readonly #connected = new Map<string, Connected>();
  /** Those that wait for a subscriber of a name. */
  readonly #awaited = new Map<string, () => void>();

  /** @param left called when one has gone, after its answer was given for it */
  constructor(readonly left: (name: string) => void) {}

  get all(): readonly Subscriber[] {
    return [...this.#connected.values()];
  }

  has(name: string): boolean {
    return this.#connected.has(name);
  }

  add(subscriber: Subscriber, listener: Listener): void {
    const { name } = subscriber;
    const connected: Connected = { ...subscriber, listener, asked: undefined };
    this.#connected.set(name, connected);
    listener.gone.addEventListener("abort", () => {
      this.#connected.delete(name);
      this.#end(connected, { outcome: "died", reason: "its connection ended" });
      this.left(name);
    });
    this.#awaited.get(name)?.();
  }

  /** Takes an answer. Undefined: it was taken. @returns why it cannot be taken */
  answer(
    { update, event, participant, answer, reason, milliseconds, output }: EventAnswer,
  ): string | undefined {
    const connected = this.#connected.get(participant);
    const input = connected?.asked?.input;
    if (connected === undefined || input?.update !== update || input.event !== event) {
      return `participant "${participant}" is not asked for ${event} of update ${update} now`;
    }
    if (output !== undefined && new TextEncoder().encode(output).length > ANSWER_MAX) {
      return `output has more than ${ANSWER_MAX >> 10} KiB`;
    }
    if (answer === "later") return this.#later(connected, milliseconds);
    const kept = output === undefined ? {} : { answer: output };
    this.#end(
      connected,
      answer === "ready"
        ? { outcome: "done", ...kept }
        : { outcome: "veto", reason: reason ?? "it gave no reason" },
    );
    return undefined;
  }

  #later(connected: Connected, milliseconds: number | undefined): string | undefined {
    const { asked } = connected;
    if (milliseconds === undefined || milliseconds < 1) return "later needs milliseconds, 1 or more";
    if (asked === undefined) return undefined;
    clearTimeout(asked.timer);
    const latest = asked.limits.latest_ms - performance.now();
    asked.timer = this.#lateAfter(connected, Math.min(milliseconds, latest));
    return undefined;
  }

  #lateAfter(connected: Connected, milliseconds: number): ReturnType<typeof setTimeout> {
    const late = () =>
      this.#end(connected, { outcome: "late", reason: "it did not answer before its deadline" });
    return setTimeout(late, Math.max(0, Math.min(milliseconds, TIMER_MAX_MS)));
  }

  #end(connected: Connected, called: Called): void {
    const { asked } = connected;
    connected.asked = undefined;
    clearTimeout(asked?.timer);
    asked?.end(called);
  }

  /** Tells a subscriber an event. For `updated` it may come later: it has to start in the next kernel first. */
  callee({ name }: Pick<UpdateParticipant, "name">): Callee {
    return async (input, limits) => {
      if (!this.has(name) && limits.waits) await this.#comes(name, limits);
      const connected = this.#connected.get(name);
      if (connected === undefined) return { outcome: "failed", reason: "the program is not connected" };
      return await this.#ask(connected, input, limits);
    };
  }

  #ask(connected: Connected, input: EventInput, limits: Limits): Promise<Called> {
    return new Promise((resolve) => {
      const { signal } = limits;
      const stop = () =>
        this.#end(connected, { outcome: "skipped", reason: `it was stopped: ${signal.reason}` });
      const end = (called: Called) => {
        signal.removeEventListener("abort", stop);
        resolve(called);
      };
      const timer = this.#lateAfter(connected, limits.deadline_ms - performance.now());
      connected.asked = { input, limits, end, timer };
      signal.addEventListener("abort", stop);
      connected.listener.send(input);
    });
  }

  async #comes(name: string, { deadline_ms, signal }: Limits): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(deadline_ms - performance.now(), TIMER_MAX_MS));
    this.#awaited.set(name, resolve);
    signal.addEventListener("abort", () => resolve());
    await promise;
    clearTimeout(timer);
    this.#awaited.delete(name);
  }
}

/** The longest time of setTimeout: a longer one ends at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;
