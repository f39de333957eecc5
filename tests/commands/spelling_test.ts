/** Command lines as kexec-tools takes them: a flag that is given twice, and verbs that are flags. */
import assert from "node:assert/strict";
import { withKexecVerb } from "../../commands/arguments/kexec_spelling.ts";
import { lastWins } from "../../commands/program/repeated_flags.ts";
import { withValuesApart } from "../../commands/program/values_apart.ts";
import { command as load } from "../../commands/kexec_load.ts";
import { command as preserve } from "../../commands/file_preserve.ts";
import { Cli } from "./cli.ts";

Deno.test("of a flag that is given twice the last one counts, and --initrd collects", async (t) => {
  const flags = load.parameters.flags ?? {};
  const cases: [given: string, meant: string][] = [
    ["kexec load K", "kexec load K"],
    ["kexec load --append a K --append b", "kexec load K --append b"],
    ["kexec load --append=a --append b K", "kexec load --append b K"],
    ["kexec load --append a --append=b K", "kexec load --append=b K"],
    ["kexec load --command-line a --commandLine b K", "kexec load --commandLine b K"],
    ["kexec load --force K --force", "kexec load K --force"],
    ["kexec load --initrd a --initrd b K", "kexec load --initrd a --initrd b K"],
    ["kexec load --append --append=x K", "kexec load --append=x K"],
    ["kexec load --append", "kexec load --append"],
    ["kexec load --unknown 1 --unknown 2 K", "kexec load --unknown 1 --unknown 2 K"],
    ["kexec load --append a --append b --append c --json --json", "kexec load --append c --json"],
  ];
  for (const [given, meant] of cases) {
    await t.step(given, () => assert.deepEqual(lastWins(given.split(" "), flags), meant.split(" ")));
  }
});

Deno.test("words after -- are of another program", () => {
  const words = "file preserve vm1 --token 1 -- prog --token 2 --token 3".split(" ");
  assert.deepEqual(lastWins(words, preserve.parameters.flags ?? {}), words);
});

Deno.test("a value after = may be empty or have newlines", () => {
  const flags = preserve.parameters.flags ?? {};
  const words = ["file", "preserve", "vm1", "--label=", "--from=a\n=b", "--token=1", "--", "--label="];
  const apart = ["file", "preserve", "vm1", "--label", "", "--from", "a\n=b", "--token=1", "--", "--label="];
  assert.deepEqual(withValuesApart(words, flags), apart);
});

Deno.test("kexec-tools' verbs stand anywhere before --, and only where luo's verb is missing", async (t) => {
  const cases: [given: string, meant: string][] = [
    ["kexec -l K", "kexec load K"],
    ["kexec --load K", "kexec load K"],
    ["kexec --initrd=i -l K", "kexec load --initrd=i K"],
    ["kexec -e", "kexec exec"],
    ["kexec --exec --force", "kexec exec --force"],
    ["kexec -u --json", "kexec unload --json"],
    ["kexec load -l", "kexec load -l"],
    ["kexec -f", "kexec -f"],
    ["kexec --help", "kexec --help"],
    ["kexec", "kexec"],
    ["session -l", "session -l"],
  ];
  for (const [given, meant] of cases) {
    await t.step(given, () => assert.deepEqual(withKexecVerb(given.split(" ")), meant.split(" ")));
  }
});

Deno.test("a kernel is loaded, unloaded and executed with kexec-tools' words", async () => {
  await using cli = new Cli();
  const line = ["--command-line=quiet", "--command-line=liveupdate=on kho=on"];
  assert.match(await cli.ok(["kexec", "-l", cli.kernel, ...line]), /liveupdate=on kho=on/);
  await cli.ok(["kexec", "-u"]);
  assert.match(await cli.ok(["kexec", "show"]), /No kernel loaded/);
  await cli.fails(2, /Cannot find/, ["kexec", "-f"]);
  await cli.ok(["kexec", ...line, "-l", cli.kernel]);
  assert.match(await cli.ok(["kexec", "-e"]), /Kernel 7\.3\.4-standin is running/);
});
