/** How long a command waits for an answer of the agent. */
import { NO_LIMIT } from "../../lib/agent/client.ts";
import type { MethodName } from "../../lib/agent/protocol.ts";
import type { CommonFlags } from "../arguments/command.ts";

/** The default limit for an answer. An agent that runs and is not busy answers in milliseconds. */
const SHORT_MS = 10_000;
/** The limit for calls that read, copy or free the memory of files, or sync file systems. */
const LONG_MS = 600_000;
const LONG: ReadonlySet<MethodName> = new Set<MethodName>([
  "PreserveFile",
  "RestoreFile",
  "LoadImage",
  "ExecImage",
  "FinishSession",
  "KeepSession",
  "CloseSession",
  "Stop",
]);

/** How long a command waits for the answer to a call. */
export function limit_ms(method: MethodName, { timeout }: Pick<CommonFlags, "timeout">): number {
  if (timeout === undefined) return LONG.has(method) ? LONG_MS : SHORT_MS;
  return timeout === 0 ? NO_LIMIT : timeout * 1000;
}
