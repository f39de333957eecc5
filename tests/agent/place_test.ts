/** The place of an agent: its directory, its socket, and the files of agents before it. */
import assert from "node:assert/strict";
import { runAgent } from "../../lib/agent/agent.ts";
import { connectAgent } from "../../lib/agent/client.ts";
import { agentPaths, listen, makeDirectory, takePlace } from "../../lib/agent/agent_place.ts";
import { HeldPlace } from "../../lib/agent/held_place.ts";
import { LuoError } from "../../lib/error.ts";
import { close } from "../../ffi/file.ts";
import { Machine } from "../../lib/model/machine.ts";
import { TestAgent } from "./start.ts";

const mode = (path: string) => (Deno.lstatSync(path).mode ?? 0) & 0o777;

function inDirectory(work: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("place: the directory is made 0700, the socket 0600", () => {
  inDirectory((directory) => {
    const paths = agentPaths(`${directory}/new/s`);
    makeDirectory(paths.directory);
    const lock = takePlace(paths);
    const socket = listen(paths);
    assert.deepEqual([mode(paths.directory), mode(paths.socket), mode(paths.lock)], [0o700, 0o600, 0o600]);
    [lock, socket].forEach(close);
  });
});

Deno.test("place: a directory that does not exist is not made", () => {
  inDirectory((directory) => {
    assert.throws(
      () => takePlace(agentPaths(`${directory}/typo/s`)),
      (error) => error instanceof LuoError && error.operation === "listen" && error.is("ENOENT"),
    );
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  });
});

for (const others of [0o701, 0o710, 0o755, 0o777]) {
  Deno.test(`place: a directory of mode ${others.toString(8)} is refused`, () => {
    inDirectory((directory) => {
      Deno.chmodSync(directory, others);
      assert.throws(() => takePlace(agentPaths(`${directory}/s`)), (error) => {
        assert.ok(error instanceof LuoError && error.is("EPERM"));
        assert.match(error.message, /others may enter it; .*chmod 700.*--socket/);
        return true;
      });
    });
  });
}

Deno.test("place: the files of a dead agent are replaced", () => {
  inDirectory((directory) => {
    const paths = agentPaths(`${directory}/s`);
    for (let agent = 0; agent < 2; agent++) [takePlace(paths), listen(paths)].forEach(close);
    assert.throws(
      () => connectAgent(paths.socket),
      (error) => error instanceof LuoError && error.is("ECONNREFUSED"),
    );
  });
});

Deno.test("place: a lock whose directory was removed is taken again, unless another agent has it", () => {
  inDirectory((directory) => {
    const paths = agentPaths(`${directory}/in/s`);
    makeDirectory(paths.directory);
    using first = new HeldPlace(paths);
    assert.ok(first.isHeld);
    Deno.removeSync(paths.directory, { recursive: true });
    assert.deepEqual([first.isHeld, first.takeAgain()], [false, false]);
    makeDirectory(paths.directory);
    {
      using second = new HeldPlace(paths);
      assert.deepEqual([first.takeAgain(), first.isHeld, second.isHeld], [false, false, true]);
    }
    assert.deepEqual([first.takeAgain(), first.isHeld], [true, true]);
    assert.throws(() => takePlace(paths), LuoError);
  });
});

Deno.test("place: a living agent is not disturbed, and its process is named", async () => {
  await using agent = await TestAgent.start();
  const second = runAgent({
    sys: new Machine().init(),
    backend: "model",
    socket: agent.socket,
    version: "second",
    log: () => {},
  });
  await assert.rejects(second, (error) => {
    assert.ok(error instanceof LuoError && error.operation === "lock");
    assert.match(error.message, new RegExp(`running already, process ${agent.child.pid} `));
    return true;
  });
  using client = agent.connect();
  assert.equal(client.call("Identify", {}).reply.pid, agent.child.pid);
});

Deno.test("place: a path too long for a socket is an error, not another path", async () => {
  const socket = `${await Deno.makeTempDir()}/${"x".repeat(100)}`;
  const sys = new Machine().init();
  const agent = runAgent({ sys, backend: "model", socket, version: "long", log: () => {} });
  await assert.rejects(agent, (error) => error instanceof LuoError && error.is("ENAMETOOLONG"));
});

Deno.test("place: an agent stopped by a signal logs the lost sessions and records them", async () => {
  const directory = await Deno.makeTempDir();
  const socket = `${directory}/s`;
  const machine = new Machine();
  const stop = new AbortController();
  const log: string[] = [];
  const held = { name: "gone", state: "outgoing", files: [] };
  const options = {
    backend: "model",
    socket,
    version: "test",
    log: (line: string) => log.push(line),
  } as const;
  const running = runAgent({ ...options, sys: machine.spawn(), stop: stop.signal });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("create_main.ts", import.meta.url).pathname, socket, held.name],
  }).output();
  assert.equal((await child).code, 0);
  stop.abort();
  await running;
  assert.deepEqual(log, ['Session "gone" is lost with 0 files: the agent was stopped by a signal']);
  const record = JSON.parse(await Deno.readTextFile(agentPaths(socket).state));
  assert.deepEqual([record.ended, record.sessions, record.losses[0].session], [true, [], "gone"]);
  await Deno.remove(directory, { recursive: true });
});
