/** An update whose kexec is systemd's: when it refuses, the update is cancelled; when it may have heard, nothing is. */
import assert from "node:assert/strict";
import { plain } from "../../commands/base/text.ts";
import type { Context } from "../../commands/base/context.ts";
import { Failure } from "../../commands/errors/failure.ts";
import { type Systemd, updateBySystemd } from "../../commands/processes/update_by_systemd.ts";
import { LuoError } from "../../lib/error.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { Cli } from "./cli.ts";

const FLAGS = { json: false };
const LINE = ["--command-line", "liveupdate=on kho=on"];

/** A machine with a participant, and its image loaded. */
async function machine(): Promise<Cli> {
  const cli = new Cli();
  Deno.mkdirSync(cli.path("participants"));
  cli.file("participants/vm", `#!/bin/sh\necho "$1" >>${cli.dir}/seen\n`);
  Deno.chmodSync(cli.path("participants/vm"), 0o755);
  await cli.ok(["agent", "start"], { env: { LUO_PARTICIPANTS: cli.path("participants") } });
  await cli.ok(["kexec", "load", cli.kernel, ...LINE]);
  return cli;
}

function noOther(): Promise<never> {
  throw new TypeError("no other command runs");
}

function context(cli: Cli): Context {
  const stream = { write() {} };
  return {
    process: { stdout: stream, stderr: stream },
    settings: { backend: "model", socket: cli.socket },
    mainModule: "",
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    paint: plain,
    allRoutes: noOther,
    routesTo: noOther,
    runWords: noOther,
  };
}

function systemd(ask: () => void): Systemd {
  return { carries: () => true, ask, untilKexec: () => Promise.resolve() };
}

const REQUEST = { digest: false, force: false };

async function run(cli: Cli, ask: () => void): Promise<void> {
  await updateBySystemd(context(cli), REQUEST, FLAGS, () => {}, systemd(ask));
}

function seen(cli: Cli): string[] {
  return Deno.readTextFileSync(cli.path("seen")).trim().split("\n");
}

async function state(cli: Cli): Promise<string> {
  return (await cli.json<{ state: string }>(["update", "state"])).state;
}

Deno.test("systemd refuses the kexec: everybody goes on as before", async () => {
  await using cli = await machine();
  const refusal = new Failure("unavailable", "Cannot execute the next kernel: systemd does not do it");
  await assert.rejects(
    run(cli, () => {
      throw refusal;
    }),
    refusal,
  );
  assert.deepEqual([await state(cli), seen(cli)], ["normal", ["prepare", "freeze", "cancel"]]);
  assert.match(await cli.ok(["session", "list"]), /No sessions/);
  // The image was loaded before the update.
  assert.match(await cli.ok(["kexec", "show"]), /7.3.4-standin/);
});

Deno.test("systemd may have heard of the kexec: the update stays frozen, for a kexec that may still come", async () => {
  await using cli = await machine();
  const silence = new LuoError("read", "systemd", Errno.EAGAIN, "systemd does not answer");
  await assert.rejects(
    run(cli, () => {
      throw silence;
    }),
    silence,
  );
  assert.deepEqual([await state(cli), seen(cli)], ["frozen", ["prepare", "freeze"]]);
  await cli.ok(["update", "cancel"]);
});

Deno.test("systemd takes it: prepared and frozen, and the update finishes by itself in the next kernel", async () => {
  await using cli = await machine();
  await run(cli, () => {});
  assert.equal(await state(cli), "frozen");
  await cli.ok(["kexec", "exec"]);
  assert.equal(await state(cli), "normal");
  assert.deepEqual(seen(cli), ["prepare", "freeze", "updated", "finish"]);
});
