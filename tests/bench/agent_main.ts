/**
 * An agent on a model that knows of sessions already: `agent_main.ts SOCKET SESSIONS FILES`. The sessions are in the record of
 * an agent that ended before it, as incoming ones.
 */
import { runAgent } from "../../lib/agent/agent.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { encodeJournal } from "../../lib/agent/journal.ts";
import { readText } from "../../lib/agent/proc_text.ts";
import { writeRecord } from "../../lib/agent/record.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import { Machine } from "../../lib/model/machine.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";

const AT = "2026-01-01T00:00:00.000Z";

/** Leaves a record with sessions that wait in the kernel, as far as the record says. */
export function leaveRecord(sys: SystemCalls, socket: string, sessions: number, files: number): void {
  const file = (token: number) =>
    ({ token: String(token), size: 4096, seals: 0, preservedAt: AT, state: "waiting" }) as const;
  writeRecord(
    agentPaths(socket),
    encodeJournal({
      version: 1,
      bootId: readText(sys, "/proc/sys/kernel/random/boot_id") ?? "",
      release: "7.3.4",
      pid: 1,
      updates: 0,
      sessions: Array.from({ length: sessions }, (_, index) => ({
        name: `waiting ${index}`,
        state: "incoming",
        createdAt: AT,
        files: Array.from({ length: files }, (_, token) => file(token)),
      })),
      losses: [],
      ended: true,
    }),
  )[Symbol.dispose]();
}

if (import.meta.main) {
  const [socket = "", sessions = "0", files = "0"] = Deno.args;
  const sys = new Machine({ host: new LinuxHost() }).init();
  leaveRecord(sys, socket, Number(sessions), Number(files));
  await runAgent({ sys, backend: "model", socket, version: "bench", log: console.error });
}
