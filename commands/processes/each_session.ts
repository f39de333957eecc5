/** Does one thing with many sessions: a session that fails does not keep the others back, and the error names all that failed. */
import type { SessionInfo } from "../../lib/agent/protocol.ts";
import { Failure, type FailureKind } from "../errors/failure.ts";
import { toFailure } from "../errors/to_failure.ts";

interface Failed {
  readonly name: string;
  readonly failure: Failure;
}

/**
 * The sessions as `act` returns them.
 *
 * @param verbs as in "Cannot finish", "the others are finished"
 * @throws Failure when one or more failed, after all were tried
 */
export function eachSession(
  names: readonly string[],
  verbs: { readonly operation: string; readonly done: string },
  act: (name: string) => SessionInfo,
): SessionInfo[] {
  const sessions: SessionInfo[] = [];
  const failed: Failed[] = [];
  for (const name of names) {
    try {
      sessions.push(act(name));
    } catch (error) {
      failed.push({ name, failure: toFailure(error) });
    }
  }
  if (failed.length > 0) throw together(names.length, verbs, failed);
  return sessions;
}

function together(
  tried: number,
  { operation, done }: { readonly operation: string; readonly done: string },
  failed: readonly Failed[],
): Failure {
  const others = tried === failed.length ? "none" : tried - failed.length === 1 ? "the other" : "the others";
  const are = others === "the others" ? "are" : "is";
  const what = `Cannot ${operation} ${failed.length} of ${tried} sessions: ${others} ${are} ${done}`;
  return new Failure(kindOf(failed), what, {
    operation,
    reasons: failed.flatMap(reasonsOf),
    hints: lastOfEach(failed.flatMap(({ failure }) => failure.detail.hints ?? [])),
  });
}

function reasonsOf({ name, failure: { message, detail } }: Failed): string[] {
  if (detail.reasons === undefined) return [message];
  return detail.reasons.map((reason) => `session "${name}": ${reason}`);
}

/** A refusal can be overridden by `--force`: the exit code says so only when that is true of all. */
function kindOf(failed: readonly Failed[]): FailureKind {
  return failed.find(({ failure }) => failure.kind !== "refused")?.failure.kind ?? "refused";
}

/** The hint about `--force` is the last of each refusal, and stays the last. */
function lastOfEach(hints: readonly string[]): string[] {
  return hints.filter((hint, at) => hints.lastIndexOf(hint) === at);
}
