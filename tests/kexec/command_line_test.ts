import assert from "node:assert/strict";
import fc from "fast-check";
import {
  buildCommandLine,
  commandLineProblems,
  parseCommandLine,
  readSwitch,
} from "../../lib/kexec/command_line.ts";

const WORDS: readonly (readonly [line: string, words: (readonly [name: string, value?: string])[]])[] = [
  ["", []],
  ["  ro   quiet\n", [["ro"], ["quiet"]]],
  ["root=/dev/sda1 a=b=c", [["root", "/dev/sda1"], ["a", "b=c"]]],
  ['dyndbg="file a.c +p" x', [["dyndbg", "file a.c +p"], ["x"]]],
  ['"dyndbg=file a.c +p" x', [["dyndbg", "file a.c +p"], ["x"]]],
  ['a="open end', [["a", "open end"]]],
  ["empty= =odd", [["empty", ""], ["=odd"]]],
];
for (const [line, words] of WORDS) {
  Deno.test(`words of ${JSON.stringify(line)}`, () => {
    assert.deepEqual(
      parseCommandLine(line).map(({ name, value }) => [name, value]),
      words.map(([n, v]) => [n, v]),
    );
  });
}

Deno.test("every word stands in the line as it was", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", "=", '"', " ", "-", "\t") }), (line) => {
    let from = 0;
    for (const { text } of parseCommandLine(line)) {
      const at = line.indexOf(text, from);
      assert.ok(at >= from && line.slice(from, at).trim() === "");
      from = at + text.length;
    }
    assert.equal(line.slice(from).trim(), "");
  }));
});

const running = 'BOOT_IMAGE=/vmlinuz root=/dev/vda "a=b c" initrd=/initrd.img liveupdate=on kho=on';
const BUILT = [
  [{ running, reuse: true }, 'root=/dev/vda "a=b c" liveupdate=on kho=on'],
  [{ running, reuse: true, append: " x=1 " }, 'root=/dev/vda "a=b c" liveupdate=on kho=on x=1'],
  [{ running, append: "x=1" }, "x=1"],
  [{ running, commandLine: "a b", reuse: true, append: "c" }, "a b c"],
  [{ running }, ""],
] as const;
for (const [choice, line] of BUILT) {
  Deno.test(`built: ${JSON.stringify({ ...choice, running: undefined })}`, () => {
    assert.equal(buildCommandLine(choice), line);
  });
}

/** Each seen on Linux 7.3.4, some behind `liveupdate=off`, where the default then shows, some alone. */
const SWITCHES: readonly (readonly [words: string, is: boolean | undefined])[] = [
  ["liveupdate=on", true],
  ["liveupdate=1", true],
  ["liveupdate=y", true],
  ["liveupdate=true", true],
  ["liveupdate=oNx", true],
  ['liveupdate="on"', true],
  ['"liveupdate=on"', true],
  ["liveupdate=ON", true],
  ["liveupdate=enable", true],
  ['liveupdate=on"', true],
  ["liveupdate=disable", false],
  ["liveupdate=2", undefined],
  ["LIVEUPDATE=on", undefined],
  ["live-update=on", undefined],
  ["liveupdate=off", false],
  ["liveupdate=of", false],
  ["liveupdate=0", false],
  ["liveupdate", undefined],
  ["liveupdate=", undefined],
  ["liveupdate=o", undefined],
  ["liveupdate=x", undefined],
  ["liveupdate=on liveupdate=off", false],
  ["liveupdate=off liveupdate=on", true],
  ["liveupdate=on liveupdate", true],
  ["liveupdate=off -- liveupdate=on", false],
  ['liveupdate=off "--" liveupdate=on', false],
  ['x="a liveupdate=on', undefined],
];
for (const [words, is] of SWITCHES) {
  Deno.test(`switch: ${words}`, () => assert.equal(readSwitch(parseCommandLine(words), "liveupdate"), is));
}

const good = "liveupdate=on kho=on";
const PROBLEMS: readonly (readonly [next: string, running: string, codes: string[]])[] = [
  [good, "", []],
  ["liveupdate=on", "", []],
  ["liveupdate=on", "liveupdate=on", []],
  ["liveupdate=on", good, ["kho_off"]],
  ["liveupdate=on kho=off", "", ["kho_off"]],
  ["kho=on", "", ["liveupdate_off"]],
  ["kho=on liveupdate=off", "", ["liveupdate_off"]],
  ["", good, ["liveupdate_off", "kho_off"]],
  [`${good} `.padEnd(2016, "x"), good, []],
  [`${good} `.padEnd(2017, "x"), good, ["too_long"]],
  [`${good} `.padEnd(2015, "x") + "é", good, ["too_long"]],
  [`${good} a\0b`, good, ["has_nul"]],
];
for (const [next, before, codes] of PROBLEMS) {
  const shown = next.length > 60 ? `${next.length} characters` : JSON.stringify(next);
  Deno.test(`problems of ${shown} after ${JSON.stringify(before)}: ${codes.join(", ") || "none"}`, () => {
    assert.deepEqual(commandLineProblems(next, before).map(({ code }) => code), codes);
  });
}
