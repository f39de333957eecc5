import { FileProblem } from "../lib/files/problem.ts";
import { LuoError } from "../lib/error.ts";
import { Failure } from "./failure.ts";
import { hintsFor } from "./hints.ts";
import { nearest } from "./nearest.ts";

/** Whatever was thrown, as the failure to show. The one place where errors of the library and the agent get exit code and hints. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof FileProblem) return fileFailure(error);
  if (error instanceof LuoError) return systemFailure(error);
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  return new Failure("internal", `Cannot go on: ${message}`, { hints: ["this is a bug in luo"] });
}

function fileFailure(problem: FileProblem): Failure {
  const hints = problem.hints;
  switch (problem.kind) {
    case "memory":
      return new Failure("refused", problem.message, { hints });
    case "digest":
      return new Failure("digest-mismatch", problem.message, { hints });
    default:
      return new Failure("file-error", problem.message, { hints });
  }
}

/** A system call of this process: reading, writing, taking a descriptor. */
function systemFailure(error: LuoError): Failure {
  if (error.operation === "write" && error.is("EPIPE")) return new Failure("broken-pipe", error.message);
  const { operation, subject, code } = error;
  return new Failure("file-error", error.message, {
    operation,
    subject,
    errno: code,
    hints: hintsFor(operation, code),
  });
}

/** A system call of the agent failed, or would: `Cannot preserve file 7 in session "vm1" (EEXIST)`. */
export function kernelFailure(operation: string, subject: string, errno: string, message?: string): Failure {
  const kind = operation === "open" ? "unavailable" : "kernel-error";
  return new Failure(kind, message ?? `Cannot ${operation} ${subject} (${errno})`, {
    operation,
    subject,
    errno,
    hints: hintsFor(operation, errno),
  });
}

export function noSuchSession(session: string, known: readonly string[]): Failure {
  return new Failure("no-such-session", `Cannot find session "${session}"`, {
    subject: session,
    known,
    hints: [meant(session, known) ?? list("the sessions there are", known) ?? "there are no sessions"],
  });
}

export function noSuchFile(session: string, token: string, known: readonly string[]): Failure {
  return new Failure("no-such-file", `Cannot find file ${token} in session "${session}"`, {
    subject: token,
    known,
    hints: [meant(token, known) ?? list("the tokens there are", known) ?? "the session has no files"],
  });
}

function meant(name: string, known: readonly string[]): string | undefined {
  const candidate = nearest(name, known);
  return candidate === undefined ? undefined : `did you mean "${candidate}"?`;
}

function list(what: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const shown = known.slice(0, 10).join(", ");
  return `${what}: ${shown}${known.length > 10 ? ` and ${known.length - 10} more` : ""}`;
}
