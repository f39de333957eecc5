/** After a kexec of the model the agent is there again, without any command of luo: a Varlink client finds it. */
import assert from "node:assert/strict";
import { AsyncAgentClient } from "../../lib/agent_client.ts";
import { Cli } from "./cli.ts";

Deno.test("after a kexec of the model a client finds the next kernel's agent without a command", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--from", cli.file("in", "hello"), "--token", "7"]);
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  const client = new AsyncAgentClient(cli.socket);
  for (const count of [1, 2]) {
    assert.equal(await client.callUntilEnd("ExecImage", { force: true }), true);
    await client.ready(AbortSignal.timeout(120_000));
    const { status } = (await client.call("GetStatus", {})).reply;
    assert.equal(status.lastUpdate?.count, count);
    assert.deepEqual(
      status.sessions.map(({ name, state }) => [name, state]),
      count === 1 ? [["vm1", "incoming"]] : [],
    );
    await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  }
  assert.equal(cli.processes("agent").length, 1);
});

Deno.test("an agent whose machine is powered off or killed ends, and starts no other machine", async (t) => {
  for (const how of ["stopped", "killed"]) {
    await t.step(how, async () => {
      await using cli = new Cli();
      await cli.ok(["session", "create", "vm1"]);
      if (how === "stopped") await cli.ok(["machine", "stop", "--force"]);
      else for (const pid of cli.processes("machine")) Deno.kill(pid, "SIGKILL");
      // The agent notices at its next call to the kernel, unless the command made one.
      await assert.rejects(new AsyncAgentClient(cli.socket).call("Identify", {}));
      await cli.ended();
    });
  }
});
