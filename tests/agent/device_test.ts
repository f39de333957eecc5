/** The device beside other programs: the agent has it open only while it uses it, and waits for it without keeping others waiting. */
import assert from "node:assert/strict";
import { runAgent } from "../../lib/agent/agent.ts";
import { createSession } from "../../lib/agent/session_methods.ts";
import { AgentError, AsyncAgentClient } from "../../lib/agent_client.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import type { SystemCalls } from "../../lib/system_calls.ts";
import { start } from "./state_on_model.ts";

/** Runs an agent on a machine in this process, and `check` with a client of it and with another process of the machine. */
async function beside(check: (client: AsyncAgentClient, other: SystemCalls) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  const machine = new Machine({ host: new LinuxHost() });
  const socket = `${directory}/agent.sock`;
  const stop = new AbortController();
  const sys = machine.spawn();
  const log = () => {};
  const running = runAgent({ sys, backend: "model", socket, version: "test", log, stop: stop.signal });
  try {
    const client = new AsyncAgentClient(socket);
    await client.ready();
    await check(client, machine.spawn());
  } finally {
    stop.abort();
    await running;
    await Deno.remove(directory, { recursive: true });
  }
}

const deviceOf = async (client: AsyncAgentClient) => (await client.call("GetStatus", {})).reply.status.device;

Deno.test("another program uses the device beside an agent that holds sessions", () =>
  beside(async (client, other) => {
    await client.call("CreateSession", { name: "a" });
    {
      using device = openDevice(other);
      device.create("b");
    }
    await client.call("CreateSession", { name: "c" });
    const { sessions } = (await client.call("ListSessions", {})).reply;
    assert.deepEqual(sessions.map(({ name }) => name), ["a", "c"]);
  }));

Deno.test("a client that needs the device waits until it is free, and the agent answers others meanwhile", () =>
  beside(async (client, other) => {
    const device = openDevice(other);
    let created = false;
    const creating = client.call("CreateSession", { name: "a" }).then(() => created = true);
    assert.equal((await deviceOf(client)).state, "busy");
    assert.ok(!created);
    device.close();
    await creating;
    assert.equal((await deviceOf(client)).state, "ready");
  }));

Deno.test("several clients that wait are all served", () =>
  beside(async (client, other) => {
    const device = openDevice(other);
    const done: string[] = [];
    const calls = ["a", "b", "c"].map((name) =>
      client.call("CreateSession", { name }).then(() => done.push(name))
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(done, []);
    device.close();
    await Promise.all(calls);
    assert.deepEqual(done.sort(), ["a", "b", "c"]);
  }));

Deno.test("patience ends: the client is told that the device is busy, and nothing was done", () =>
  beside(async (client, other) => {
    using _ = openDevice(other);
    await assert.rejects(
      client.call("CreateSession", { name: "a" }),
      (error) => error instanceof AgentError && /EBUSY/.test(JSON.stringify(error.parameters)),
    );
    const { state, errno, unread, seenAt } = await deviceOf(client);
    assert.deepEqual([state, errno, unread], ["busy", "EBUSY", undefined]);
    assert.ok(Date.parse(seenAt ?? "") > Date.now() - 60_000);
  }));

Deno.test("a client that goes away while it waits leaves nothing", () =>
  beside(async (client, other) => {
    const device = openDevice(other);
    const command = new AbortController();
    const created = client.call("CreateSession", { name: "a" }, { signal: command.signal });
    const rejected = assert.rejects(created, { name: "AbortError" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    command.abort();
    await rejected;
    await until(() => connections(client) === 0);
    device.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual((await client.call("ListSessions", {})).reply.sessions, []);
  }));

/** Connections that the agent has open: proc_net(5), where the socket that listens is in another state. */
function connections({ socket }: AsyncAgentClient): number {
  const lines = Deno.readTextFileSync("/proc/net/unix").split("\n").map((line) => line.split(/ +/));
  return lines.filter(([, , , , , state, , path]) => state === CONNECTED && path === socket).length;
}

const CONNECTED = "03";

async function until(check: () => boolean): Promise<void> {
  for (let tries = 0; !check(); tries++) {
    assert.ok(tries < 3000, "it does not come");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("the agent stops while a client waits", () =>
  beside(async (client, other) => {
    const _held = openDevice(other);
    client.call("CreateSession", { name: "a" }).catch(() => {});
    await client.call("ListSessions", {});
  }));

Deno.test("an agent that found the device busy at its start reads the handover when it is free, without being asked", async () => {
  const directory = await Deno.makeTempDir();
  const machine = new Machine({ host: new LinuxHost() });
  const other = machine.spawn();
  const device = openDevice(other);
  const stop = new AbortController();
  const socket = `${directory}/agent.sock`;
  const sys = machine.spawn();
  const running = runAgent({
    sys,
    backend: "model",
    socket,
    version: "test",
    log: () => {},
    stop: stop.signal,
  });
  // The record is written when the handover is read.
  const record = async () => await Deno.stat(`${socket}.state`).then(() => true, () => false);
  await new AsyncAgentClient(socket).ready();
  assert.equal(await record(), false);
  device.close();
  for (let tries = 0; tries < 3000 && !await record(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(await record(), true);
  stop.abort();
  await running;
  await Deno.remove(directory, { recursive: true });
});

Deno.test("the device is closed after every request", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  using state = start(machine, directory);
  const other = machine.spawn();
  const isFree = () => openDevice(other).close();
  isFree();
  createSession(state, { name: "a" });
  isFree();
  assert.throws(() => createSession(state, { name: "a" }), /EEXIST/);
  isFree();
  Deno.removeSync(directory, { recursive: true });
});
