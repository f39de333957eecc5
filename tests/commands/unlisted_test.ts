/** A live update that brought no list of luo's: sessions of other programs may wait, and luo says so and does not drop them. */
import assert from "node:assert/strict";
import type { Status } from "../../lib/agent/protocol.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import { openDevice } from "../../lib/session.ts";
import { Fd } from "../../lib/fd.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { Cli } from "./cli.ts";
import { foreignSession, machineProcess } from "./foreign_session.ts";

const LINE = "liveupdate=on kho=on";

/** Another program makes a session and executes the next kernel, while no agent runs. @returns a process of the next kernel */
async function updateWithoutLuo(cli: Cli) {
  await cli.ok(["status"]);
  const sys = machineProcess(cli);
  await foreignSession(cli, sys, "theirs", { "5": "hello" });
  const image = Fd.of(sys, sys.memfd_create("image", 0), "memfd_create");
  sys.write(image.number, standInBzImage({ release: "next" }));
  loadImage(sys, { kernel: image, commandLine: LINE });
  assert.throws(() => exec(sys), ProcessKilled);
  return machineProcess(cli);
}

Deno.test("sessions that luo has no list of are unknown, and only --force drops them", async (t) => {
  await using cli = new Cli();
  using _ = await updateWithoutLuo(cli);
  await t.step("the texts and the JSON say so", async () => {
    assert.match(await cli.ok(["session", "list"]), /^Sessions unknown: .*without luo's list/);
    assert.match(await cli.ok(["status"]), /^Sessions unknown: .*without luo's list/m);
    const { status } = await cli.json<{ status: Status }>(["status"]);
    assert.deepEqual([status.sessions, status.losses, typeof status.unlisted], [[], [], "string"]);
  });
  await t.step("the next agent of the same boot knows this from the record", async () => {
    await cli.ok(["agent", "stop"]);
    assert.match(await cli.ok(["session", "list"]), /^Sessions unknown: /);
  });
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", LINE]);
  await cli.fails(4, /without luo's list[^]*luo session retrieve NAME[^]*--force/, ["kexec", "exec"]);
  await t.step("a session that is known by its name can be retrieved", async () => {
    await cli.ok(["session", "retrieve", "theirs"]);
    assert.match(await cli.ok(["session", "list"]), /^theirs +retrieved [^]*\nMore sessions may wait: /m);
    await cli.ok(["file", "restore", "theirs", "5", "--to", "out"]);
    assert.equal(Deno.readTextFileSync(cli.path("out")), "hello");
    const { session } = await cli.json<{ session: { files: object[] } }>(["session", "show", "theirs"]);
    assert.equal("preservedAt" in (session.files[0] ?? {}), false, "luo does not know when it was preserved");
    await cli.ok(["session", "finish", "theirs", "--force"]);
  });
  await cli.ok(["kexec", "exec", "--force"]);
  assert.equal(await cli.ok(["session", "list"]), "No sessions\n", "luo's list came with this update");
});

Deno.test("a session of systemd's, which systemd has finished, is no reason for doubt when luo's list came", async () => {
  await using cli = new Cli();
  await cli.ok(["status"]);
  using before = machineProcess(cli);
  await foreignSession(cli, before, "systemd", {});
  await cli.kexec();
  {
    using after = machineProcess(cli);
    await cli.ok(["agent", "stop"]);
    using device = openDevice(after);
    device.retrieve("systemd").finish();
    device.close();
    assert.equal(await cli.ok(["session", "list"]), "No sessions\n");
  }
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", LINE]);
  await cli.ok(["kexec", "exec"]);
});
