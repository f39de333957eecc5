/** Who is in the foreground of a terminal, by /proc/PID/stat. */
import assert from "node:assert/strict";
import { isForeground } from "../../lib/files/terminal.ts";

const cases: [name: string, stat: string, expected: boolean][] = [
  ["the foreground group of a terminal", "10 (luo) S 9 10 9 34816 10 4194304 0", true],
  ["a background group", "10 (luo) S 9 10 9 34816 77 4194304 0", false],
  ["no terminal", "10 (luo) S 9 10 9 0 -1 4194304 0", false],
  ["a name with spaces and parentheses", "10 (a) (b) S 1) S 9 10 9 34816 10 4194304 0", true],
  ["not a stat line", "", false],
];

for (const [name, stat, expected] of cases) {
  Deno.test(`foreground: ${name}`, () => assert.equal(isForeground(stat), expected));
}
