/** The report of a live update as one HTML page that needs nothing else: no scripts, no files, no network. */
import type { Answers } from "../../lib/schema/answer_types.ts";
import type { Timeline } from "../../lib/schema/report_types.ts";
import type { UpdateRecord } from "../../lib/schema/types.ts";
import { count, time } from "../base/text.ts";
import { type Content, Markup, markup } from "./markup.ts";
import {
  blackoutSpan,
  duration,
  isDark,
  kernelClause,
  type Row,
  rowsOf,
  type Span,
  ticks,
} from "./report_rows.ts";
import { REPORT_STYLE } from "./report_style.ts";
import { verdictText, why } from "./report_text.ts";

type Report = Answers["update report"];

/** @param version of luo, for the last line */
export function reportHtml({ update, timeline }: Report, version: string): string {
  const { from, to, outcome, state, id } = update;
  const releases = `${from.release}${to?.release === undefined ? "" : ` → ${to.release}`}`;
  const bad = outcome === "done" ? "" : "bad";
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark"><title>Live update ${releases}, ${
    time(timeline.startedAt)
  }</title>
<style>${new Markup(REPORT_STYLE)}</style></head><body><main>
<header><h1>Live update ${releases} <span class="outcome ${bad}">${outcome ?? state}</span></h1>
<p class="dim">${time(timeline.startedAt)}, update <code>${id}</code></p></header>
${alarm(update)}${tiles(update, timeline)}${charts(timeline)}${participants(timeline)}${verdicts(update)}${
    marks(timeline)
  }${notes(timeline)}${events(timeline)}
<footer>Written by luo ${version}. The times are those of the kernels' own clocks, joined at the kexec.</footer>
</main></body></html>
`.text;
}

function section(title: string, ...content: Content[]): Markup {
  return markup`<section><h2>${title}</h2>${content}</section>
`;
}

/** Failures come first. */
function alarm(update: UpdateRecord): Markup | undefined {
  const { reason, losses = [] } = update;
  if (reason === undefined && losses.length === 0) return undefined;
  const lost = losses.map((loss) => markup`<p class="bad">Lost: ${loss}</p>`);
  return markup`<section class="alarm">${
    reason === undefined ? undefined : markup`<p><b>${why(update)}</b></p>`
  }${lost}</section>
`;
}

function tiles({ participants, verdicts = [] }: UpdateRecord, { blackout, kernel, total }: Timeline): Markup {
  const tile = (value: string, what: string) =>
    markup`<div class="tile"><b>${value}</b><span>${what}</span></div>`;
  return markup`<div class="tiles">${[
    blackout === undefined ? tile("none", "blackout: nothing was frozen") : tile(
      duration(blackout.to - blackout.from),
      blackout.over
        ? "blackout, from the first freeze to the last workload that runs again"
        : "blackout, which is not over",
    ),
    ...kernel === undefined
      ? []
      : [tile(duration(kernel.to - kernel.from), `the kernel's share: ${kernelClause(kernel)}`)],
    tile(duration(total), "in all"),
    tile(String(participants.length), participants.length === 1 ? "participant" : "participants"),
    ...verdicts.length === 0 ? [] : [tile(
      `${verdicts.filter(({ verdict }) => verdict === "same").length} of ${verdicts.length}`,
      "files are the same, by their digests",
    )],
  ]}</div>
`;
}

function charts(timeline: Timeline): Markup {
  const rows = rowsOf(timeline);
  const dark = blackoutSpan(timeline);
  const whole = { from: 0, to: Math.max(1, timeline.total) };
  const closer = dark &&
    section("The blackout", chart(rows.filter(isDark(timeline)), dark, timeline.blackout));
  return markup`${
    section("The update", chart(rows, whole, timeline.blackout), key(rows, timeline))
  }${closer}`;
}

function chart(rows: readonly Row[], span: Span, dark: Span | undefined): Markup {
  const share = (us: number) =>
    (Math.min(span.to, Math.max(span.from, us)) - span.from) / (span.to - span.from) * 100;
  const box = (kind: string, { from, to }: Span) => {
    const left = share(from);
    return markup`<i class="${kind}" style="left:${left.toFixed(3)}%;width:${
      (share(to) - left).toFixed(3)
    }%"></i>`;
  };
  const marks = ticks(span, 6);
  const background = [
    ...marks.map(({ at }) => markup`<i class="grid" style="left:${share(at).toFixed(3)}%"></i>`),
    ...dark === undefined ? [] : [box("dark", dark)],
  ];
  const labels = marks.map(({ at, label }, index) => {
    const kind = index === 0 ? "first" : share(at) > 95 ? "last" : index % 2 === 1 ? "odd" : "";
    return markup`<span class="${kind}" style="left:${share(at).toFixed(3)}%">${label}</span>`;
  });
  const lines = rows.map((row) => {
    const bars = row.segments.filter(({ from, to }) => to >= span.from && from <= span.to)
      .map(({ from, to, kind }) => box(`bar ${kind}`, { from, to }));
    const remark = row.remark === undefined ? "" : `, ${row.remark}`;
    return markup`<div class="row ${
      row.isPart ? "of" : ""
    }" title="${row.label}: ${row.took}${remark}"><span class="name"><bdi>${row.label}</bdi></span><span class="track">${background}${bars}</span><span class="took">${row.took}</span></div>
`;
  });
  return markup`<div role="img" aria-label="Chart of ${
    count(rows.length, "event")
  }; the table below has the numbers">
${lines}<div class="row axis"><span class="name"></span><span class="track">${labels}</span><span class="took"></span></div></div>`;
}

