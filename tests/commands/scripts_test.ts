/** Commands for scripts: those that may run twice, those that take all sessions, exit codes of the status, and losses. */
import assert from "node:assert/strict";
import type { Loss, SessionInfo } from "../../lib/agent/protocol.ts";
import type { FailureInfo } from "../../lib/schema/answer_types.ts";
import { Cli } from "./cli.ts";

async function preserved(cli: Cli, ...sessions: string[]): Promise<void> {
  for (const name of sessions) {
    await cli.ok(["session", "create", name]);
    await cli.ok(["file", "preserve", name, "--from", cli.kernel, "--token", "7"]);
  }
}

function killAgent(cli: Cli): void {
  for (const pid of cli.processes("agent")) Deno.kill(pid, "SIGKILL");
}

const exitOf = async (cli: Cli) => (await cli.luo(["status", "--exit-code"])).code;

Deno.test("session create --if-absent: twice, but never in place of a session that was handed over", async () => {
  await using cli = new Cli();
  const create = ["session", "create", "vm1", "--if-absent"];
  assert.match(await cli.ok(create), /created/);
  assert.match(await cli.ok(create), /was there already/);
  assert.equal((await cli.json<{ created: boolean }>(create)).created, false);
  await cli.fails(1, /EEXIST/, ["session", "create", "vm1"]);
  await cli.kexec();
  await cli.fails(1, /handed over by the previous kernel/, create);
});

Deno.test("session retrieve and finish: --all, --if-needed, and the sessions that cannot be finished", async () => {
  await using cli = new Cli();
  assert.match(await cli.ok(["session", "retrieve", "--all"]), /No session waits/);
  assert.match(await cli.ok(["session", "finish", "--all"]), /No session is retrieved/);
  await preserved(cli, "a", "b", "c");
  await cli.kexec();
  assert.equal(await exitOf(cli), 6);
  await cli.ok(["session", "retrieve", "a", "--if-needed"]);
  await cli.ok(["session", "retrieve", "a", "--if-needed"]);
  await cli.fails(1, /retrieved it already/, ["session", "retrieve", "a"]);
  const names = ({ sessions }: { sessions: SessionInfo[] }) => sessions.map(({ name }) => name);
  assert.deepEqual(names(await cli.json(["session", "retrieve", "--all"])), ["b", "c"]);
  assert.deepEqual(names(await cli.json(["session", "retrieve", "--all"])), []);
  assert.equal(await exitOf(cli), 6);

  await cli.ok(["file", "restore", "b", "7", "--to", "out"]);
  const finish = ["session", "finish", "--all"];
  const { code, err } = await cli.luo([...finish, "--json"]);
  const { error }: { error: FailureInfo } = JSON.parse(err);
  assert.equal(code, 4);
  assert.equal(error.kind, "refused");
  assert.equal(error.message, "Cannot finish 2 of 3 sessions: the other is finished");
  assert.deepEqual(
    error.reasons,
    ["a", "c"].map((name) => `session "${name}": file 7 was never restored: it would be gone`),
  );
  assert.match(error.hints?.[0] ?? "", /luo file restore a 7/);
  assert.match(error.hints?.at(-1) ?? "", /--force/);
  await cli.fails(4, /2 of 2 sessions: none is finished/, finish);
  assert.deepEqual(names(await cli.json([...finish, "--force"])), ["a", "c"]);
  assert.equal(await exitOf(cli), 0);
});

Deno.test("status --exit-code and luo losses: a loss that is cleared does not come back", async () => {
  await using cli = new Cli();
  assert.match(await cli.ok(["losses"]), /Nothing is lost/);
  assert.equal(await exitOf(cli), 0);
  await preserved(cli, "vm1");
  assert.equal(await exitOf(cli), 0, "an outgoing session waits for nothing");
  killAgent(cli);
  assert.equal(await exitOf(cli), 5);
  const status = await cli.luo(["status", "--exit-code", "--json"]);
  assert.equal(JSON.parse(status.out).status.losses.length, 1, "the status is printed with every exit code");
  const losses = (answer: { losses: Loss[] }) => answer.losses.map(({ session }) => session);
  assert.deepEqual(losses(await cli.json(["losses"])), ["vm1"]);
  assert.match(await cli.ok(["losses", "--clear"]), /^Lost: session "vm1".*\n1 loss cleared\n$/s);
  assert.deepEqual(losses(await cli.json(["losses", "--clear"])), []);
  assert.equal(await exitOf(cli), 0);
  killAgent(cli);
  assert.equal(await exitOf(cli), 0, "the next agent of this boot");
  await cli.kexec();
  assert.equal(await exitOf(cli), 0, "the next kernel");
});

Deno.test("losses --clear: losses that cannot be printed are not forgotten", async () => {
  await using cli = new Cli();
  await preserved(cli, "vm1");
  killAgent(cli);
  const full = [...cli.commandLine, "losses", "--clear"];
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >/dev/full', "sh", ...full],
    env: cli.env,
    stderr: "piped",
  });
  const { code, stderr } = await child.output();
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [
    1,
    "luo: Cannot write the result (ENOSPC)\n",
  ]);
  assert.equal(await exitOf(cli), 5);
  assert.match(await cli.ok(["losses", "--clear"]), /1 loss cleared/);
  assert.equal(await exitOf(cli), 0);
});

Deno.test("a loss that nobody has seen is still told after the next kexecs, and is none of theirs", async () => {
  await using cli = new Cli();
  await preserved(cli, "vm1");
  killAgent(cli);
  await preserved(cli, "vm2");
  await cli.ok(["kexec", "load", cli.kernel]);
  assert.doesNotMatch(await cli.ok(["kexec", "exec"]), /Lost/);
  assert.equal(await exitOf(cli), 5);
  assert.match(await cli.ok(["losses"]), /^Lost: session "vm1" \(outgoing\), 1 file, .* ended while it held/);
  await cli.ok(["session", "retrieve", "vm2"]);
  await cli.ok(["kexec", "load", cli.kernel]);
  assert.match(await cli.ok(["kexec", "exec", "--force"]), /^Lost: session "vm2"/m);
  assert.match(
    await cli.ok(["losses", "--clear"]),
    /^Lost: session "vm1".*\nLost: session "vm2".*\n2 losses/,
  );
  await cli.kexec();
  assert.equal(await exitOf(cli), 0);
});

Deno.test("status --exit-code in a batch: the exit code, and the status", async () => {
  await using cli = new Cli();
  await preserved(cli, "vm1");
  await cli.kexec();
  const stdin = new TextEncoder().encode('{"argv":["status","--exit-code"]}\n');
  const { code, out } = await cli.luo(["batch"], { stdin });
  assert.equal(code, 1);
  const answer = JSON.parse(out);
  assert.equal(answer.exit, 6);
  assert.equal(answer.result.status.sessions.length, 1);
});
