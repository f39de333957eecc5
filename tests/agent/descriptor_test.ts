/** Files of clients that cannot send or receive descriptors: preserved by process and number, opened by a path. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, write } from "../../ffi/file.ts";
import { type AgentClient, AgentError } from "../../lib/agent/client.ts";
import { parseStatus, type ProcessStatus, whyNot } from "../../lib/agent/descriptor_of.ts";
import type { Methods } from "../../lib/agent/protocol.ts";
import { TestAgent } from "./start.ts";

const ALL = 0x1ffn;
const root: ProcessStatus = { uids: [0, 0, 0], capabilities: ALL, namespaces: 1 };
const weak: ProcessStatus = { ...root, capabilities: 0n };
const user: ProcessStatus = { uids: [1000, 1000, 1000], capabilities: 0n, namespaces: 1 };

/** Clients and the processes of which they may take a descriptor. The agent itself may take from all of them. */
const RULES: readonly [
  what: string,
  uid: number,
  client: typeof root | undefined,
  process: typeof root,
  RegExp?,
][] = [
  ["a client its own", 1000, user, user],
  ["root its own", 0, root, root],
  ["root from root with fewer capabilities", 0, root, weak],
  ["root without capabilities from root with them", 0, weak, root, /lacks/],
  ["a user from root", 1000, user, root, /not of the client's user/],
  ["root from a user", 0, root, user, /not of the client's user/],
  ["a user from a program that runs as root for them", 1000, user, { ...user, uids: [1000, 0, 0] }, /not of/],
  ["a user from one that can become root again", 1000, user, { ...user, uids: [1000, 1000, 0] }, /not of/],
  ["a client of another PID namespace", 0, { ...root, namespaces: 2 }, root, /namespace/],
  ["a client that has ended", 0, undefined, root, /ended/],
];
for (const [what, uid, client, process, reason] of RULES) {
  Deno.test(`descriptor of a process: ${what}: ${reason === undefined ? "yes" : "no"}`, () => {
    const answer = whyNot(uid, client, process);
    if (reason === undefined) assert.equal(answer, undefined);
    else assert.match(answer ?? "", reason);
  });
}

Deno.test("descriptor of a process: /proc/PID/status as Linux writes it", () => {
  const text = "Name:\tUid:\nUid:\t1000\t1001\t1002\t1003\nNSpid:\t70\t1\nCapPrm:\t000001ffffffffff\n";
  assert.deepEqual(parseStatus(text), {
    uids: [1000, 1001, 1002],
    capabilities: 0x1ffffffffffn,
    namespaces: 2,
  });
  assert.equal(parseStatus(""), undefined);
});

function memfd(text: string): number {
  const fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  write(fd, new TextEncoder().encode(text));
  return fd;
}

function fails(
  client: AgentClient,
  given: Partial<Methods["PreserveFile"]["request"]>,
  reason: RegExp,
): void {
  assert.throws(
    () => client.call("PreserveFile", { session: "vm1", token: "7", ...given }),
    (error) => error instanceof AgentError && reason.test(error.message),
  );
}

Deno.test("a file preserved by pid and descriptor comes back by a path, which ends with the connection", async () => {
  await using agent = await TestAgent.start();
  {
    using client = agent.connect();
    client.call("CreateSession", { name: "vm1" });
    const descriptor = memfd("hello");
    const request = { session: "vm1", token: "7", pid: Deno.pid, descriptor };
    assert.equal(client.call("PreserveFile", request).reply.file.size, 5);
    close(descriptor);
    agent.loadNext();
    assert.equal(client.callUntilEnd("ExecImage", {}), true);
  }
  const client = agent.connect();
  client.call("RetrieveSession", { name: "vm1" });
  const file = { session: "vm1", token: "7" };
  {
    using plain = client.call("RestoreFile", file);
    assert.equal(plain.reply.path, undefined);
  }
  using answer = client.call("RestoreFile", { ...file, path: true });
  const { path = "" } = answer.reply;
  assert.equal(Deno.readTextFileSync(path), "hello");
  client[Symbol.dispose]();
  using other = agent.connect();
  other.call("Identify", {});
  assert.throws(() => Deno.readTextFileSync(path));
});

Deno.test("a client for which too many files are held is cut off", async () => {
  await using agent = await TestAgent.start();
  agent.handOver("vm1", "7", memfd("hello"));
  using client = agent.connect();
  client.call("RetrieveSession", { name: "vm1" });
  assert.throws(() => {
    for (let times = 0; times < 100; times++) {
      client.call("RestoreFile", { session: "vm1", token: "7", path: true })[Symbol.dispose]();
    }
  }, { name: "ConnectionEnded" });
  using other = agent.connect();
  assert.equal(other.call("Identify", {}).reply.backend, "model");
});

Deno.test("a descriptor that the client does not have is refused with the reason", async () => {
  await using agent = await TestAgent.start();
  using client = agent.connect();
  client.call("CreateSession", { name: "vm1" });
  const pid = Deno.pid;
  fails(client, {}, /BadRequest.*either/);
  fails(client, { pid }, /BadRequest.*either/);
  fails(client, { descriptor: 0 }, /BadRequest.*either/);
  fails(client, { fileFd: 0, pid, descriptor: 0 }, /BadRequest.*either/);
  for (
    const bad of [{ pid: 0 }, { pid: -1 }, { pid: 2 ** 32 }, { descriptor: -1 }, { descriptor: 2 ** 31 }]
  ) {
    fails(client, { pid, descriptor: 0, ...bad }, /BadRequest.*there is no descriptor/);
  }
  fails(client, { pid, descriptor: 1_000_000 }, /EBADF/);
  fails(client, { pid: 2 ** 31 - 1, descriptor: 0 }, /ESRCH/);
});

Deno.test({
  name: "the agent of root takes nothing from a process of another user",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using agent = await TestAgent.start();
    using client = agent.connect();
    client.call("CreateSession", { name: "vm1" });
    // The checkout can be in a directory that the other user may not enter.
    await using other = new Deno.Command("sleep", { args: ["60"], uid: 65534, cwd: "/" }).spawn();
    fails(client, { pid: other.pid, descriptor: 0 }, /not of the client's user.*EPERM/);
  },
});

Deno.test({
  name: "root without capabilities gets no descriptor of root with them through the agent of root",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using agent = await TestAgent.start();
    using client = agent.connect();
    client.call("CreateSession", { name: "vm1" });
    const descriptor = memfd("hello");
    const main = new URL("preserve_main.ts", import.meta.url).pathname;
    const words = [main, agent.socket, String(Deno.pid), String(descriptor)];
    const { stdout } = await new Deno.Command("setpriv", {
      args: ["--bounding-set=-all", "--inh-caps=-all", Deno.execPath(), "run", "-A", "--quiet", ...words],
      stderr: "inherit",
    }).output();
    close(descriptor);
    assert.match(new TextDecoder().decode(stdout), /capabilities that the client lacks.*EPERM/);
    assert.deepEqual(client.call("ListSessions", {}).reply.sessions.flatMap(({ files }) => files), []);
  },
});
