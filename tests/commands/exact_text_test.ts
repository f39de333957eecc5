/** Arguments and variables that are not UTF-8: paths work as they are, text is refused. */
import assert from "node:assert/strict";
import { exactArguments } from "../../commands/program/exact_text.ts";
import { Failure } from "../../commands/errors/failure.ts";
import { Cli } from "./cli.ts";

const bytes = (...words: (string | number[])[]) =>
  Uint8Array.from(
    words.flatMap((word) => [...typeof word === "string" ? new TextEncoder().encode(word) : word, 0]),
  );

const lines: readonly [name: string, given: string[], typed: Uint8Array, exact: string[]][] = [
  ["after words of Deno", ["a", "p\ufffd"], bytes("deno", "run", "a", [0x70, 0xff]), ["a", "p\udcff"]],
  ["a replacement character that was typed", ["\ufffd"], bytes("luo", "\ufffd"), ["\ufffd"]],
  ["several at once", ["\ufffd\ufffd", "\ufffd"], bytes("luo", [0xff, 0xfe], [0xc3]), [
    "\udcff\udcfe",
    "\udcc3",
  ]],
  ["an empty word", ["", "\ufffd"], bytes("luo", "", [0xff]), ["", "\udcff"]],
];
for (const [name, given, typed, exact] of lines) {
  Deno.test(`exact arguments: ${name}`, () => {
    assert.deepEqual(exactArguments(given, [() => bytes("sh", "-c", "x"), () => typed]), exact);
  });
}

Deno.test("exact arguments: without the bytes they are refused", () => {
  assert.throws(() => exactArguments(["\ufffd"], [() => undefined]), Failure);
});

Deno.test("a path that is not UTF-8 is the file that was named, in and out, and its neighbours stay as they were", async () => {
  await using cli = new Cli();
  const { code, out, err } = await cli.shell(`set -e
    printf right >$'p\\xff'; printf wrong >$'p\\xef\\xbf\\xbd'
    luo session create vm >/dev/null
    luo file preserve vm --from $'p\\xff' --token 1 >/dev/null
    luo kexec load "$IMAGE" >/dev/null; luo kexec exec >/dev/null
    luo session retrieve vm >/dev/null
    luo file restore vm 1 --to $'q\\xfe'
    luo file restore vm 1 --to $'r\\xfe' --json
    cat $'q\\xfe'; ls | grep -c $'q\\xef\\xbf\\xbd' || true`);
  assert.equal(code, 0, err);
  const [text, json = "", rest] = out.split("\n");
  assert.match(text ?? "", /restored to "q\\xfe"/);
  assert.equal(JSON.parse(json).to, "r\udcfe");
  assert.equal(rest, "right0");
});

const refused: readonly [name: string, line: string][] = [
  ["a session", "luo session create $'a\\xff'"],
  ["a label", "luo file preserve vm --stdin --token 1 --label $'l\\xff' </dev/null"],
  ["a token", "luo file restore vm $'1\\xff' --stdout"],
  ["a command line", "luo kexec load \"$IMAGE\" --append $'x\\xff'"],
  ["a command", "luo $'status\\xff'"],
];
for (const [name, line] of refused) {
  Deno.test(`text that is not UTF-8 is refused: ${name}`, async () => {
    await using cli = new Cli();
    const { code, out, err } = await cli.shell(line);
    assert.deepEqual([code, out], [2, ""], err);
    assert.match(err, /\\xff/);
  });
}

Deno.test("LUO_SOCKET that is not UTF-8 is the path that was named", async () => {
  await using cli = new Cli();
  const { code, err } = await cli.shell("LUO_BACKEND=linux LUO_SOCKET=$'/nowhere\\xff/s' luo agent status");
  assert.equal(code, 3);
  assert.match(err, /\/nowhere\\xff\/s/);
});

Deno.test("a message shows the bytes of a path that are not UTF-8", async () => {
  await using cli = new Cli();
  for (const command of ["kho show", "kexec load", "file preserve vm --token 1 --from", "emulate --"]) {
    const { err } = await cli.shell(`luo session create vm >/dev/null; luo ${command} $'no\\xff'`);
    assert.match(err, /"no\\xff"/, command);
  }
});
