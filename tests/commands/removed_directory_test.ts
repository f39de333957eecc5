/** The directory of an agent is removed under it: what it holds is not lost, and no second agent starts beside it. */
import assert from "node:assert/strict";
import { Cli } from "./cli.ts";

/** A machine with a file in a session and a value, whose directory is removed. */
async function removed(): Promise<Cli> {
  const cli = new Cli("in");
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok([
    "file",
    "preserve",
    "vm1",
    "--from",
    cli.file("data", "precious"),
    "--token",
    "1",
    "--digest",
  ]);
  await cli.ok(["put", "key", "value"]);
  Deno.removeSync(cli.path("in"), { recursive: true });
  return cli;
}

Deno.test("the directory is made again: the same agent and machine answer, and a live update brings all of it over", async () => {
  await using cli = await removed();
  const before = cli.processes();
  assert.equal(before.length, 2);
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  assert.match(await cli.ok(["session", "list"]), /^vm1 +outgoing +1 /m);
  assert.deepEqual(cli.processes(), before);
  await cli.kexec();
  await cli.ok(["session", "retrieve", "vm1"]);
  assert.equal(await cli.ok(["file", "restore", "vm1", "1", "--stdout"]), "precious");
  assert.equal(await cli.ok(["get", "key"]), "value");
  assert.equal(cli.processes("machine").length, 1);
});

Deno.test("the directory is made again: the next agent finds the record and the values", async () => {
  await using cli = await removed();
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  await cli.ok(["session", "list"]);
  const [agent] = cli.processes("agent");
  assert.ok(agent);
  Deno.kill(agent, "SIGKILL");
  assert.match(await cli.ok(["status"]), /Lost: session "vm1" \(outgoing\), 1 file, 8 B/);
  assert.equal(await cli.ok(["get", "key"]), "value");
});

for (const args of [["session", "list"], ["agent", "stop"], ["agent", "status"], ["kexec", "show"]]) {
  Deno.test(`without its directory luo ${args.join(" ")} names the agent and how to reach it`, async () => {
    await using cli = await removed();
    const [agent] = cli.processes("agent");
    const { code, err } = await cli.luo(args);
    assert.equal(code, 3);
    assert.equal(
      err,
      `luo: Cannot reach the agent at "${cli.socket}": its directory was removed while it ran (process ${agent})\n` +
        `  to reach it again, with all its sessions: mkdir -p -m 700 ${cli.path("in")}\n` +
        `  to end it, and lose what it holds: kill ${agent}\n`,
    );
  });
}

Deno.test("a machine without an agent: its session waits. The list is gone with the record, and luo says so", async () => {
  await using cli = new Cli("in");
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  await cli.ok(["session", "create", "vm1"]);
  await cli.kexec();
  await cli.ok(["agent", "stop"]);
  Deno.removeSync(cli.path("in"), { recursive: true });
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  assert.match(await cli.ok(["session", "list"]), /^Sessions unknown/);
  assert.match(await cli.ok(["session", "retrieve", "vm1"]), /Session "vm1" retrieved/);
  assert.equal(cli.processes("machine").length, 1);
});

Deno.test("an agent that holds nothing ends, and its machine with it", async () => {
  await using cli = new Cli("in");
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  await cli.ok(["status"]);
  Deno.removeSync(cli.path("in"), { recursive: true });
  await cli.ended();
});

Deno.test("agent run in the foreground waits for the agent whose directory was removed, and is told that it runs", async () => {
  await using cli = await removed();
  const [agent] = cli.processes("agent");
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  const running = new RegExp(`Cannot start the agent: one is running already, process ${agent} `);
  await cli.fails(3, running, ["agent", "run"]);
  assert.match(await cli.ok(["session", "list"]), /vm1/);
});

Deno.test("an agent that cannot come back keeps another one from starting beside it", async () => {
  await using cli = await removed();
  const [agent = 0] = cli.processes("agent");
  Deno.kill(agent, "SIGSTOP");
  Deno.mkdirSync(cli.path("in"), { mode: 0o700 });
  await cli.fails(
    3,
    new RegExp(`one runs whose directory was removed, process ${agent}\n.*\n.*kill ${agent}`),
    [
      "session",
      "list",
    ],
  );
  Deno.kill(agent, "SIGCONT");
  assert.match(await cli.ok(["session", "list"]), /vm1/);
});
