/** An agent without /dev/liveupdate: it serves what needs none, calls nothing lost that may still wait, and says what is wrong. */
import assert from "node:assert/strict";
import type { SessionInfo, Status } from "../../lib/agent/protocol.ts";
import { exec } from "../../lib/kexec/load.ts";
import { openDevice } from "../../lib/session.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { Cli } from "./cli.ts";
import { machineProcess } from "./foreign_session.ts";

const ON = "liveupdate=on kho=on";

async function preserved(cli: Cli): Promise<void> {
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--from", cli.file("in", "hello"), "--token", "7"]);
}

async function statusOf(cli: Cli): Promise<Status> {
  const { status } = await cli.json<{ status: Status }>(["status"]);
  return status;
}

/** Another program executes the loaded kernel, and opens the device of the next one before the agent goes on there. */
async function execAndTakeDevice(cli: Cli) {
  const { agent } = await cli.json<{ agent: { pid: number } }>(["agent", "status"]);
  Deno.kill(agent.pid, "SIGSTOP");
  try {
    const other = machineProcess(cli);
    assert.throws(() => exec(other), ProcessKilled);
    const sys = machineProcess(cli);
    return { sys, device: openDevice(sys) };
  } finally {
    Deno.kill(agent.pid, "SIGCONT");
  }
}

const lost = ({ losses }: Status) => losses.map(({ session, files }) => [session, files.length]);

Deno.test("a handover that the kernel cannot read: the losses are listed, and the next kernel can be loaded", async (t) => {
  await using cli = new Cli();
  await preserved(cli);
  // The next kernel has no handler for memfds: it cannot read the session (EIO).
  const line = `${ON} initcall_blacklist=memfd_luo_init`;
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", line]);
  await cli.fails(1, /broken \(EIO\)[^]*session "vm1" \(incoming\), 1 file, 5 B: .*\(EIO\)/, [
    "kexec",
    "exec",
  ]);
  const broken = await statusOf(cli);
  const { path, state, errno } = broken.device;
  assert.deepEqual([path, state, errno], ["/dev/liveupdate", "broken", "EIO"]);
  assert.deepEqual([lost(broken), broken.sessions], [[["vm1", 1]], []]);
  const needy: string[][] = [
    ["session", "list"],
    ["session", "create", "x"],
    ["session", "retrieve", "vm1"],
    ["session", "finish", "vm1"],
    ["session", "close", "vm1"],
    ["session", "show", "vm1"],
    ["file", "list", "vm1"],
    ["file", "preserve", "vm1", "--from", "in", "--token", "1"],
    ["file", "restore", "vm1", "7", "--to", "out"],
  ];
  for (const args of needy) {
    await t.step(args.join(" "), () => cli.fails(3, /\/dev\/liveupdate \(EIO\)\n.*next kexec/, args));
  }
  await t.step("a second agent of the boot tells the losses once", async () => {
    using _ = machineProcess(cli);
    assert.equal(
      await cli.ok(["agent", "stop"]),
      "Agent stopped; its record, log and locks stay beside its socket for the next agent\n",
    );
    assert.match(await cli.ok(["agent", "start"]), /^Agent started: .*\n.*broken \(EIO\)\n.*next kexec/);
    assert.deepEqual(lost(await statusOf(cli)), [["vm1", 1]]);
  });
  await t.step("the next kernel is loaded, shown and executed without force", async () => {
    await cli.ok(["kexec", "load", cli.kernel, "--command-line", ON]);
    assert.match(await cli.ok(["kexec", "show"]), /kernel/i);
    await cli.luo(["kexec", "exec"]);
    assert.equal((await statusOf(cli)).device.state, "ready");
    await preserved(cli);
  });
});

