/** A participant that can be called, whatever its kind. */
import type { FileInfo, UpdateEventName } from "../../schema/types.ts";
import type { Called } from "./run_participant.ts";

/** The events that are said to participants. */
export type SaidEvent = Extract<UpdateEventName, "prepare" | "freeze" | "cancel" | "updated" | "finish">;

/** The data that a participant gets with an event: the JSON on its standard input, or the parameters of a reply. */
export interface EventInput {
  readonly update: string;
  readonly event: SaidEvent;
  readonly participant: string;
  readonly session: string;
  readonly kernel: { readonly from: string; readonly to?: string };
  readonly deadline: string;
  readonly seconds: number;
  readonly answer?: string;
  readonly files: readonly Pick<FileInfo, "token" | "label" | "size" | "state">[];
}

/** How long a participant may take, and how it is stopped. */
export interface Limits {
  /** On the clock of `performance.now()`. */
  readonly deadline_ms: number;
  /** The latest moment to which it can move its own deadline. */
  readonly latest_ms: number;
  readonly signal: AbortSignal;
  /** Whether a program that is not connected is waited for. */
  readonly waits: boolean;
  /** Gets the process of the participant, when it has one. */
  readonly started: (pid: number) => void;
}

/** Tells one event and waits for the answer. It never throws for what the participant does. */
export type Callee = (input: EventInput, limits: Limits) => Promise<Called>;
