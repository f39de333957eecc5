/** Turns every error into the failure that is shown. */
import { AgentError, AgentProtocolError, ConnectionEnded, NoAnswer } from "../../lib/agent/client.ts";
import type { MethodName } from "../../lib/agent/protocol.ts";
import { FileProblem } from "../../lib/files/file_problem.ts";
import { LuoError } from "../../lib/error.ts";
import { MissingTool } from "../../lib/rehearse/missing_tool.ts";
import { agentFailure } from "./agent_failure.ts";
import { Failure, type FailureKind } from "./failure.ts";
import { fileWords } from "./file_words.ts";
import { hintsFor } from "./hints.ts";
import { count } from "../base/text.ts";

/** The failure to show for anything that was thrown. Errors of the library and of the agent get exit code and hints here. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof FileProblem) return fileFailure(error);
  if (error instanceof LuoError) return systemFailure(error);
  if (error instanceof MissingTool) return new Failure("unavailable", error.what, { hints: [error.remedy] });
  if (error instanceof AgentError) return agentFailure(error);
  if (error instanceof ConnectionEnded) {
    return new Failure("unavailable", "Cannot go on: the agent ended before it answered", {
      hints: ["see what is left with: luo status"],
    });
  }
  if (error instanceof NoAnswer) return noAnswer(error);
  if (error instanceof AgentProtocolError) {
    if (error.message.includes("org.varlink.service.PermissionDenied")) return turnedAway();
    return otherVersion(error.message);
  }
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  return new Failure("internal", `Cannot go on: ${message}`, { hints: ["this is a bug in luo"] });
}

/** The agent has no access rule for this user at all. */
function turnedAway(): Failure {
  return new Failure("unavailable", "Cannot use the agent: it turns this user away", {
    errno: "EACCES",
    hints: ["only its owner and root may talk to it, and the users of its access rules: docs/security.md"],
  });
}

/** The agent's answer makes no sense. Mostly the agent is of the version before, and has run on after an upgrade. */
function otherVersion(message: string): Failure {
  const [, unknown, name] =
    /org\.varlink\.service\.(MethodNotFound|InvalidParameter) \{"\w+":"([\w.]+)"\}/.exec(message) ?? [];
  const what = unknown === "MethodNotFound" ? "method" : "parameter";
  const why = unknown === undefined ? message : `it does not know the ${what} ${name}`;
  return new Failure("unavailable", `Cannot talk to the agent: ${why}`, {
    hints: [
      "the agent may be of another version (luo agent status): restart it when it holds no session: luo agent stop",
    ],
  });
}

/** The calls that change nothing. */
const READING: ReadonlySet<MethodName> = new Set<MethodName>([
  "Identify",
  "GetStatus",
  "ListSessions",
  "GetValue",
  "ListValues",
  "ListUpdates",
  "ShowImage",
  "GetUpdate",
]);

function noAnswer({ socket, timeoutMs, method }: NoAnswer): Failure {
  const limit = count(timeoutMs / 1000, "second");
  const what = `Cannot go on: the agent at "${socket}" does not answer within ${limit}`;
  const changes = method !== undefined && !READING.has(method);
  return new Failure("unavailable", what, {
    operation: "wait",
    subject: socket,
    hints: [
      ...changes ? ["the agent may still do what was asked: check with luo status"] : [],
      `the agent may be stopped or busy: its process number is in ${socket}.lock`,
      "wait longer with --timeout SECONDS",
    ],
  });
}

function fileFailure(problem: FileProblem): Failure {
  const { kind = "file-error", message, errno, hints } = fileWords(problem);
  return new Failure(kind, message, { errno, hints });
}

/** The operations that the agent cannot start without: the device, its lock, its socket. */
const AT_START: ReadonlySet<string> = new Set(["open", "lock", "listen", "connect", "configure"]);

/** A failed system call of this process: reading, writing, taking a descriptor. */
function systemFailure(error: LuoError): Failure {
  if (error.operation === "write" && error.is("EPIPE")) return new Failure("broken-pipe", error.summary);
  const { operation, subject, code } = error;
  const kind = operation === "execute"
    ? executeKind(code)
    : AT_START.has(operation)
    ? "unavailable"
    : "file-error";
  return new Failure(kind, error.summary, {
    operation,
    subject,
    errno: code,
    hints: hintsFor(operation, code),
  });
}

/** env(1) and timeout(1) tell the same two cases apart. */
export function executeKind(errno: string): FailureKind {
  return errno === "ENOENT" ? "command-not-found" : "not-executable";
}
