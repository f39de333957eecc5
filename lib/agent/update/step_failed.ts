/** A step of an update that did not succeed, because of a participant or of luo itself. */
import { LuoError } from "../../error.ts";
import type { UpdateEventName, UpdateOutcome } from "../../schema/types.ts";

/** The reason for which an update is cancelled, or cannot be finished. */
export class StepFailed extends Error {
  override readonly name = "StepFailed";

  constructor(
    readonly event: UpdateEventName,
    readonly outcome: UpdateOutcome,
    readonly reason: string,
    readonly participant?: string,
  ) {
    super(participant === undefined ? reason : `participant "${participant}": ${reason}`);
  }
}

/** The failure of a step that was stopped. @param signal aborted with the failure itself, or with a sentence */
export function stoppedBy(event: UpdateEventName, { reason }: AbortSignal): StepFailed {
  return reason instanceof StepFailed ? reason : new StepFailed(event, "skipped", String(reason));
}

/** The word for `by` and `reason` of the record. */
export function causeOf(error: unknown): { by?: string; reason: string } {
  if (!(error instanceof StepFailed)) return { reason: sentenceOf(error) };
  const { participant, reason } = error;
  return participant === undefined ? { reason } : { by: participant, reason };
}

/** An error in one line. */
export function sentenceOf(error: unknown): string {
  const line = error instanceof LuoError
    ? error.summary
    : error instanceof Error
    ? error.message
    : String(error);
  // The operation is a key here, and no English.
  return line.replace(/^Cannot kexec exec /, "Cannot execute ");
}
