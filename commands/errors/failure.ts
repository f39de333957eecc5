import { EXIT, type ExitCode } from "../base/exit_codes.ts";
import { visible } from "../base/text.ts";

/** What scripts may branch on, in the `kind` of a JSON error. */
export type FailureKind =
  | "usage"
  | "bad-request"
  | "kernel-error"
  | "file-error"
  | "no-such-session"
  | "no-such-file"
  | "wrong-state"
  | "digest-mismatch"
  | "refused"
  | "unavailable"
  | "interrupted"
  | "broken-pipe"
  | "internal";

/** What a failure may say beyond its message. The keys are those of the JSON error (docs/json.md). */
export interface FailureDetail {
  readonly operation?: string;
  readonly subject?: string;
  /** `EBUSY`. */
  readonly errno?: string;
  /** Why it was refused, one reason a line. */
  readonly reasons?: readonly string[];
  /** The names or tokens that exist, when the given one does not. */
  readonly known?: readonly string[];
  /** What to do about it, one line each. */
  readonly hints?: readonly string[];
}

/** A command that ends with something else than 0: the only error `main.ts` shows to people as it is. */
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

const EXIT_OF_KIND: Readonly<Record<FailureKind, ExitCode>> = {
  "usage": EXIT.usage,
  "bad-request": EXIT.usage,
  "kernel-error": EXIT.failed,
  "file-error": EXIT.failed,
  "no-such-session": EXIT.failed,
  "no-such-file": EXIT.failed,
  "wrong-state": EXIT.failed,
  "digest-mismatch": EXIT.failed,
  "refused": EXIT.refused,
  "unavailable": EXIT.unavailable,
  "interrupted": EXIT.interrupted,
  "broken-pipe": EXIT.broken_pipe,
  "internal": EXIT.failed,
};

/**
 * The error as people read it: the sentence, then reasons and hints, one indented line each. Without a newline at the end.
 * Names in them are other people's bytes; only a bug's stack has lines of its own.
 */
export function renderFailure(failure: Failure): string {
  const lines = [...(failure.detail.reasons ?? []), ...(failure.detail.hints ?? [])];
  const message = failure.message.split(failure.kind === "internal" ? "\n" : /(?!)/).map(visible).join("\n");
  return [`luo: ${message}`, ...lines.map((line) => `  ${visible(line)}`)].join("\n");
}

/** The error as scripts read it: one line on stderr. Keys without a value are left out. */
export function failureJson(failure: Failure): string {
  const { operation, subject, errno, reasons, known, hints } = failure.detail;
  return JSON.stringify({
    error: {
      kind: failure.kind,
      message: failure.message,
      exit: failure.exit,
      operation,
      subject,
      errno,
      reasons,
      known,
      hints,
    },
  });
}
