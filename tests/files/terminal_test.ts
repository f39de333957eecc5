/** lib/files/terminal.ts: whether a process is in the foreground of a terminal, by /proc/PID/stat. */
import assert from "node:assert/strict";
import { isForeground } from "../../lib/files/terminal.ts";

const cases: [name: string, stat: string, expected: boolean][] = [
  ["a process of the terminal's foreground group", "10 (luo) S 9 10 9 34816 10 4194304 0", true],
  ["a process of a background group", "10 (luo) S 9 10 9 34816 77 4194304 0", false],
  ["a process without a terminal", "10 (luo) S 9 10 9 0 -1 4194304 0", false],
  ["a program whose name has spaces and parentheses", "10 (a) (b) S 1) S 9 10 9 34816 10 4194304 0", true],
  ["an empty stat line", "", false],
];

for (const [name, stat, expected] of cases) {
  Deno.test(`${name} is ${expected ? "" : "not "}in the foreground`, () =>
    assert.equal(isForeground(stat), expected));
}
