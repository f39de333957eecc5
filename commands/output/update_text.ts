/** A live update as people read it: its events as they happen, and its state. */
import type { Methods, UpdateEvent, UpdateRecord } from "../../lib/agent/protocol.ts";
import type { Outside } from "../base/context.ts";
import { count, time, visible } from "../base/text.ts";
import { progressLine } from "./progress.ts";
import { table } from "./table.ts";

type Reply = Methods["GetUpdate"]["reply"];

/** The line of an event that has ended: `vm: freeze done (12 ms)`. */
export function eventLine({ event, participant, started, ended, outcome, reason }: UpdateEvent): string {
  const who = participant === undefined ? "" : `${participant}: `;
  const took = ended === undefined ? "" : ` (${duration(started, ended)})`;
  const why = reason === undefined ? "" : `: ${reason}`;
  return visible(`${who}${event} ${outcome ?? "is under way"}${took}${outcome === "done" ? "" : why}`);
}

/** `12 ms` or `3.4 s`, where one clock measured both. */
function duration(from: UpdateEvent["started"], to: UpdateEvent["started"]): string {
  const microseconds = from.boot === to.boot
    ? to.boottime - from.boottime
    : (Date.parse(to.at) - Date.parse(from.at)) * 1000;
  return microseconds < 1_000_000
    ? `${(microseconds / 1000).toFixed(1)} ms`
    : `${(microseconds / 1e6).toFixed(1)} s`;
}

/** The state, the update, and what each participant did. */
export function updateText({ state, update }: Reply): string {
  const lines = [`State: ${state}`];
  if (update === undefined) return `${lines[0]}; there was no update yet`;
  const { from, to, outcome, by, reason, participants, events, losses = [] } = update;
  const next = to?.release ?? "the next kernel";
  const how = outcome === undefined ? "under way" : outcome;
  lines.push(visible(`Update ${update.id} from ${from.release} to ${next}: ${how}`));
  if (reason !== undefined) {
    lines.push(visible(by === undefined ? `  ${reason}` : `  participant "${by}": ${reason}`));
  }
  lines.push(...losses.map((loss) => visible(`  lost: ${loss}`)), ...verdictLines(update));
  if (participants.length > 0) {
    lines.push(table([
      ["PARTICIPANT", "SESSION", "EVENT", "OUTCOME", "SINCE"],
      ...participants.map(({ name, session }) => {
        const last = events.findLast(({ participant }) => participant === name);
        return [
          name,
          session,
          last?.event ?? "-",
          last?.outcome ?? "under way",
          time(last?.started.at ?? "-"),
        ];
      }),
    ]));
  }
  return lines.join("\n");
}

function verdictLines({ verdicts = [] }: UpdateRecord): string[] {
  const same = verdicts.filter(({ verdict }) => verdict === "same").length;
  const others = verdicts.filter(({ verdict }) => verdict !== "same");
  return [
    ...(same > 0 ? [`  ${count(same, "file")} compared: the same bytes`] : []),
    ...others.map(({ session, token, verdict }) =>
      visible(`  file ${token} of session "${session}": ${verdict}`)
    ),
  ];
}

/** Shorter work shows no bar. */
const QUIET_MS = 1000;

/** A bar for digests that take long; undefined: there are none. */
function barOf({ event, started, ended, progress }: UpdateEvent): string | undefined {
  const elapsed_ms = Date.now() - Date.parse(started.at);
  if (ended !== undefined || progress === undefined || elapsed_ms < QUIET_MS) return undefined;
  const verb = event === "verify" ? "Comparing" : "Hashing";
  return progressLine(verb, progress.done, elapsed_ms, progress.total);
}

/**
 * A line on standard error for each event that has ended, once, and below them a bar while digests are taken. Only on a terminal:
 * scripts have --json.
 */
export function eventLines(context: Outside): (reply: Reply) => void {
  const shown = new Set<string>();
  let barIsShown = false;
  return ({ update }) => {
    if (!context.stderrIsTerminal) return;
    const { stderr } = context.process;
    const events = update?.events ?? [];
    const bar = events.map(barOf).find((text) => text !== undefined);
    if (barIsShown) stderr.write("\r\x1b[K");
    for (const event of events) {
      const key = `${event.event} ${event.participant ?? ""} ${event.started.at}`;
      if (event.ended === undefined || shown.has(key)) continue;
      shown.add(key);
      stderr.write(`${eventLine(event)}\n`);
    }
    barIsShown = bar !== undefined;
    if (bar !== undefined) stderr.write(bar);
  };
}
