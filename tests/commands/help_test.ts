/** Help and the manual page: 80 columns, no escape sequence as text, and every option and argument explained. */
import assert from "node:assert/strict";
import { runLine } from "../../commands/program/application.ts";
import { plain } from "../../commands/base/text.ts";
import { manPages } from "../../commands/help/man_page.ts";
import { routeTree } from "../../commands/help/route_tree.ts";
import { definitions, fill, wrapText } from "../../commands/help/wrap.ts";
import { routes } from "../../commands/program/routes.ts";
import { COMMAND_FILES } from "../../commands/program/route_to.ts";

const tree = routeTree(routes);

async function help(path: readonly string[]): Promise<string> {
  let out = "";
  const stream = { write: (text: string) => void (out += text) };
  const outside = {
    process: { stdout: stream, stderr: stream },
    settings: {},
    mainModule: "",
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    paint: plain,
  };
  assert.equal(await runLine([...path, "--help"], outside), 0);
  return out;
}

function tooWide(text: string): string[] {
  return text.split("\n").filter((line) => line.length > 80);
}

const paths = [
  ...tree.groups.map(({ path }) => path),
  ...Object.keys(COMMAND_FILES).map((typed) => typed.split(" ")),
];

Deno.test("every --help fits 80 columns and has no escape sequence as text", async (t) => {
  for (const path of paths) {
    await t.step(`luo ${path.join(" ")}`, async () => {
      const text = await help(path);
      assert.deepEqual(tooWide(text), []);
      assert.doesNotMatch(text, /\\n|\\t|\\x|undefined/);
      assert.match(text, /^USAGE\n {2}luo /);
    });
  }
});

Deno.test("the help of a command explains each of its options and arguments", async () => {
  for (const { path, flags, positional } of tree.commands) {
    const options = (await help(path)).split("\nOPTIONS\n")[1] ?? "";
    for (const { name, brief } of flags) {
      assert.ok(options.includes(`--${name}`), `${path}: ${name}`);
      assert.ok(options.replace(/\s+/g, " ").includes(brief), `${path}: ${brief}`);
    }
    for (const placeholder of positional) assert.ok(options.includes(placeholder), placeholder);
  }
});

Deno.test("luo without a command, and a group without one, show their help", async () => {
  const top = await help([]);
  for (const { path } of tree.groups) assert.ok(top.includes(path[0] ?? "luo"));
  assert.match(top, /EXIT CODES\n {2}0 +done\n/);
  assert.match(await help(["session"]), /COMMANDS\n {2}create /);
});

/** The text of a line of the page; control lines such as `.TP` have none, and `.B` has its words. */
function rendered(line: string): string {
  return line.replace(/^\.(?:B|I|SS|SH) /, "").replace(/^\.[A-Z].*/, "").replaceAll("\\-", "-")
    .replaceAll("\\e", "\\").replace(/^\\&/, "");
}

Deno.test("the manual fits 80 columns: 73, and man's indentation of 7", () => {
  const page = manPages(tree).map(({ text }) => text).join("\n");
  const unfilled = page.split(/^\.nf$/m).slice(1).map((part) => part.split(/^\.fi$/m)[0] ?? "");
  assert.ok(unfilled.length > tree.commands.length);
  const lines = unfilled.join("\n").split("\n").map(rendered);
  assert.deepEqual(lines.filter((line) => line.length > 73), []);
  assert.doesNotMatch(page.replaceAll("\\e", ""), /\\n/);
});

Deno.test("wrapping: paragraphs are filled, indented lines and ends of paragraphs stay", () => {
  assert.equal(wrapText("one two\nthree\n\nfour", 9), "one two\nthree\n\nfour");
  assert.equal(wrapText("one two\nthree", 80), "one two three");
  assert.equal(wrapText("list:\n  a  b\nend", 80), "list:\n  a  b\nend");
  assert.deepEqual(fill(["aa", "bb", "cc"], 5, "  "), ["aa bb", "  cc"]);
  assert.deepEqual(fill(["longer-than-that"], 5), ["longer-than-that"]);
  assert.deepEqual(definitions([["-a", "x"], ["--bcd", "y"]]), ["  -a     x", "  --bcd  y"]);
});
