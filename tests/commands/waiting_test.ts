/** No command waits without limit: not for an agent that is stopped, nor for a listener that is silent. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { unix_connect, unix_listen } from "../../ffi/socket.ts";
import { connectAgent, NoAnswer } from "../../lib/agent/client.ts";
import { luoCommand } from "../luo_under_test.ts";
import { Cli } from "./cli.ts";

/** One call of each kind: through an agent that must run, through one that may be started, with a file, and the kexec. */
const CALLS: readonly (readonly string[])[] = [
  ["status"],
  ["status", "--watch"],
  ["agent", "status"],
  ["agent", "start"],
  ["agent", "stop"],
  ["session", "create", "vm2"],
  ["file", "preserve", "vm1", "--from", "kernel", "--token", "8"],
  ["kexec", "exec"],
];

async function allGiveUp(cli: Cli, t: Deno.TestContext): Promise<void> {
  for (const call of CALLS) {
    await t.step(call.join(" "), async () => {
      const args = [...call, "--timeout", "0.5"];
      // A loaded host makes one run slow. A command that waits for too long does so in every run.
      for (let tries = 1;; tries++) {
        const began = Date.now();
        await cli.fails(3, /does not answer within 0\.5 seconds\n[^]*--timeout/, args);
        if (Date.now() - began < 8000) return;
        assert.ok(tries < 5, "the command took too long each time");
      }
    });
  }
}

Deno.test("a stopped agent: every command gives up with exit code 3", async (t) => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const pid = (await cli.json<{ agent: { pid: number } }>(["agent", "status"])).agent.pid;
  Deno.kill(pid, "SIGSTOP");
  try {
    await allGiveUp(cli, t);
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
  assert.match(await cli.ok(["session", "list"]), /vm1/);
});

Deno.test("a listener that accepts nothing: every command gives up, also when its backlog is full", async (t) => {
  await using cli = new Cli();
  const listener = unix_listen(cli.socket, SOCK_STREAM, 0);
  // Connections that nothing accepts stay in the backlog, after their client has ended too.
  await allGiveUp(cli, t);
  const [first, second] = [0, 1].map(() => unix_connect(cli.socket, SOCK_STREAM | SOCK_NONBLOCK));
  assert.equal(second, -Errno.EAGAIN, "the backlog is full");
  await cli.fails(3, /does not answer/, ["status", "--timeout", "0.5"]);
  [listener, first].forEach((fd) => fd !== undefined && fd >= 0 && close(fd));
});

Deno.test("without --timeout a silent agent is given up after ten seconds", async () => {
  await using cli = new Cli();
  const listener = unix_listen(cli.socket, SOCK_STREAM, 8);
  await cli.fails(3, /does not answer within 10 seconds/, ["status"]);
  close(listener);
});

Deno.test("a call that may have been carried out: the message says so", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  // The agent answers Identify, and is stopped before it reads the next call.
  const { agent } = await cli.json<{ agent: { pid: number } }>(["agent", "status"]);
  using client = connectAgent(cli.socket);
  client.call("Identify", {});
  Deno.kill(agent.pid, "SIGSTOP");
  try {
    assert.throws(
      () => client.call("CloseSession", { name: "vm1" }, [], 200),
      (error) => error instanceof NoAnswer && error.method === "CloseSession",
    );
  } finally {
    Deno.kill(agent.pid, "SIGCONT");
  }
});

Deno.test("a stopped machine of the model: kho show gives up", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const pids = cli.processes("machine");
  assert.equal(pids.length, 1);
  for (const pid of pids) Deno.kill(pid, "SIGSTOP");
  try {
    await cli.fails(3, /ETIMEDOUT/, ["kho", "show", "--timeout", "0.5"]);
  } finally {
    for (const pid of pids) Deno.kill(pid, "SIGCONT");
  }
});

Deno.test("a named socket whose directory does not exist: exit code 3, the way out, and nothing is made", async (t) => {
  await using cli = new Cli();
  const before = [...Deno.readDirSync(cli.dir)].length;
  const socket = cli.path("typo here/s");
  for (const args of [["status"], ["session", "create", "vm1"], ["agent", "start"], ["agent", "run"]]) {
    await t.step(args.join(" "), async () => {
      await cli.fails(3, /no directory|ENOENT/, [...args, "--socket", socket]);
      await cli.fails(3, /mkdir -p -m 700/, args, { env: { LUO_SOCKET: socket } });
    });
  }
  assert.equal([...Deno.readDirSync(cli.dir)].length, before);
  await cli.fails(3, /mkdir -p -m 700 '.*typo here'$/m, ["status", "--socket", socket]);
  assert.equal(
    (await cli.shell("mkdir -p -m 700 'typo here'; luo status --socket \"$D/typo here/s\"")).code,
    0,
  );
  await cli.ok(["agent", "stop", "--socket", socket]);
});

Deno.test("the directory of the default socket is made", async () => {
  await using cli = new Cli();
  if (Deno.uid() === 0) return; // root's default is /run/luo, which belongs to the host.
  const env = { LUO_SOCKET: "", XDG_RUNTIME_DIR: cli.dir };
  assert.match(await cli.ok(["session", "list"], { env }), /No sessions/);
  assert.equal((Deno.statSync(cli.path("luo")).mode ?? 0) & 0o777, 0o700);
  await cli.ok(["agent", "stop"], { env });
});

Deno.test("an agent whose socket was removed makes it again, and every command finds it", async (t) => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  for (
    const args of [["session", "show", "vm1"], ["agent", "status"], ["session", "list"], [
      "agent",
      "stop",
      "--force",
    ]]
  ) {
    await t.step(args.join(" "), async () => {
      Deno.removeSync(cli.socket);
      assert.match(await cli.ok(args), /vm1|Agent stopped|pid/);
    });
  }
});

Deno.test("luo agent start waits as long as --timeout says for another command that starts the agent", async () => {
  await using cli = new Cli();
  const { code, err } = await cli.shell(`
    exec 9>"$LUO_SOCKET.start"
    flock 9
    luo agent start --timeout 0.5`);
  assert.equal(code, 3);
  assert.match(err, /Cannot start the agent: another command still starts it\n[^]*--timeout/);
});

Deno.test("commands that preserve files at the same time do not wait for each other", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const preserve = ["file", "preserve", "vm1", "--digest"];
  const slow = luoCommand([...preserve, "--stdin", "--token", "1"], {
    env: cli.env,
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const input = slow.stdin.getWriter();
  await input.write(new Uint8Array(1 << 20));
  await cli.ok([...preserve, "--from", cli.kernel, "--token", "2"]);
  await input.close();
  assert.equal((await slow.status).code, 0);
});
