/** `luo agent run --early`, the agent of an initramfs: what is not asked for goes on to the agent that comes after it. */
import assert from "node:assert/strict";
import { luoCommand } from "../luo_under_test.ts";
import { Cli } from "./cli.ts";

/** A `Cli` with one participant, which writes the events to $D/seen. */
class Host extends Cli {
  readonly participants = this.path("participants");

  constructor() {
    super();
    Deno.mkdirSync(this.participants);
    Deno.chmodSync(this.file("participants/app", '#!/bin/sh\necho "$1" >>"$D/seen"\n'), 0o755);
  }

  override get env(): Record<string, string> {
    return { ...super.env, LUO_PARTICIPANTS: this.participants, D: this.dir };
  }

  seen(): string {
    return Deno.readTextFileSync(this.path("seen")).replaceAll("\n", " ").trim();
  }
}

/** The agent in the foreground; it answers when this returns. */
async function runEarly(host: Host): Promise<Deno.ChildProcess> {
  const child = luoCommand(["agent", "run", "--early"], {
    env: { ...host.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let tries = 0; tries < 300; tries++) {
    if ((await host.luo(["agent", "status"])).code === 0) return child;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the agent does not answer");
}

Deno.test("an early agent restores what it is asked for, and leaves kept sessions and the update to the next one", async () => {
  await using host = new Host();
  const early = await runEarly(host);
  const stdin = new TextEncoder().encode("some bytes");
  for (const [name, ...flags] of [["kept", "--keep"], ["plain"]] as const) {
    await host.ok(["session", "create", name, ...flags]);
    await host.ok(["file", "preserve", name, "--stdin", "--token", "1"], { stdin });
  }
  await host.ok(["put", "a/key", "a value"]);
  await host.ok(["update", "prepare", host.kernel, "--command-line", "liveupdate=on kho=on"]);
  await host.ok(["update", "freeze"]);
  // On the model the agent goes on in the next kernel, as it would start there.
  await host.ok(["kexec", "exec"]);
  assert.equal(host.seen(), "prepare freeze");
  assert.match(await host.ok(["session", "list"]), /kept +incoming/);
  await host.ok(["session", "retrieve", "plain"]);
  assert.equal(await host.ok(["file", "restore", "plain", "1", "--stdout"]), "some bytes");
  await host.ok(["session", "finish", "plain"]);
  await host.ok(["agent", "stop"]);
  assert.equal((await early.status).code, 0);

  assert.match(await host.ok(["session", "list"]), /kept +outgoing, kept/);
  assert.equal(await host.ok(["get", "a/key"]), "a value");
  await host.ok(["update", "finish"]);
  assert.equal(host.seen(), "prepare freeze updated finish");
  assert.deepEqual((await host.json<{ losses: unknown[] }>(["losses"])).losses, []);
});
