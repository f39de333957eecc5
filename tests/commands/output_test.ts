/** Standard output that is full, closed, or whose reader has gone. */
import assert from "node:assert/strict";
import { diagnostics, output } from "../../commands/output/stream.ts";
import { Cli } from "./cli.ts";

const PRINTS = [
  "--version",
  "--version --json",
  "--help",
  "session",
  "session create --help",
  "status",
  "status --watch",
  "session list",
  "session show vm1 --json",
  "agent status",
  "kexec show",
  "kho show",
  "man",
  "completion bash",
];

Deno.test("a full standard output: exit code 1 and one sentence, for everything that prints", async (t) => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  for (const command of PRINTS) {
    await t.step(command, async () => {
      const { code, err } = await cli.shell(`luo ${command} >/dev/full`);
      assert.equal(code, 1, err);
      const message = command.includes("--json") ? JSON.parse(err).error.message : err.trimEnd();
      assert.match(message, /^(?:luo: )?Cannot write the result \(ENOSPC\)$/);
    });
  }
  await t.step("a command that acted, and cannot print its result, says that it acted", async () => {
    const { code, err } = await cli.shell("luo session create vm2 >/dev/full");
    assert.equal(code, 1);
    assert.match(err, /^luo: Cannot write the result \(ENOSPC\)\n {2}the command was carried out, .*\n$/);
    assert.match(await cli.ok(["session", "list"]), /vm2/);
  });
});

Deno.test("a closed standard output is like /dev/null for text: exit code 0 everywhere", async (t) => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const acts = ["session create vm2", "kexec load $IMAGE", "session close vm2"];
  for (const command of [...PRINTS.filter((command) => !command.includes("--watch")), ...acts]) {
    await t.step(command, async () => {
      const { code, err } = await cli.shell(`luo ${command} >&-`);
      assert.deepEqual([code, err], [0, ""]);
    });
  }
});

Deno.test("a closed or full standard error changes no exit code", async () => {
  await using cli = new Cli();
  for (const to of ["2>&-", "2>/dev/full"]) {
    assert.equal((await cli.shell(`luo session show none ${to}`)).code, 1);
    assert.equal((await cli.shell(`luo nonsense ${to}`)).code, 2);
  }
});

Deno.test("status --watch ends at once when its reader does, without a change", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  for (const flags of ["", " --json"]) {
    const began = Date.now();
    const { out, err } = await cli.shell(`luo status --watch${flags} | head -n 1; echo "\${PIPESTATUS[0]}"`);
    assert.match(out, /\n141\n$/);
    assert.equal(err, "");
    assert.ok(Date.now() - began < 30_000, "it waited for a change");
  }
});

Deno.test("standard output is written whole, also to a pipe that takes little at a time", () => {
  let written = "";
  let tries = 0;
  const sink = {
    writeSync(bytes: Uint8Array) {
      if (tries++ % 2 === 0) throw new Deno.errors.WouldBlock();
      written += new TextDecoder().decode(bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
  };
  output(sink, () => {
    throw new Error("the reader has not gone");
  }).write("eight by");
  assert.equal(written, "eight by");
});

Deno.test("standard error never throws", () => {
  const sink = {
    writeSync(): number {
      throw new Deno.errors.BrokenPipe();
    },
  };
  diagnostics(sink).write("lost");
});

Deno.test("control characters in names do not reach the agent's log", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "a\x1b[31mb\nc"]);
  await cli.ok(["agent", "stop", "--force"]);
  const log = Deno.readTextFileSync(`${cli.socket}.log`);
  assert.match(log, /"a\\x1b\[31mb\\x0ac"/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(log, /\x1b/);
});
