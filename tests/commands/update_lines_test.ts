/** What an update shows on a terminal while it runs: a line for each event, and a bar while digests are taken. */
import assert from "node:assert/strict";
import { plain } from "../../commands/base/text.ts";
import { eventLines } from "../../commands/output/update_text.ts";
import type { UpdateEvent } from "../../lib/agent/protocol.ts";
import { record } from "../report/records.ts";

const CLEAR = "\r\x1b[K";

/** What is written while the events are told one after the other. */
function shown(stderrIsTerminal: boolean, told: readonly UpdateEvent[][]): string {
  let text = "";
  const stream = { write: (more: string) => void (text += more) };
  const show = eventLines({
    process: { stdout: stream, stderr: stream },
    settings: {},
    mainModule: "",
    stdoutIsTerminal: false,
    stderrIsTerminal,
    paint: plain,
  });
  for (const events of told) show({ state: "freezing", update: record(events) });
  return text;
}

/** A digest that began so many seconds ago. */
function digest(seconds: number, more: Partial<UpdateEvent>): UpdateEvent {
  const at = new Date(Date.now() - seconds * 1000).toISOString().replace("Z", "000Z");
  const started = { at, boottime: 0, monotonic: 0, boot: "from" } as const;
  return { event: "digest", started, ...more };
}

const half = { progress: { done: 2 ** 30, total: 2 ** 31 } };

Deno.test("a digest of more than a second has a bar, which the line of its end replaces", () => {
  const running = digest(2, half);
  const over: UpdateEvent = {
    ...running,
    ended: { ...running.started, boottime: 2_000_000 },
    outcome: "done",
  };
  const text = shown(true, [[running], [over], [over]]);
  assert.match(text, /^Hashing \[#{15} {15}\] {2}50% {2}1 GiB of 2 GiB, /);
  assert.ok(text.endsWith(`${CLEAR}digest done (2.0 s)\n`), JSON.stringify(text));
});

Deno.test("short digests, digests without files, and no terminal: no bar", () => {
  assert.equal(shown(true, [[digest(0, half)], [digest(5, {})]]), "");
  assert.equal(shown(false, [[digest(5, half)]]), "");
});