const KINDS: readonly (readonly [kind: string, what: string])[] = [
  ["phase", "a phase"],
  ["part", "a participant's part in it"],
  ["failed", "failed"],
  ["open", "not over"],
  ["between", "reboot call to the next kernel's clocks"],
  ["kernel", "boot"],
];

/** The colours that the chart has. */
function key(rows: readonly Row[], { blackout }: Timeline): Markup {
  const used = new Set<string>(rows.flatMap(({ segments }) => segments.map(({ kind }) => kind)));
  const entries = [
    ...KINDS.filter(([kind]) => used.has(kind)),
    ...blackout === undefined ? [] : [["dark", "the blackout"]],
  ];
  return markup`<div class="key">${
    entries.map(([kind, what]) => markup`<span><i class="${kind}"></i>${what}</span>`)
  }</div>`;
}

function participants({ participants }: Timeline): Markup | undefined {
  if (participants.length === 0) return undefined;
  const rows = participants.map(({ name, from, to }) => {
    const took = from === undefined
      ? "was not frozen"
      : to === undefined
      ? "does not run again yet"
      : duration(to - from);
    return [markup`<bdi>${name}</bdi>`, took];
  });
  return section(
    "Blackout of each participant",
    tableOf(["Participant", "Its freeze until it runs again"], rows, [1]),
  );
}

function verdicts({ verdicts = [] }: UpdateRecord): Markup | undefined {
  if (verdicts.length === 0) return undefined;
  const others = verdicts.filter(({ verdict }) => verdict !== "same").map((
    { session, token, label, verdict, reason },
  ) => [
    markup`<bdi>${session}</bdi>`,
    token,
    label,
    verdict,
    reason,
  ]);
  const hasReasons = verdicts.some(({ verdict, reason }) => verdict !== "same" && reason !== undefined);
  const head = ["Session", "Token", "Label", "Verdict", ...hasReasons ? ["Reason"] : []];
  const table = others.length === 0 ? undefined : tableOf(head, others, []);
  return section("Digests", markup`<p>${verdictText(verdicts)}</p>`, table);
}

function marks({ marks }: Timeline): Markup | undefined {
  if (marks.length === 0) return undefined;
  return section(
    "What systemd noted",
    tableOf(["Moment", "At"], marks.map(({ name, at }) => [name, duration(at)]), [1]),
  );
}

function notes({ notes }: Timeline): Markup | undefined {
  if (notes.length === 0) return undefined;
  return section("Notes", markup`<ul>${notes.map((note) => markup`<li>${note}</li>`)}</ul>`);
}

function events({ bars }: Timeline): Markup {
  const hasReasons = bars.some(({ reason }) => reason !== undefined);
  const rows = bars.map(({ event, participant, from, to, outcome, reason }) => [
    duration(from),
    to === undefined ? "" : duration(to - from),
    event,
    participant === undefined ? undefined : markup`<bdi>${participant}</bdi>`,
    outcome ?? (to === undefined ? "not over" : "done"),
    reason,
  ]);
  const head = ["Start", "Took", "Event", "Participant", "Outcome", ...hasReasons ? ["Reason"] : []];
  return section("Every event", tableOf(head, rows, [0, 1]));
}

const MANY_COLUMNS = 4;

function tableOf(
  head: readonly string[],
  rows: readonly (readonly Content[])[],
  numbers: readonly number[],
): Markup {
  const kind = (at: number) => {
    if (head[at] === "Reason") return "wide reason";
    return numbers.includes(at) ? "number" : at === head.length - 1 ? "wide" : "";
  };
  // On a phone there is no room for so many columns: a reason has a line of its own there.
  const many = head.filter((cell) => cell !== "Reason").length >= MANY_COLUMNS;
  return markup`<div class="scroll"><table class="${many ? "many" : ""}"><thead><tr>${
    head.map((cell, at) => markup`<th class="${kind(at)}">${cell}</th>`)
  }</tr></thead><tbody>
${
    rows.map((row) =>
      markup`<tr>${head.map((_, at) => markup`<td class="${kind(at)}">${row[at]}</td>`)}</tr>
`
    )
  }</tbody></table></div>`;
}
