/** The file system of the agent's socket is full: the update goes on, and nothing is misreported before or after there is room again. */
import assert from "node:assert/strict";
import type { Status } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";

/** A file system of one megabyte where the agent's files lie. */
class SmallDisk implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async mount(path: string): Promise<SmallDisk> {
    Deno.mkdirSync(path);
    const args = ["-t", "tmpfs", "-o", "size=1m,mode=700", "luo-test", path];
    const { code, stderr } = await new Deno.Command("mount", { args }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    return new SmallDisk(path);
  }

  /** Takes the room that there is, also after a process gave some back. */
  fill(): void {
    using file = Deno.openSync(`${this.path}/fill`, { create: true, append: true });
    for (const size of [4096, 1]) {
      try {
        for (;;) file.writeSync(new Uint8Array(size));
      } catch { /* it is full */ }
    }
  }

  free(): void {
    Deno.removeSync(`${this.path}/fill`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Deno.Command("umount", { args: ["-l", this.path] }).output();
  }
}

async function statusOf(cli: Cli): Promise<Status> {
  const { status } = await cli.json<{ status: Status }>(["status"]);
  return status;
}

async function killAgent(cli: Cli): Promise<void> {
  const { agent } = await cli.json<{ agent: Status["agent"] }>(["agent", "status"]);
  Deno.kill(agent.pid, "SIGKILL");
  for (;;) {
    if ((await cli.luo(["agent", "status"])).code === 3) return;
  }
}

const told = ({ sessions }: Status) => sessions.map(({ name, state, files }) => [name, state, files.length]);

Deno.test({
  name:
    "a kexec on a full disk: the session waits, also for the next agent of the boot, and is there when there is room",
  ignore: Deno.uid() !== 0,
  async fn(t) {
    await using cli = new Cli("disk");
    await using disk = await SmallDisk.mount(cli.path("disk"));
    await cli.ok(["session", "create", "s"]);
    await cli.ok(["file", "preserve", "s", "--from", cli.file("in", "hello"), "--token", "1"]);
    await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
    disk.fill();
    await t.step("the kexec succeeds", async () => {
      assert.match(await cli.ok(["kexec", "exec"]), /is running, 1 session handed over/);
    });
    for (const agent of ["the agent of the kexec", "the next agent"]) {
      await t.step(agent, async () => {
        const status = await statusOf(cli);
        assert.deepEqual([told(status), status.losses], [[["s", "incoming", 1]], []]);
        assert.equal(status.lastUpdate?.sessions, 1);
      });
      if (agent === "the agent of the kexec") await killAgent(cli);
    }
    await t.step("a change that cannot be recorded is not made, and the command says why", async () => {
      disk.fill();
      await cli.fails(1, /ENOSPC[^]*make room/, ["session", "retrieve", "s"]);
      disk.fill();
      await cli.fails(1, /ENOSPC[^]*make room/, ["session", "create", "other"]);
      assert.deepEqual(told(await statusOf(cli)), [["s", "incoming", 1]]);
      assert.match(await cli.ok(["status"]), /^Record +not written: .*ENOSPC/m);
    });
    disk.free();
    await cli.ok(["session", "retrieve", "s"]);
    await cli.ok(["file", "restore", "s", "1", "--to", "out"]);
    assert.equal(Deno.readTextFileSync(cli.path("out")), "hello");
    await cli.ok(["session", "finish", "s"]);
    const status = await statusOf(cli);
    assert.deepEqual([told(status), status.losses, status.agent.unrecorded], [[], [], undefined]);
    assert.equal(status.lastUpdate?.sessions, 1);
  },
});
