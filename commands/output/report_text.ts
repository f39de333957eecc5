/** The report of a live update as text, with a chart of characters, and the history. */
import type { Answers } from "../../lib/schema/answer_types.ts";
import type { Timeline } from "../../lib/schema/report_types.ts";
import type { UpdateRecord, UpdateSummary } from "../../lib/schema/types.ts";
import { count, type Paint, time, visible } from "../base/text.ts";
import { duration, kernelClause, rowsOf, type Segment } from "./report_rows.ts";
import { table } from "./table.ts";

export function reportText({ update, timeline }: Answers["update report"], paint: Paint): string {
  const lines = [paint("bold", titleOf(update, timeline)), table(numbers(update, timeline))];
  if (update.reason !== undefined) lines.push(paint("red", `Because: ${visible(why(update))}`));
  for (const loss of update.losses ?? []) lines.push(paint("red", `Lost: ${visible(loss)}`));
  lines.push("", table(chart(timeline)));
  const { marks, notes } = timeline;
  if (marks.length > 0) {
    lines.push("", table([["AT", "SYSTEMD"], ...marks.map(({ at, name }) => [duration(at), name])]));
  }
  return [...lines, ...notes.map((note) => `Note: ${note}`)].join("\n");
}

/** `Update 0b1c3a52 of 2026-11-26 03:40:00 UTC: 7.3.4 to 7.4.0, done`. */
export function titleOf({ id, from, to, outcome, state }: UpdateRecord, { startedAt }: Timeline): string {
  const next = to?.release === undefined ? "" : ` to ${visible(to.release)}`;
  const when = time(startedAt);
  return `Update ${visible(id.slice(0, 8))} of ${when}: ${visible(from.release)}${next}, ${outcome ?? state}`;
}

/** `participant "vm": the guest is busy`. */
export function why({ by, reason = "" }: UpdateRecord): string {
  return by === undefined ? reason : `participant "${by}": ${reason}`;
}

function numbers({ participants, verdicts = [] }: UpdateRecord, timeline: Timeline): string[][] {
  const { blackout, kernel, total } = timeline;
  const rows = [["Total", duration(total)]];
  if (blackout !== undefined) rows.push(["Blackout", blackoutText(blackout)]);
  if (kernel !== undefined) {
    rows.push(["Kernel", `${duration(kernel.to - kernel.from)}: ${kernelClause(kernel)}`]);
  }
  for (const { name, from, to } of timeline.participants) {
    if (from !== undefined) {
      rows.push([`  ${name}`, to === undefined ? "does not run again yet" : duration(to - from)]);
    }
  }
  if (participants.length === 0) rows.push(["Participants", "none"]);
  if (verdicts.length > 0) rows.push(["Digests", verdictText(verdicts)]);
  return rows;
}

function blackoutText({ from, to, over }: NonNullable<Timeline["blackout"]>): string {
  const what = over ? "from the first freeze to the last workload that runs again" : "and it is not over";
  return `${duration(to - from)}, ${what}`;
}

/** `12 files: 11 same, 1 changed`. */
export function verdictText(verdicts: NonNullable<UpdateRecord["verdicts"]>): string {
  const words = ["same", "changed", "damaged", "missing", "unknown"] as const;
  const counts = words.map((word) =>
    [word, verdicts.filter(({ verdict }) => verdict === word).length] as const
  );
  const parts = counts.filter(([, number]) => number > 0).map(([word, number]) => `${number} ${word}`);
  return `${count(verdicts.length, "file")}: ${parts.join(", ")}`;
}

function chart(timeline: Timeline): string[][] {
  return [
    ["START", "TOOK", "", "EVENT", ""],
    ...rowsOf(timeline).map(({ from, took, segments, isPart, label, remark }) => [
      duration(from),
      took,
      bar(segments, timeline.total),
      `${isPart ? "  " : ""}${label}`,
      remark ?? "",
    ]),
  ];
}

const BAR_CELLS = 30;
const CELL = { phase: "━", part: "─", failed: "x", open: "…", kernel: "▓", between: "░" } as const;

/** Every segment has a cell at least. */
function bar(segments: readonly Segment[], total: number): string {
  const cells: string[] = Array(BAR_CELLS).fill(" ");
  const cellOf = (us: number) => Math.min(BAR_CELLS - 1, Math.floor(us / Math.max(1, total) * BAR_CELLS));
  for (const { from, to, kind } of segments) {
    if (to > from || segments.length === 1) {
      cells.fill(CELL[kind], cellOf(from), Math.max(cellOf(from) + 1, cellOf(to)));
    }
  }
  return cells.join("");
}

export function historyText(updates: readonly UpdateSummary[]): string {
  if (updates.length === 0) return "No updates";
  return table([
    ["UPDATE", "STARTED", "FROM", "TO", "OUTCOME", "BLACKOUT", "TOTAL", "PARTICIPANTS", ""],
    ...updates.map(({ id, startedAt, from, to, outcome, blackout, total, participants, by, reason }) => [
      id.slice(0, 8),
      time(startedAt),
      from,
      to ?? "",
      outcome ?? "not over",
      blackout === undefined ? "" : duration(blackout),
      duration(total),
      String(participants),
      reason === undefined ? "" : by === undefined ? reason : `participant "${by}": ${reason}`,
    ]),
  ]);
}
