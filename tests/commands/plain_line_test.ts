/** Command lines that are read without the parser: the parser would read them in the same way. */
import assert from "node:assert/strict";
import { buildApplication, buildRouteMap, type Command, run } from "@stricli/core";
import type { Context } from "../../commands/base/context.ts";
import { plainArguments } from "../../commands/program/plain_line.ts";
import { lastWins } from "../../commands/program/repeated_flags.ts";
import { COMMAND_FILES } from "../../commands/program/route_to.ts";

const LINES: readonly (readonly string[])[] = [
  [],
  ["--json"],
  ["vm1"],
  ["vm1", "--json"],
  ["--json", "vm1"],
  ["vm1", "7"],
  ["vm1", "0x7", "--json", "--json"],
  ["vm1", "7", "more"],
  ["7", "vm1"],
  [" "],
];

const context = { process: { stdout: { write() {} }, stderr: { write() {} } } } as Partial<
  Context
> as Context;

/** What stricli gives to the command's function; undefined when it refuses the words. */
async function byStricli(
  command: Command<Context>,
  words: readonly string[],
): Promise<unknown[] | undefined> {
  let seen: unknown[] | undefined;
  const loader = () => Promise.resolve((...args: unknown[]) => void (seen = args));
  const watched: Command<Context> = Object.create(command, { loader: { value: loader } });
  const routes = buildRouteMap<string, Context>({ docs: { brief: "" }, routes: { it: watched } });
  const application = buildApplication<Context>(routes, {
    name: "luo",
    scanner: { caseStyle: "allow-kebab-for-camel" },
  });
  await run(application, ["it", ...lastWins(words, command.parameters.flags ?? {})], {
    ...context,
    process: { ...context.process },
  });
  return seen;
}

Deno.test("plain lines: every line that is read without the parser, the parser reads in the same way", async () => {
  const read = new Set<string>();
  for (const [name, load] of Object.entries(COMMAND_FILES)) {
    const { command } = await load();
    for (const words of LINES) {
      const plainly = plainArguments(command.parameters, words, context);
      if (plainly === undefined) continue;
      read.add(name);
      assert.deepEqual(plainly, await byStricli(command, words), `luo ${name} ${words.join(" ")}`);
    }
  }
  for (
    const name of ["status", "session list", "session create", "session close", "file list", "get", "drop"]
  ) {
    assert.ok(read.has(name), `luo ${name} needs the parser`);
  }
});

const others: { what: string; words: readonly string[] }[] = [
  { what: "an option", words: ["vm1", "--keep"] },
  { what: "an option with its value", words: ["vm1", "--socket=/s"] },
  { what: "--json with a value", words: ["vm1", "--json=true"] },
  { what: "the end of options", words: ["--", "vm1"] },
  { what: "a word that begins with a dash", words: ["-1"] },
  { what: "an empty word", words: [""] },
  { what: "too few words", words: [] },
  { what: "too many words", words: ["vm1", "vm2"] },
];
for (const { what, words } of others) {
  Deno.test(`plain lines: ${what} is left to the parser`, async () => {
    const { command } = await import("../../commands/session_create.ts");
    assert.equal(plainArguments(command.parameters, words, context), undefined);
  });
}
