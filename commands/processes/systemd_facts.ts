/** systemd in the status of the machine: its count of kexecs, and its fd stores. */
import { read_text } from "../../ffi/proc.ts";
import { NoAnswer } from "../../lib/agent/client_errors.ts";
import { storeName } from "../../lib/agent/fd_store.ts";
import { callService } from "../../lib/agent/other_service.ts";
import type { Status } from "../../lib/agent/protocol.ts";
import { isObject, ProtocolError } from "../../lib/agent/varlink.ts";
import { LuoError } from "../../lib/error.ts";
import type { Systemd, SystemdStore } from "../../lib/schema/answer_parts.ts";
import { DbusError } from "../../lib/systemd/dbus_values.ts";
import { type ManagerFacts, managerFacts } from "../../lib/systemd/manager_facts.ts";

/** The Varlink socket of systemd 258 and later. Every user may ask there. */
const MANAGER = "/run/systemd/io.systemd.Manager";
/** How long systemd may take. It answers in milliseconds. */
const PATIENCE_MS = 2000;
/** The longest time that poll(2) takes. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/**
 * Undefined where systemd is not process 1: a container can have its directory. The machine must be that of this process.
 *
 * @param timeout the seconds that the user gives every answer; 0: no limit
 */
export function systemdFacts(status: Status, timeout?: number): Systemd | undefined {
  if (read_text("/proc/1/comm")?.trim() !== "systemd") return undefined;
  const limit_ms = timeout === undefined ? PATIENCE_MS : timeout === 0 ? NO_LIMIT_MS : timeout * 1000;
  const unknown: string[] = [];
  const facts = askManager(limit_ms, unknown);
  const { stores, kexecCount } = facts;
  if (kexecCount === undefined && unknown.length === 0) {
    unknown.push("This version of systemd counts no kexecs");
  }
  for (const { unit, entries } of stores ?? []) {
    if (entries === undefined) unknown.push(`Systemd does not tell what the fd store of ${unit} holds`);
  }
  const missing = stores && missingSessions(status, stores);
  return { ...facts, ...missing === undefined ? {} : { missing }, unknown };
}

/** Root is told everything. Others are told the count of kexecs, by Varlink. */
function askManager(limit_ms: number, unknown: string[]): ManagerFacts {
  try {
    return managerFacts(limit_ms);
  } catch (error) {
    unknown.push(`Cannot tell what systemd's fd stores hold: ${reason(error)}`);
    const refused = error instanceof LuoError && error.operation === "connect";
    if (!refused) return {};
  }
  try {
    return describe(limit_ms);
  } catch (error) {
    unknown.push(`Cannot tell how many kexecs systemd counts: ${reason(error)}`);
    return {};
  }
}

/** @throws the error itself, when it is a mistake in the program */
function reason(error: unknown): string {
  if (error instanceof NoAnswer) return "systemd does not answer";
  if (error instanceof DbusError || error instanceof SyntaxError || error instanceof ProtocolError) {
    return error.message;
  }
  if (!(error instanceof LuoError)) throw error;
  if (error.is("EACCES") || error.is("EPERM")) return "only root may ask systemd";
  if (error.is("ENOENT")) return "this version of systemd has no socket for it";
  return error.is("ETIMEDOUT") ? "systemd does not answer" : error.summary;
}

/** io.systemd.Manager.Describe: `{"context": ..., "runtime": {"Version": "262-1", "KExecCount": 1 ...}}`. */
function describe(limit_ms: number): ManagerFacts {
  const { parameters } = callService(MANAGER, "io.systemd.Manager.Describe", {}, limit_ms);
  const runtime = parameters?.runtime;
  if (!isObject(runtime)) return {};
  const { Version: version, KExecCount: kexecCount } = runtime;
  return {
    ...typeof version === "string" ? { version } : {},
    ...typeof kexecCount === "number" ? { kexecCount } : {},
  };
}

/** systemd drops an entry for which there is no room, and does not tell the agent. Undefined: some store's entries are unknown. */
export function missingSessions(
  { agent, sessions }: Status,
  stores: readonly SystemdStore[],
): string[] | undefined {
  if (agent.store === undefined) return undefined;
  const entries = stores.flatMap(({ entries }) => entries ?? [undefined]);
  const there = new Set<string>();
  for (const entry of entries) {
    if (entry === undefined) return undefined;
    if (entry.kind === "session") there.add(entry.session ?? `entry ${entry.name}`);
  }
  const held = sessions.filter(({ state }) => state !== "incoming").map(({ name }) => name);
  return held.filter((name) => !there.has(name) && !there.has(`entry ${storeName(name)}`));
}
