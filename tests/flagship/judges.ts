/** What the stories of the examples must have shown. Each judge throws when it was something else. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Line, Told } from "./told_story.ts";

const VETO = /participant "backup" said no at freeze/;

/** The words of a line, by kernel. `/^web: visit (\d+)/` finds `kernel 1: web: visit 7`. */
function said({ lines }: Told, kernel: number, pattern: RegExp): string[] {
  const words = `kernel ${kernel}: `;
  return lines.filter(({ text }) => text.startsWith(words)).flatMap(({ text }) =>
    text.slice(words.length).match(pattern)?.[1] ?? []
  );
}

/** Every story: it came to its end, and the first update was refused. */
function ended({ code, errors, lines }: Told): void {
  equal(code, 0, `the story ended with ${code} after: ${lines.at(-1)?.text}`);
  match(errors, VETO);
}

interface Round {
  readonly kernel: number;
  readonly round: number;
  readonly errors: number;
  readonly at_ms: number;
}

const ROUND = /^kernel (\d), guest: round (\d+) errors (\d+)$/;

function rounds(lines: readonly Line[]): Round[] {
  return lines.flatMap(({ text, at_ms }) => {
    const [, kernel, round, errors] = text.match(ROUND) ?? [];
    return round === undefined
      ? []
      : [{ kernel: Number(kernel), round: Number(round), errors: Number(errors), at_ms }];
  });
}

/** The guest did every round once, found no page of its memory wrong, and went on in the next kernel. */
export function virtualMachine(told: Told): string {
  ended(told);
  const all = rounds(told.lines);
  deepEqual(all.map(({ round }) => round), all.map((_, index) => index + 1));
  deepEqual(all.filter(({ errors }) => errors > 0), []);
  const [before, after] = [1, 2].map((kernel) => all.filter((one) => one.kernel === kernel));
  ok(before !== undefined && before.length >= 20);
  ok(after !== undefined && after.length >= 20);
  const blackout = (after[0]?.at_ms ?? 0) - (before.at(-1)?.at_ms ?? 0);
  return `${before.length} rounds before and ${after.length} after a blackout of ${
    seconds(blackout)
  }, the memory unchanged`;
}

/** Every key has its value after the refused update and in the next kernel. */
export function memcached(told: Told): string {
  ended(told);
  const every = ["20000 of 20000"];
  const pattern = /^(\d+ of \d+) keys are there, each with its value$/;
  deepEqual([said(told, 1, pattern), said(told, 2, pattern)], [every, every]);
  return "20000 of 20000 keys, each with its value";
}

/** The web server counts every visit in one process; the shell counts on in one process. */
export function anyProcess(told: Told): string {
  ended(told);
  const visits = [1, 2].flatMap((kernel) => said(told, kernel, /^web: (visit \d+ at process \d+)$/));
  const process = visits[0]?.match(/\d+$/)?.[0];
  deepEqual(visits, [1, 2, 3].map((visit) => `visit ${visit} at process ${process}`));
  const counts = [1, 2].flatMap((kernel) => said(told, kernel, /^shell: count (\d+) at process \d+$/)).map(
    Number,
  );
  equal(counts.length, 3);
  deepEqual(counts, counts.toSorted((a, b) => a - b));
  equal(new Set(counts).size, 3, "the shell counts");
  const shells = [1, 2].flatMap((kernel) => said(told, kernel, /^shell: count \d+ at process (\d+)$/));
  equal(new Set(shells).size, 1);
  return `web server: ${visits.at(-1)}; shell: ${counts.join(", ")}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
