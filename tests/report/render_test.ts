/** The report as text, SVG and HTML: what it says, and that names and reasons stay text. */
import assert from "node:assert/strict";
import { markup } from "../../commands/output/markup.ts";
import { reportHtml } from "../../commands/output/report_html.ts";
import { duration, ticks } from "../../commands/output/report_rows.ts";
import { reportSvg } from "../../commands/output/report_svg.ts";
import { historyText, reportText } from "../../commands/output/report_text.ts";
import { summary, timeline } from "../../lib/report/timeline.ts";
import type { UpdateRecord } from "../../lib/schema/types.ts";
import { before, DONE, event, HOSTILE, record, VETO } from "./records.ts";

const report = (update: UpdateRecord) => ({ update, timeline: timeline(update) });
const text = (update: UpdateRecord) => reportText(report(update), (_, words) => words);
const UNDER_WAY = record([event("prepare", before(0), before(5)), event("freeze", before(6))], {
  state: "freezing",
  outcome: undefined,
});

Deno.test("text: numbers first, then every event with its bar", () => {
  const said = text(DONE);
  assert.match(said, /^Update 0b1c3a52 of 2026-11-26 03:40:00 UTC: 7\.3\.4 to 7\.4\.0, done\n/);
  assert.match(said, /^Blackout +3\.749 s, from the first freeze to the last workload that runs again$/m);
  assert.match(
    said,
    /^Kernel +2\.500 s: 1\.000 s from the reboot call to its clocks \(right to a second\), 1\.500 s of boot/m,
  );
  assert.match(said, /^Digests +3 files: 2 same, 1 changed$/m);
  assert.match(said, /^7\.251 s +639\.0 ms +─+ +vm-database$/m);
  assert.match(said, /^8\.000 s +2\.500 s +░+▓+ +kexec$/m);
  for (const line of said.split("\n")) assert.ok(line.length <= 120, line);
  assert.match(text(VETO), /^Because: participant "vm": the guest is busy$/m);
  assert.match(text(UNDER_WAY), /freezing\n[^]*freeze +not over$/m);
});

Deno.test("history: one line for each update", () => {
  const [head = "", first = "", second = ""] = historyText([DONE, VETO].map(summary)).split("\n");
  assert.match(head, /^UPDATE +STARTED +FROM +TO +OUTCOME +BLACKOUT +TOTAL +PARTICIPANTS$/);
  assert.match(first, /^0b1c3a52 +2026-11-26 03:40:00 UTC +7\.3\.4 +7\.4\.0 +done +3\.749 s +11\.500 s +2$/);
  assert.match(second, /failed +99\.0 ms +200\.0 ms +2 +participant "vm": the guest is busy$/);
  assert.equal(historyText([]), "No updates");
});

/** The elements and attributes that a page of ours has: whatever else comes up was injected. */
const ELEMENTS = new Set(
  ("html head meta title style body main header h1 h2 span p code section div i b bdi ul li table thead tbody tr th td footer " +
    "svg rect text line g").split(" "),
);
const ATTRIBUTES = new Set(
  ("lang charset name content http-equiv class style title role aria-label xmlns viewBox width height x y x1 x2 y1 y2 rx text-anchor")
    .split(" "),
);

/** Every tag of the page, with the names of its attributes. A quote or an angle bracket that was not escaped shows up here. */
function tags(page: string): { name: string; attributes: string[] }[] {
  const found = [];
  for (
    const [, name = "", rest = ""] of page.matchAll(/<([^\s/>!][^\s>]*)((?:\s+[\w-]+="[^"<>]*")*)\s*\/?>/g)
  ) {
    found.push({
      name,
      attributes: [...rest.matchAll(/([\w-]+)="/g)].map(([, attribute = ""]) => attribute),
    });
  }
  // Nothing else begins with an angle bracket.
  const opening = page.replace(/<!doctype html>/, "").match(/<(?!\/)/g)?.length;
  assert.equal(found.length, opening, "a tag that is not of the page's own form");
  return found;
}

for (const [name, update] of Object.entries({ DONE, VETO, HOSTILE, UNDER_WAY, empty: record([]) })) {
  for (
    const [form, render] of [["html", (of: ReturnType<typeof report>) => reportHtml(of, "0.2.0")], [
      "svg",
      reportSvg,
    ]] as const
  ) {
    Deno.test(`${form} of ${name}: only elements and attributes of luo's own, none of which can run anything`, () => {
      const page = render(report(update));
      for (const { name, attributes } of tags(page)) {
        assert.ok(ELEMENTS.has(name), name);
        for (const attribute of attributes) assert.ok(ATTRIBUTES.has(attribute), attribute);
      }
      assert.doesNotMatch(page, /NaN|Infinity|undefined|<script|\u202e/);
      assert.ok(!page.includes("\x1b"));
      assert.doesNotMatch(page, /\bsrc=|\bhref=|url\(|@import/);
      assert.ok(page.isWellFormed());
    });
  }
}

Deno.test("html: the page says what the text says", () => {
  const page = reportHtml(report(DONE), "0.2.0");
  for (
    const words of [
      "7.3.4 → 7.4.0",
      ">done<",
      "3.749 s",
      "vm-database",
      "2 of 3",
      "slabs",
      "changed",
      "luo 0.2.0",
    ]
  ) {
    assert.ok(page.includes(words), words);
  }
  assert.match(reportHtml(report(VETO), "1"), /participant &quot;vm&quot;: the guest is busy/);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
});

Deno.test("svg: bars lie inside of the picture, the blackout is shown once more when it is small", () => {
  const picture = reportSvg(report(record([...DONE.events, event("finish", before(0), before(1))])));
  const widths = [
    ...picture.matchAll(
      /<rect class="(?:phase|part|kernel|between)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g,
    ),
  ];
  assert.ok(widths.length >= 17);
  for (const [, x = "", width = ""] of widths) {
    assert.ok(Number(x) >= 190 && Number(x) + Number(width) <= 873);
  }
  assert.match(picture, />The blackout</);
});

Deno.test("a template escapes what is filled in, and nothing twice", () => {
  const inner = markup`<b>${"<&>\"'"}</b>`;
  assert.equal(
    markup`<p>${inner}${[inner, "x"]}${undefined}${7}</p>`.text,
    `<p>${"<b>&lt;&amp;&gt;&quot;&#39;</b>".repeat(2)}x7</p>`,
  );
});

Deno.test("durations and ticks", () => {
  const words = [0, 999, 1000, 999_949, 999_950, 59_999_499, 59_999_500, 125_000_000].map(duration);
  assert.deepEqual(words, [
    "0 µs",
    "999 µs",
    "1.0 ms",
    "999.9 ms",
    "1.000 s",
    "59.999 s",
    "1 min 00 s",
    "2 min 05 s",
  ]);
  assert.deepEqual(ticks({ from: 0, to: 11_500_000 }, 6).map(({ label }) => label), [
    "0",
    "2 s",
    "4 s",
    "6 s",
    "8 s",
    "10 s",
  ]);
  assert.deepEqual(ticks({ from: 100, to: 101 }, 6).map(({ label }) => label), [
    "0",
    "0.2 µs",
    "0.4 µs",
    "0.6 µs",
    "0.8 µs",
    "1 µs",
  ]);
  const zoomed = ticks({ from: 90, to: 210, zero: 100 }, 5);
  assert.deepEqual(zoomed.map(({ at, label }) => [at, label]), [[100, "0"], [150, "50 µs"], [200, "100 µs"]]);
});
