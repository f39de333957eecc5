/** Ctrl-C of a command that takes a step of a live update: the update is cancelled, and luo says so. */
import assert from "node:assert/strict";
import { luoCommand } from "../luo_under_test.ts";
import { Cli } from "./cli.ts";

/** A machine with a participant that takes long at this event, and its image loaded. */
async function machine(slow: string): Promise<Cli> {
  const cli = new Cli();
  Deno.mkdirSync(cli.path("participants"));
  cli.file(
    "participants/vm",
    `#!/bin/sh\necho "$1" >>${cli.dir}/seen\n[ "$1" != ${slow} ] || exec sleep 60\n`,
  );
  Deno.chmodSync(cli.path("participants/vm"), 0o755);
  await cli.ok(["agent", "start"], { env: { LUO_PARTICIPANTS: cli.path("participants") } });
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  return cli;
}

function seen(cli: Cli): string[] {
  try {
    return Deno.readTextFileSync(cli.path("seen")).trim().split("\n");
  } catch {
    return [];
  }
}

/** Runs a command and interrupts it when the participant was called with `event`. */
async function interrupted(cli: Cli, event: string, signal: Deno.Signal, args: readonly string[]) {
  const child = luoCommand(args, { env: cli.env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  while (!seen(cli).includes(event)) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill(signal);
  const { code, stdout, stderr } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "");
  return { code, err: new TextDecoder().decode(stderr) };
}

async function state(cli: Cli): Promise<string> {
  return (await cli.json<{ state: string }>(["update", "state"])).state;
}

const CANCELLED = "luo: Interrupted: the update is cancelled, and everything is as before\n";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`update run: ${signal} cancels, and luo says so when everything is as before`, async () => {
    await using cli = await machine("freeze");
    const { code, err } = await interrupted(cli, "freeze", signal, ["update", "run"]);
    assert.deepEqual([code, err], [130, `${CANCELLED}  to begin again: luo update run\n`]);
    assert.deepEqual(seen(cli), ["prepare", "freeze", "cancel"]);
    assert.equal(await state(cli), "normal");
    assert.equal(await cli.ok(["session", "list"]), "No sessions\n");
  });
}

for (const [step, slow] of [["prepare", "prepare"], ["freeze", "freeze"]] as const) {
  Deno.test(`update ${step}: Ctrl-C cancels the update`, async () => {
    await using cli = await machine(slow);
    if (step === "freeze") await cli.ok(["update", "prepare"]);
    const { code, err } = await interrupted(cli, slow, "SIGINT", ["update", step]);
    assert.deepEqual([code, err], [130, `${CANCELLED}  to begin again: luo update prepare\n`]);
    assert.equal(await state(cli), "normal");
  });
}

Deno.test("update run --json: Ctrl-C is an error of kind interrupted", async () => {
  await using cli = await machine("prepare");
  const { code, err } = await interrupted(cli, "prepare", "SIGINT", ["update", "run", "--json"]);
  const { kind, exit, hints } = JSON.parse(err).error;
  assert.deepEqual([code, kind, exit, hints], [130, "interrupted", 130, ["to begin again: luo update run"]]);
});

Deno.test("update run: after the kexec Ctrl-C does not end the update, and luo says so", async () => {
  await using cli = await machine("updated");
  const { code, err } = await interrupted(cli, "updated", "SIGINT", ["update", "run"]);
  assert.equal(code, 130);
  assert.match(err, /^luo: Interrupted: the agent goes on with the update\n {2}see: luo update state\n$/);
});

Deno.test("update run: Ctrl-C while the agent does not answer is still an interrupt", async () => {
  await using cli = await machine("prepare");
  const args = ["update", "run", "--timeout", "1"];
  const child = luoCommand(args, { env: cli.env, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  while (!seen(cli).includes("prepare")) await new Promise((resolve) => setTimeout(resolve, 20));
  const [agent = 0] = cli.processes("agent");
  Deno.kill(agent, "SIGSTOP");
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  Deno.kill(agent, "SIGCONT");
  assert.equal(code, 130);
  assert.match(
    new TextDecoder().decode(stderr),
    /^luo: Interrupted: the agent does not say .*\n {2}see: luo update state\n$/,
  );
});