Deno.test("a device that another program holds: nothing is called lost, and all is there once the device is free", async (t) => {
  await using cli = new Cli();
  await preserved(cli);
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", ON]);
  const { sys, device } = await execAndTakeDevice(cli);
  await t.step("status", async () => {
    const { device, losses, sessions } = await statusOf(cli);
    assert.deepEqual([device.state, device.errno, device.unread], ["busy", "EBUSY", true]);
    assert.deepEqual([losses, sessions], [[], []]);
    assert.match(await cli.ok(["status"]), /busy \(EBUSY\)[^]*Sessions unknown\n[^]*stop the other one/);
  });
  for (const args of [["session", "list"], ["session", "create", "x"], ["session", "retrieve", "vm1"]]) {
    await t.step(
      args.join(" "),
      () => cli.fails(3, /\/dev\/liveupdate \(EBUSY\)\n.*stop the other one/, args),
    );
  }
  await t.step("kexec exec is refused, because sessions may wait", async () => {
    await cli.ok(["kexec", "load", cli.kernel, "--command-line", ON]);
    await cli.fails(4, /cannot be opened \(EBUSY\)[^]*luo status[^]*--force$/m, ["kexec", "exec"]);
  });
  await t.step("stopping such an agent loses nothing", async () => {
    await cli.ok(["agent", "stop"]);
    assert.deepEqual(lost(await statusOf(cli)), []);
  });
  device.close();
  await t.step("the device is free: the session waits", async () => {
    const { sessions } = await cli.json<{ sessions: SessionInfo[] }>(["session", "list"]);
    assert.deepEqual(sessions.map(({ name, state, files }) => [name, state, files.length]), [[
      "vm1",
      "incoming",
      1,
    ]]);
    const { losses, lastUpdate } = await statusOf(cli);
    assert.deepEqual([losses, lastUpdate?.sessions], [[], 1]);
    await cli.ok(["session", "retrieve", "vm1"]);
    await cli.ok(["file", "restore", "vm1", "7", "--to", "out"]);
    assert.equal(Deno.readTextFileSync(cli.path("out")), "hello");
    await cli.ok(["session", "finish", "vm1"]);
  });
  sys[Symbol.dispose]();
});

Deno.test("a device that became free: kexec exec looks at the sessions that wait before it judges", async () => {
  await using cli = new Cli();
  await preserved(cli);
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", ON]);
  const { sys, device } = await execAndTakeDevice(cli);
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", ON]);
  device.close();
  await cli.fails(4, /session "vm1" was handed over and is not retrieved/, ["kexec", "exec"]);
  sys[Symbol.dispose]();
});

Deno.test("a kernel without live update: the agent loads one that has it", async (t) => {
  await using cli = new Cli();
  await preserved(cli);
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", "kho=on", "--force"]);
  await cli.ok(["kexec", "exec", "--force"]);
  await t.step("status", async () => {
    const status = await statusOf(cli);
    assert.deepEqual([status.device.state, status.device.errno], ["absent", "ENOENT"]);
    assert.deepEqual(lost(status), [["vm1", 1]]);
    assert.match(status.losses[0]?.reason ?? "", /the kernel that runs has no live update/);
  });
  await t.step("create", () => cli.fails(3, /no live update[^]*--backend model/, ["session", "create", "x"]));
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", ON]);
  await cli.luo(["kexec", "exec"]);
  assert.equal((await statusOf(cli)).device.state, "ready");
});

Deno.test({
  name: "a host without live update: the agent starts and says so, a session is exit 3",
  ignore: existsDevice(),
  async fn() {
    await using cli = new Cli();
    const linux = { env: { LUO_BACKEND: "linux" } };
    assert.match(
      await cli.ok(["agent", "start"], linux),
      /^Agent started: .*\n.*absent \(ENOENT\)\n.*no live update/,
    );
    assert.match(
      await cli.ok(["status"], linux),
      /^Device +\/dev\/liveupdate absent \(ENOENT\), last tried 20.* UTC$/m,
    );
    await cli.fails(3, /ENOENT[^]*no live update[^]*--backend model/, ["session", "create", "x"], linux);
    await cli.ok(["agent", "stop"], linux);
  },
});

function existsDevice(): boolean {
  try {
    Deno.lstatSync("/dev/liveupdate");
    return true;
  } catch {
    return false;
  }
}
