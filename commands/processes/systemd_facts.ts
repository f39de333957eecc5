/** systemd in the status of the machine: its count of kexecs, and its fd stores. */
import { read_text } from "../../ffi/proc.ts";
import { NoAnswer } from "../../lib/agent/client_errors.ts";
import { storeName } from "../../lib/agent/fd_store.ts";
import { callService } from "../../lib/agent/other_service.ts";
import type { Status } from "../../lib/agent/protocol.ts";
import { isObject } from "../../lib/agent/varlink.ts";
import { LuoError } from "../../lib/error.ts";
import type { Systemd, SystemdStore } from "../../lib/schema/answer_parts.ts";
import { DbusError } from "../../lib/systemd/dbus_values.ts";
import { unitStores } from "../../lib/systemd/unit_stores.ts";

/** The Varlink socket of systemd 258 and later. Every user may ask there. */
const MANAGER = "/run/systemd/io.systemd.Manager";
/** How long systemd may take for each of two questions. It answers in milliseconds. */
const PATIENCE_MS = 2000;

/** Undefined where systemd is not process 1: a container can have its directory. The machine must be that of this process. */
export function systemdFacts(status: Status): Systemd | undefined {
  if (read_text("/proc/1/comm")?.trim() !== "systemd") return undefined;
  const unknown: string[] = [];
  const manager = known(unknown, "how many kexecs systemd counts", managerFacts) ?? {};
  const stores = known(unknown, "what systemd's fd stores hold", () => unitStores(PATIENCE_MS));
  const { kexecCount } = manager;
  if (kexecCount === undefined && unknown.length === 0) unknown.push("This systemd counts no kexecs");
  for (const { unit, entries } of stores ?? []) {
    if (entries === undefined) unknown.push(`What the fd store of ${unit} holds`);
  }
  const missing = stores && missingSessions(status, stores);
  return {
    ...manager,
    ...stores === undefined ? {} : { stores },
    ...missing === undefined ? {} : { missing },
    unknown,
  };
}

/** The fact, or undefined and one more sentence. */
function known<Fact>(unknown: string[], what: string, ask: () => Fact): Fact | undefined {
  try {
    return ask();
  } catch (error) {
    const why = reason(error);
    if (why === undefined) throw error;
    unknown.push(`Cannot tell ${what}: ${why}`);
    return undefined;
  }
}

function reason(error: unknown): string | undefined {
  if (error instanceof NoAnswer) return "systemd does not answer";
  if (error instanceof DbusError || error instanceof SyntaxError) return error.message;
  if (!(error instanceof LuoError)) return undefined;
  if (error.is("EACCES") || error.is("EPERM")) return "only root may ask systemd";
  if (error.is("ENOENT")) return "this version of systemd has no socket for it";
  return error.is("ETIMEDOUT") ? "systemd does not answer" : error.summary;
}

/** io.systemd.Manager.Describe: `{"context": ..., "runtime": {"Version": "262-1", "KExecCount": 1 ...}}`. */
function managerFacts(): Pick<Systemd, "version" | "kexecCount"> {
  const { parameters } = callService(MANAGER, "io.systemd.Manager.Describe", {}, PATIENCE_MS);
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
