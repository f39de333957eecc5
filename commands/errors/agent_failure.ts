/** The failures for errors that the agent answers. */
import type { AgentError } from "../../lib/agent/client.ts";
import type { Errors } from "../../lib/agent/protocol.ts";
import { operand } from "../base/text.ts";
import { Failure } from "./failure.ts";
import { hintsFor } from "./hints.ts";
import { listing, suggestion } from "./nearest.ts";
import { remedies, riskOf } from "./remedies.ts";

/** An error that the agent answered. */
export function agentFailure(error: AgentError): Failure {
  if (error.is("KernelError")) {
    const { operation, subject, errno, message } = error.parameters;
    return kernelFailure(operation, subject, errno, message);
  }
  if (error.is("Refused")) {
    const { operation, subject, reasons, problems = [] } = error.parameters;
    const hints = remedies(problems);
    return new Failure("refused", readable(`Cannot ${operation} ${subject}: ${riskOf(problems)}`), {
      operation,
      subject,
      reasons,
      hints,
    });
  }
  if (error.is("NoSuchSession")) {
    const { session, known } = error.parameters;
    if (!known.includes(session)) return noSuchSession(session, known);
    // A session of that name exists, but this kernel made it.
    const message = "the previous kernel handed over no session of that name";
    return wrongState({ session, state: "outgoing", operation: "retrieve", message });
  }
  if (error.is("NoSuchFile")) {
    const { session, token, known } = error.parameters;
    return noSuchFile(session, token, known);
  }
  if (error.is("NoSuchUpdate")) return noSuchUpdate(error.parameters.update, error.parameters.known);
  if (error.is("NoSuchKey")) return noSuchKey(error.parameters.key);
  if (error.is("WrongState")) return wrongState(error.parameters);
  if (error.is("UpdateFailed")) return updateFailure(error.parameters);
  if (error.is("WrongUpdateState")) {
    const { step, message, state } = error.parameters;
    return new Failure("wrong-state", message, {
      operation: step,
      subject: "the update",
      hints: nextSteps(state),
    });
  }
  if (error.is("BadRequest")) {
    return new Failure("bad-request", `Cannot do that: ${error.parameters.message}`);
  }
  if (error.is("NotAllowed")) {
    return new Failure("unavailable", `Cannot do that: ${error.parameters.message}`, {
      hints: ["what this user may do is in the agent's access rules: docs/security.md"],
    });
  }
  return new Failure("internal", error.message);
}

/** A step of a live update that did not succeed. */
function updateFailure(
  { step, event, outcome, participant, reason, state }: Errors["UpdateFailed"],
): Failure {
  const what = participant === undefined
    ? reason
    : `participant "${participant}" ${DID[outcome]} at ${event}`;
  return new Failure(outcome === "veto" ? "vetoed" : "update-failed", `Cannot ${step} the update: ${what}`, {
    operation: step,
    subject: participant ?? "the update",
    reasons: participant === undefined ? [] : [reason],
    hints: state === "normal" ? ["the update was cancelled, and the machine is as before"] : nextSteps(state),
  });
}

const DID: Readonly<Record<Errors["UpdateFailed"]["outcome"], string>> = {
  done: "was done",
  veto: "said no",
  late: "was late",
  died: "died",
  failed: "failed",
  skipped: "was not called",
};

/** The steps that lead on from a state of the update. */
function nextSteps(state: string): string[] {
  if (state === "normal") return ["begin with: luo update run KERNEL, or luo update prepare"];
  if (state === "updated") return ["end it with: luo update finish"];
  return ["see who is at which event: luo update state", "end it with: luo update cancel"];
}

function wrongState({ session, state, operation, message }: Errors["WrongState"]): Failure {
  return new Failure("wrong-state", `Cannot ${operation} session "${session}": ${message}`, {
    operation,
    subject: session,
    hints: stateHints(operation, state, session),
  });
}

/** The hints for an operation that a session in this state does not allow. */
export function stateHints(operation: string, state: string, session: string): string[] {
  if (operation === "preserve") {
    return ["files go into outgoing sessions: create one with: luo session create NAME"];
  }
  const name = operand(session);
  const next = state === "incoming"
    ? `retrieve it first: luo session retrieve ${name}`
    : state === "outgoing"
    ? `this kernel made the session: end it with luo session close ${name}, or take it over with luo kexec exec`
    : `restore its files, then: luo session finish ${name}`;
  return operation === "create" ? [next, "or create the session under another name"] : [next];
}

/** A system call of the agent that failed or would fail: `Cannot preserve file 7 in session "vm1" (EEXIST)`. */
export function kernelFailure(operation: string, subject: string, errno: string, message?: string): Failure {
  const kind = operation === "open" ? "unavailable" : "kernel-error";
  return new Failure(kind, readable(message ?? `Cannot ${operation} ${subject} (${errno})`), {
    operation,
    subject,
    errno,
    hints: hintsFor(operation, errno).map((hint) => naming(hint, subject)),
  });
}

/** The hint with the session's name, where the subject has one: `file 7 in session "vm1"`. */
function naming(hint: string, subject: string): string {
  const [, session] = /\bsession "(.*)"$/s.exec(subject) ?? [];
  return session === undefined ? hint : hint.replace(/\bSESSION\b/, () => operand(session));
}

/** Replaces operations that are keys and not English. */
function readable(message: string): string {
  return message.replace(/^Cannot kexec exec /, "Cannot execute ").replace(/^Cannot kexec /, "Cannot ");
}

export function noSuchSession(session: string, known: readonly string[]): Failure {
  return new Failure("no-such-session", `Cannot find session "${session}"`, {
    subject: session,
    known,
    hints: [
      ...suggested(session, known),
      listing("sessions", known.map((name) => JSON.stringify(name)), "there are no sessions"),
    ],
  });
}

function noSuchFile(session: string, token: string, known: readonly string[]): Failure {
  return new Failure("no-such-file", `Cannot find file ${token} in session "${session}"`, {
    subject: token,
    known,
    // A near number is another file, and no slip.
    hints: [listing("tokens", known, "luo knows of no files in the session")],
  });
}

function noSuchUpdate(update: string, known: readonly string[]): Failure {
  return new Failure("no-such-update", `Cannot find update ${JSON.stringify(update)}`, {
    subject: update,
    known,
    hints: ["see all updates with: luo update history"],
  });
}

function noSuchKey(key: string): Failure {
  return new Failure("no-such-key", `Cannot find a value under ${JSON.stringify(key)}`, {
    subject: key,
    hints: ["see all keys with: luo keys"],
  });
}

function suggested(name: string, known: readonly string[]): string[] {
  const hint = suggestion(name, known);
  return hint === undefined ? [] : [hint];
}
