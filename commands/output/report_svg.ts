/** The chart of a live update as one SVG picture. */
import type { Answers } from "../../lib/schema/answer_types.ts";
import { Markup, markup } from "./markup.ts";
import { blackoutSpan, duration, isDark, type Row, rowsOf, type Span, ticks } from "./report_rows.ts";
import { titleOf } from "./report_text.ts";

const WIDTH = 960;
const LEFT = 190;
const RIGHT = 90;
const ROW = 24;
const AXIS = 28;
const TITLE = 40;
const LABEL_CHARACTERS = 26;

const STYLE = `
.page{fill:#fff}.text{fill:#1d2530;font:13px system-ui,sans-serif}.title{font-weight:600;font-size:15px}.dim{fill:#5d6a7a;font-size:12px}
.grid{stroke:#e3e8ee}.dark{fill:#20304a;opacity:.09}.phase{fill:#4a76c9}.part{fill:#3a9d8f}.failed{fill:#c9403a}.open{fill:#b98a2b}
.kernel{fill:#c9762b}.between{fill:#e4b98f}
@media(prefers-color-scheme:dark){.page{fill:#12171f}.text{fill:#e6ebf2}.dim{fill:#94a2b5}.grid{stroke:#2a3340}.dark{fill:#b9cdf0;opacity:.12}
.phase{fill:#6d97e8}.part{fill:#4fbcac}.failed{fill:#ef6b64}.open{fill:#dcae4f}.kernel{fill:#eb9a4d}.between{fill:#7d5a3a}}`;

/** The whole update, and its blackout once more when that is too small to be seen there. */
export function reportSvg({ update, timeline }: Answers["update report"]): string {
  const rows = rowsOf(timeline);
  const whole: Span = { from: 0, to: Math.max(1, timeline.total) };
  const dark = blackoutSpan(timeline);
  const first = plot(rows, whole, timeline.blackout, TITLE);
  const second = dark && plot(rows.filter(isDark(timeline)), dark, timeline.blackout, first.end + TITLE);
  const end = (second ?? first).end + 8;
  const title = titleOf(update, timeline);
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${end}" width="${WIDTH}" height="${end}" role="img">
<title>${title}</title><style>${new Markup(
    STYLE,
  )}</style><rect class="page" width="${WIDTH}" height="${end}"/>
<text class="text title" x="12" y="24">${title}</text>
${first.markup}${
    second && markup`<text class="text title" x="12" y="${first.end + 24}">The blackout</text>
${second.markup}`
  }</svg>
`.text;
}

function plot(rows: readonly Row[], span: Span, dark: Span | undefined, top: number) {
  const end = top + rows.length * ROW + AXIS;
  const scale = (WIDTH - LEFT - RIGHT) / (span.to - span.from);
  const x = (us: number) => round(LEFT + (Math.min(span.to, Math.max(span.from, us)) - span.from) * scale);
  const band = dark &&
    markup`<rect class="dark" x="${x(dark.from)}" y="${top}" width="${
      round(Math.max(1, x(dark.to) - x(dark.from)))
    }" height="${end - top - AXIS}"><title>The blackout: ${duration(dark.to - dark.from)}</title></rect>`;
  return {
    end,
    markup: markup`${axis(span, x, top, end)}${band}${
      rows.map((row, at) => line(row, span, x, top + at * ROW))
    }`,
  };
}

function axis(span: Span, x: (us: number) => number, top: number, end: number): Markup[] {
  return ticks(span, 8).map(({ at, label }) =>
    markup`<line class="grid" x1="${x(at)}" x2="${x(at)}" y1="${top}" y2="${end - AXIS + 4}"/>
<text class="text dim" x="${x(at)}" y="${end - 8}" text-anchor="middle">${label}</text>`
  );
}

function line(row: Row, span: Span, x: (us: number) => number, y: number): Markup {
  const bars = row.segments.filter(({ from, to }) => to >= span.from && from <= span.to).map((
    { from, to, kind },
  ) =>
    markup`<rect class="${kind}" x="${x(from)}" y="${y + 5}" width="${
      round(Math.max(2, x(to) - x(from)))
    }" height="14" rx="2"/>`
  );
  const remark = row.remark === undefined ? "" : `, ${row.remark}`;
  return markup`<g><title>${row.label}: ${row.took}${remark}</title>
<text class="text" x="${row.isPart ? 28 : 12}" y="${y + 17}">${shortened(row.label)}</text>${bars}
<text class="text dim" x="${WIDTH - RIGHT + 8}" y="${y + 17}">${row.took}</text></g>
`;
}

function shortened(text: string): string {
  const letters = [...text];
  return letters.length <= LABEL_CHARACTERS ? text : `${letters.slice(0, LABEL_CHARACTERS - 1).join("")}…`;
}

function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}
