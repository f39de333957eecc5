/** A session that luo lists and the kernel does not have becomes a loss with its reason, and blocks nothing. */
import assert from "node:assert/strict";
import type { Status } from "../../lib/agent/protocol.ts";
import { openDevice } from "../../lib/session.ts";
import { Cli } from "./cli.ts";
import { machineProcess } from "./foreign_session.ts";

/** After a kexec with session "s" and one file: another program takes the device for `act`, while no agent runs. */
async function besides(cli: Cli, act: (device: ReturnType<typeof openDevice>) => void): Promise<void> {
  await cli.ok(["session", "create", "s"]);
  await cli.ok(["file", "preserve", "s", "--from", cli.file("in", "in"), "--token", "7"]);
  await cli.kexec();
  using sys = machineProcess(cli);
  await cli.ok(["agent", "stop", "--force"]);
  {
    using device = openDevice(sys);
    act(device);
  }
  await cli.ok(["status"]);
}

Deno.test("a phantom: the retrieve reports it, and then it is a loss and does not stop the next exec", async () => {
  await using cli = new Cli();
  await besides(cli, (device) => device.retrieve("s").fd.close());
  assert.match(await cli.ok(["session", "list"]), /^s +incoming/m);
  const load = ["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"];
  await cli.ok(load);
  await cli.fails(4, /luo session retrieve s/, ["kexec", "exec"]);
  await cli.fails(1, /the kernel does not have it, and luo status lists it as lost now \(ENOENT\)/, [
    "session",
    "retrieve",
    "s",
  ]);
  const { status } = await cli.json<{ status: Status }>(["status"]);
  assert.deepEqual(status.sessions, []);
  assert.deepEqual(status.losses.map(({ session, state, files }) => [session, state, files.length]), [[
    "s",
    "incoming",
    1,
  ]]);
  assert.match(status.losses[0]?.reason ?? "", /another program retrieved and finished it/);
  await cli.ok(["kexec", "exec"]);
});

Deno.test("a session that another program has retrieved and still holds stays listed", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "s"]);
  await cli.kexec();
  using sys = machineProcess(cli);
  await cli.ok(["agent", "stop", "--force"]);
  const device = openDevice(sys);
  using _ = device.retrieve("s").fd;
  device.close();
  await cli.fails(1, /another program has retrieved it \(EINVAL\)\n.*must restore its files/, [
    "session",
    "retrieve",
    "s",
  ]);
  assert.match(await cli.ok(["session", "list"]), /^s +incoming/m);
});
