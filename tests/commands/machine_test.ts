/** The machine of the model ends when nothing is in it, or by force. */
import assert from "node:assert/strict";
import { Cli } from "./cli.ts";

Deno.test("machine stop: none runs, and that is no error", async () => {
  await using cli = new Cli();
  assert.equal(await cli.ok(["machine", "stop"]), "No machine was running\n");
});

Deno.test("machine stop: refused while the agent runs, and nothing is lost by it", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm"]);
  await cli.fails(4, /Cannot stop the machine: data would be lost\n.*\n.*luo status\n.*\n.*--force/, [
    "machine",
    "stop",
  ]);
  assert.match(await cli.ok(["session", "list"]), /vm/);
});

Deno.test("machine stop --force: what agent stop --force left behind ends, without a socket", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm"]);
  await cli.kexec();
  await cli.ok(["agent", "stop", "--force"]);
  assert.equal(cli.processes().length, 1);
  await cli.fails(4, /Cannot stop the machine/, ["machine", "stop"]);
  assert.equal(await cli.ok(["machine", "stop", "--force"]), "Machine stopped\n");
  assert.equal(cli.processes().length, 0);
  assert.throws(() => Deno.lstatSync(`${cli.socket}.machine`), Deno.errors.NotFound);
});

Deno.test("machine stop: never Linux's", async () => {
  await using cli = new Cli();
  await cli.fails(2, /only the model has one/, ["machine", "stop", "--backend", "linux", "--force"]);
});
