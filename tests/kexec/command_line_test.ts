/** lib/kexec/command_line.ts: the words of a kernel command line, building one, its switches and its problems. */
import assert from "node:assert/strict";
import { builtInLine } from "../../lib/kexec/built_in_line.ts";
import type { Architecture } from "../../lib/kexec/file_kind.ts";
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
  Deno.test(`the line ${JSON.stringify(line)} is split into its words`, () => {
    assert.deepEqual(
      parseCommandLine(line).map(({ name, value }) => [name, value]),
      words.map(([n, v]) => [n, v]),
    );
  });
}

Deno.test("every word is a part of the line, and only spaces are between words", () => {
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
  [{ running, reuse: true, append: "kho=on quiet" }, 'root=/dev/vda "a=b c" liveupdate=on kho=on quiet'],
  [
    { running, reuse: true, append: "initrd=/x BOOT_IMAGE=/y" },
    'root=/dev/vda "a=b c" liveupdate=on kho=on initrd=/x BOOT_IMAGE=/y',
  ],
  [{ running, commandLine: "lu=on lu=off", append: "lu=on" }, "lu=on lu=off lu=on"],
  [{ running, commandLine: "lu=on lu=off lu=on", append: "lu=on" }, "lu=on lu=off lu=on"],
  [{ running, commandLine: "a=1 b=2", append: "a=1" }, "a=1 b=2"],
  [{ running, commandLine: "console=a console=b", append: "console=a console=b" }, "console=a console=b"],
  [{ running, commandLine: "console=a console=b", append: "console=a" }, "console=a console=b console=a"],
  [{ running, commandLine: "kho-x=1 kho_x=2", append: "kho-x=1" }, "kho-x=1 kho_x=2 kho-x=1"],
  [{ running, commandLine: "a -- single", append: "liveupdate=on" }, "a liveupdate=on -- single"],
  [{ running, commandLine: "a -- single", append: "b -- single" }, "a b -- single"],
  [{ running, commandLine: "a -- b", append: "b" }, "a b -- b"],
  [{ running, commandLine: 'a="open end', append: "b" }, 'a="open end" b'],
  [{ running }, ""],
] as const;
for (const [choice, line] of BUILT) {
  Deno.test(`the choice ${JSON.stringify({ ...choice, running: undefined })} gives ${JSON.stringify(line)}`, () => {
    assert.equal(buildCommandLine(choice), line);
  });
}

const WORD = fc.constantFrom("a", "a=1", "a=2", "b-c=1", "b_c=1", "--", '"q=x y"', "initrd=/i", '"', "x");
const LINE = fc.array(WORD, { maxLength: 8 }).map((words) => words.join(" "));

Deno.test("a line that is reused and extended with the same words does not change after the first update", () => {
  fc.assert(fc.property(LINE, LINE, (boot, append) => {
    const first = buildCommandLine({ running: boot, reuse: true, append });
    let running = first;
    for (let update = 2; update <= 5; update++) {
      running = buildCommandLine({ running, reuse: true, append });
      assert.equal(running, first);
    }
  }));
});

Deno.test("the last word of each added name is the added one", () => {
  fc.assert(fc.property(LINE, LINE, (boot, append) => {
    const kernelWords = (line: string) => {
      const words = parseCommandLine(line).map(({ name, text }) =>
        [name.replaceAll("-", "_"), text] as const
      );
      const end = words.findIndex(([name]) => name === "__");
      return new Map(end < 0 ? words : words.slice(0, end));
    };
    // An open quote includes the rest of the line, so the added words change.
    fc.pre(!append.split(" ").includes('"'));
    const built = kernelWords(buildCommandLine({ running: boot, reuse: true, append }));
    for (const [name, text] of kernelWords(append)) assert.equal(built.get(name), text);
  }));
});

/** Every line was tried on Linux 7.3.4, some alone and some after `liveupdate=off`. */
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
  Deno.test(`the switch liveupdate is ${is} after ${words}`, () =>
    assert.equal(readSwitch(parseCommandLine(words), "liveupdate"), is));
}

