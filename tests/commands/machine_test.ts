/** The machine of the model ends when nothing is in it, or by force. */
import assert from "node:assert/strict";
import { Cli } from "./cli.ts";

Deno.test("machine stop: none runs, and that is no error", async () => {
  await using cli = new Cli();
  assert.equal(await cli.ok(["machine", "stop"]), "No machine was running\n");
});

Deno.test("agent stop: returns when the sockets of agent and machine are gone, so that the directory can be removed", async () => {
  await using cli = new Cli();
  await cli.ok(["status"]);
  const { out } = await cli.shell(`luo agent stop >&2 && ls -F "$D" | grep = ; ls "$D"/s.lock`);
  assert.equal(out, `${cli.socket}.lock\n`);
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

Deno.test("machine stop --force: the machine that agent stop --force left ends, without a socket", async () => {
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

Deno.test("the machine goes on while there are values of luo put: agent stop and other commands lose none", async () => {
  await using cli = new Cli();
  await cli.ok(["put", "k", "v"]);
  await cli.ok(["agent", "stop"]);
  await cli.ok(["doctor"]);
  await cli.fails(4, /a value of luo put/, ["machine", "stop"]);
  assert.equal(await cli.ok(["get", "k"]), "v");
  await cli.ok(["drop", "k"]);
  await cli.ok(["agent", "stop"]);
  await cli.ok(["machine", "stop"]);
  assert.deepEqual(cli.processes(), []);
});

Deno.test("machine stop: never Linux's", async () => {
  await using cli = new Cli();
  await cli.fails(2, /only the model has one/, ["machine", "stop", "--backend", "linux", "--force"]);
});

Deno.test("machine stop --force: the agent ends with its machine, and the next command starts both", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm"]);
  await cli.ok(["machine", "stop", "--force"]);
  assert.deepEqual(cli.processes(), []);
  assert.match(await cli.ok(["status"]), /^Lost: session "vm" \(outgoing\)/m);
});

Deno.test("a machine that was killed: the next command starts another one", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm"]);
  const { agent } = await cli.json<{ agent: { pid: number } }>(["agent", "status"]);
  const machine = cli.processes().find((pid) => pid !== agent.pid);
  assert.ok(machine !== undefined);
  Deno.kill(machine, "SIGKILL");
  assert.match(await cli.ok(["status"]), /^Lost: session "vm" \(outgoing\)/m);
});

Deno.test("agent stop: an incoming session is not lost by it, and the next agent retrieves it", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm"]);
  await cli.ok(["file", "preserve", "vm", "--from", cli.file("in", "hello"), "--token", "7"]);
  await cli.kexec();
  await cli.ok(["agent", "stop"]);
  assert.match(await cli.ok(["session", "list"]), /^vm +incoming +1/m);
  await cli.ok(["session", "retrieve", "vm"]);
  await cli.fails(4, /session "vm" \(retrieved, 1 file\) would be lost/, ["agent", "stop"]);
  assert.equal(await cli.ok(["file", "restore", "vm", "7", "--stdout"]), "hello");
});
