/** The error of a command: its kind, its exit code, and how it is shown to people and to scripts. */
import { EXIT, type ExitCode } from "../base/exit_codes.ts";
import { visible } from "../base/text.ts";
import type { FailureInfo, FailureKind } from "../../lib/schema/answer_types.ts";

export type { FailureKind };

type Detail = Omit<FailureInfo, "kind" | "message" | "exit">;

/** The optional parts of a failure. The keys are those of the JSON error (docs/json.md). */
export type FailureDetail = {
  readonly [K in keyof Detail]: Detail[K] extends string[] | undefined ? readonly string[] : Detail[K];
};

/** The one error that is shown to people as it is. Every command that does not end with 0 ends with a Failure. */
export class Failure extends Error {
  override readonly name = "Failure";

  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly detail: FailureDetail = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get exit(): ExitCode {
    return EXIT_OF_KIND[this.kind];
  }
}

/** The exit code of each kind. */
export const EXIT_OF_KIND: Readonly<Record<FailureKind, ExitCode>> = {
  "usage": EXIT.usage,
  "bad-request": EXIT.usage,
  "kernel-error": EXIT.failed,
  "file-error": EXIT.failed,
  "no-such-session": EXIT.failed,
  "no-such-file": EXIT.failed,
  "no-such-key": EXIT.absent,
  "no-such-update": EXIT.failed,
  "wrong-state": EXIT.failed,
  "digest-mismatch": EXIT.failed,
  "vetoed": EXIT.refused,
  "update-failed": EXIT.failed,
  "refused": EXIT.refused,
  "unavailable": EXIT.unavailable,
  "not-executable": EXIT.not_executable,
  "command-not-found": EXIT.not_found,
  "interrupted": EXIT.interrupted,
  "broken-pipe": EXIT.broken_pipe,
  "internal": EXIT.failed,
};

/**
 * The error for people: the sentence, then reasons and hints, one indented line each, without a newline at the end.
 * Control characters in names are escaped; only the stack of a bug keeps its lines.
 */
export function renderFailure(failure: Failure): string {
  const lines = [...cut(failure.detail.reasons ?? []), ...(failure.detail.hints ?? [])];
  const message = failure.message.split(failure.kind === "internal" ? "\n" : /(?!)/).map(visible).join("\n");
  return [`luo: ${message}`, ...lines.map((line) => `  ${visible(line)}`)].join("\n");
}

/** The longest list that is shown whole. JSON has all of it. */
const SHOWN_MAX = 10;

function cut(reasons: readonly string[]): readonly string[] {
  if (reasons.length <= SHOWN_MAX) return reasons;
  return [...reasons.slice(0, SHOWN_MAX), `and ${reasons.length - SHOWN_MAX} more`];
}

/** The error for scripts: one line of JSON on stderr. Keys without a value are left out. */
export function failureJson(failure: Failure): string {
  const { operation, subject, errno, reasons, known, hints } = failure.detail;
  const filled = (list: readonly string[] | undefined) => list?.length === 0 ? undefined : list;
  return JSON.stringify({
    error: {
      kind: failure.kind,
      message: failure.message,
      exit: failure.exit,
      operation,
      subject,
      errno,
      reasons: filled(reasons),
      known,
      hints: filled(hints),
    },
  });
}