const good = "liveupdate=on kho=on";

/** By the options of the image: x86 puts its own words first, or takes no others; arm64 takes its own alone, or none of them. */
const BUILT_IN: readonly (readonly [
  machine: Architecture,
  options: Readonly<Record<string, string>>,
  next: string,
  codes: string[],
])[] = [
  ["x86_64", { CONFIG_CMDLINE_BOOL: "y", CONFIG_CMDLINE: good }, "quiet", []],
  ["x86_64", { CONFIG_CMDLINE_BOOL: "y", CONFIG_CMDLINE: "liveupdate=off" }, good, []],
  ["x86_64", { CONFIG_CMDLINE_BOOL: "y", CONFIG_CMDLINE: good }, "liveupdate=off", ["liveupdate_off"]],
  ["x86_64", { CONFIG_CMDLINE: good }, "kho=on", ["liveupdate_off"]],
  [
    "x86_64",
    { CONFIG_CMDLINE_BOOL: "y", CONFIG_CMDLINE_OVERRIDE: "y", CONFIG_CMDLINE: "quiet" },
    good,
    ["liveupdate_off"],
  ],
  ["x86_64", { CONFIG_CMDLINE_BOOL: "y", CONFIG_CMDLINE_OVERRIDE: "y", CONFIG_CMDLINE: good }, "quiet", []],
  // The words at the end are cut off.
  ["x86_64", { CONFIG_CMDLINE_BOOL: "y", CONFIG_CMDLINE: "x".repeat(2040) }, good, ["liveupdate_off"]],
  ["aarch64", { CONFIG_CMDLINE: "liveupdate=off" }, good, []],
  ["aarch64", { CONFIG_CMDLINE: "quiet", CONFIG_CMDLINE_FORCE: "y" }, good, ["liveupdate_off"]],
];
for (const [machine, options, next, codes] of BUILT_IN) {
  Deno.test(`${machine} with ${JSON.stringify(options).slice(0, 100)}, given ${next}: ${codes.join(", ") || "no problem"}`, () => {
    const builtIn = builtInLine((name) => options[name], machine);
    assert.deepEqual(commandLineProblems(next, "", undefined, builtIn).map(({ code }) => code), codes);
  });
}

const PROBLEMS: readonly (readonly [next: string, running: string, codes: string[]])[] = [
  [good, "", []],
  ["liveupdate=on", "", []],
  ["liveupdate=on", "liveupdate=on", []],
  ["liveupdate=on", good, ["kho_off"]],
  ["liveupdate=on kho=off", "", ["kho_off"]],
  ["kho=on", "", ["liveupdate_off"]],
  ["kho=on liveupdate=off", "", ["liveupdate_off"]],
  ["", good, ["liveupdate_off", "kho_off"]],
  [`${good} `.padEnd(2015, "x") + "é", good, ["too_long"]],
  [`${good} a\0b`, good, ["has_nul"]],
];
for (const [next, before, codes] of PROBLEMS) {
  const shown = next.length > 60 ? `${next.length} characters` : JSON.stringify(next);
  Deno.test(`the line ${shown} after ${JSON.stringify(before)} has the problems: ${codes.join(", ") || "none"}`, () => {
    assert.deepEqual(commandLineProblems(next, before).map(({ code }) => code), codes);
  });
}

const LONGEST = { x86_64: 2016, aarch64: 2047 } as const;
for (const machine of ["x86_64", "aarch64"] as const) {
  Deno.test(`the longest command line of ${machine} has ${LONGEST[machine]} bytes`, () => {
    const codes = [0, 1].map((more) => {
      const line = `${good} `.padEnd(LONGEST[machine] + more, "x");
      return commandLineProblems(line, good, undefined, undefined, machine).map(({ code }) => code);
    });
    assert.deepEqual(codes, [[], ["too_long"]]);
  });
}
