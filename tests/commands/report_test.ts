/** `luo update report` and `luo update history`, after updates of the model. */
import assert from "node:assert/strict";
import type { Answers } from "../../lib/schema/answer_types.ts";
import { Cli } from "./cli.ts";

/** A participant that does every event, or says no to one. */
function participant(veto: string): string {
  return `#!/bin/sh\n[ "$1" = "${veto}" ] || exit 0\necho "no $1 today" >&2\nexit 1\n`;
}

Deno.test("reports of a done and of a failed update, and the history over the kexecs", async () => {
  await using cli = new Cli();
  Deno.mkdirSync(cli.path("participants"));
  const vm = cli.path("participants/vm.sh");
  const write = (text: string) => {
    Deno.writeTextFileSync(vm, text);
    Deno.chmodSync(vm, 0o755);
  };
  const env = { LUO_PARTICIPANTS: cli.path("participants") };
  write(participant("none"));
  await cli.fails(1, /there was no live update yet/, ["update", "report"], { env });
  assert.equal(await cli.ok(["update", "history"], { env }), "No updates\n");

  const run = ["update", "run", cli.kernel, "--command-line", "liveupdate=on kho=on"];
  await cli.ok(run, { env });
  const report = await cli.json<Answers["update report"]>(["update", "report"], { env });
  const { timeline, update } = report;
  assert.equal(update.outcome, "done");
  assert.equal(timeline.kernel?.basis, "same");
  assert.equal(timeline.blackout?.over, true);
  assert.deepEqual(timeline.participants.map(({ name }) => name), ["vm"]);
  assert.match(await cli.ok(["update", "report"], { env }), /^Blackout +[\d.]+ m?s, from the first freeze/m);
  assert.match(await cli.ok(["update", "report", "--html"], { env }), /^<!doctype html>\n[^]*<bdi>vm<\/bdi>/);
  assert.match(await cli.ok(["update", "report", "--svg"], { env }), /^<svg xmlns=/);
  await cli.fails(2, /more than one of/, ["update", "report", "--svg", "--html"], { env });

  write(participant("freeze"));
  await cli.fails(4, /no freeze today/, run, { env });
  assert.match(await cli.ok(["update", "report"], { env }), /^Because: participant "vm": no freeze today$/m);
  const before = await cli.json<Answers["update history"]>(["update", "history"], { env });
  assert.deepEqual(before.updates.map(({ outcome }) => outcome), ["done", "failed"]);

  write(participant("none"));
  await cli.ok(run, { env });
  for (const pid of cli.processes("agent")) Deno.kill(pid, "SIGKILL");
  const { updates } = await cli.json<Answers["update history"]>(["update", "history"], { env });
  assert.deepEqual(updates.map(({ outcome }) => outcome), ["done", "failed", "done"]);
  const first = await cli.json<Answers["update report"]>(["update", "report", update.id.slice(0, 13)], {
    env,
  });
  assert.deepEqual(first.update, update);
  await cli.fails(1, /Cannot find update "x"/, ["update", "report", "x"], { env });
  // The history is the agent's own: no keys of luo put.
  assert.equal(await cli.ok(["keys"], { env }), "");
});
