/** Clients with access rules: what they may do, and what they tried. The attacks of docs/security.md. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { close, ftruncate, memfd_create, open } from "../../ffi/file.ts";
import { poll } from "../../ffi/epoll.ts";
import { sharedSocket } from "../../lib/agent/shared_place.ts";
import { asUser, MAY_SWITCH, type User } from "./as_user.ts";
import { openFds } from "./open_fds.ts";
import { message, RawClient } from "./raw.ts";
import { TestAgent } from "./start.ts";

const RULES = `
uid 4001 vm-*
uid 4005 *
uid 4002 db sessions=1 files=2
gid 4100 shared-*
gid 4100 shared
`;

const vm: User = { uid: 4001, gid: 4001, groups: [] };
const db: User = { uid: 4002, gid: 4002, groups: [] };
const inGroup: User = { uid: 4003, gid: 4003, groups: [5, 4100] };
const ofGroup: User = { uid: 4004, gid: 4100, groups: [] };
const stranger: User = { uid: 4999, gid: 4999, groups: [4101] };

function test(name: string, work: (agent: TestAgent, t: Deno.TestContext) => void | Promise<void>): void {
  Deno.test({
    name: `access: ${name}`,
    ignore: !MAY_SWITCH,
    async fn(t) {
      await using agent = await TestAgent.start({ access: RULES });
      await work(agent, t);
    },
  });
}

class Client extends RawClient {
  /** Calls, and returns the parameters of the answer, or the error with them. */
  ask(method: string, parameters: object = {}, fds: readonly number[] = []): Record<string, unknown> {
    this.send(message(method, parameters), fds);
    const { error, parameters: got } = this.answer() ?? { error: "the connection ended" };
    return error === undefined ? got as Record<string, unknown> : { error, ...got as object };
  }

  /** Expects the refusal of the rules. */
  refused(words: RegExp, method: string, parameters: object = {}, fds: readonly number[] = []): void {
    const { error, message } = this.ask(method, parameters, fds);
    assert.equal(error, "io.luo.Agent.NotAllowed", method);
    assert.match(String(message), words);
  }
}

function connect(agent: TestAgent, user: User): Client {
  return asUser(user, () => new Client(sharedSocket(agent.socket)));
}

function withMemfd<T>(work: (fd: number) => T): T {
  const fd = memfd_create("access", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  ftruncate(fd, 4096n);
  try {
    return work(fd);
  } finally {
    close(fd);
  }
}

/** Milliseconds of processor time of a process: proc_pid_stat(5), in ticks of 10 ms. A busy host changes it little. */
function processorTime(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

const names = (answer: Record<string, unknown>) =>
  (answer.sessions as { name: string }[]).map(({ name }) => name);

test("a service hands over its own memory, by uid, by group and by supplementary group", (agent) => {
  for (
    const [user, session] of [[vm, "vm-1"], [db, "db"], [inGroup, "shared-1"], [ofGroup, "shared"]] as const
  ) {
    using client = connect(agent, user);
    assert.equal(client.ask("CreateSession", { name: session }).error, undefined);
    const preserve = { session, token: "1", fileFd: 0, label: "ram" };
    assert.equal(withMemfd((fd) => client.ask("PreserveFile", preserve, [fd])).error, undefined);
  }
  agent.loadNext();
  using root = new Client(agent.socket);
  root.send(message("ExecImage"));
  root.untilEnd();
  using _up = agent.connect();
  using client = connect(agent, vm);
  assert.equal(client.ask("RetrieveSession", { name: "vm-1" }).error, undefined);
  assert.equal(client.ask("RestoreFile", { session: "vm-1", token: "1" }).error, undefined);
  assert.equal(client.ask("FinishSession", { name: "vm-1" }).error, undefined);
  client.refused(/session "db"/, "RetrieveSession", { name: "db" });
});

test("a client sees its own sessions only, in lists, in the status and in errors", (agent) => {
  using root = new Client(agent.socket);
  for (const name of ["vm-1", "vm-2", "db", "private"]) root.ask("CreateSession", { name });
  agent.loadNext();
  using client = connect(agent, vm);
  assert.deepEqual(names(client.ask("ListSessions")), ["vm-1", "vm-2"]);
  assert.deepEqual(client.ask("ListSessions", { limit: 1 }).next, "vm-1");
  assert.deepEqual(client.ask("ListSessions", { limit: 1, after: "a" }).next, "vm-1");
  assert.equal(client.ask("ListSessions", { limit: 5 }).next, undefined, "no name of another's session");
  assert.deepEqual(client.ask("RetrieveSession", { name: "vm-9" }).known, ["vm-1", "vm-2"]);
  const { status } = client.ask("GetStatus") as { status: Record<string, unknown> };
  assert.deepEqual(names(status), ["vm-1", "vm-2"]);
  assert.deepEqual(status.image, { loaded: true }, "the next kernel's command line is not for everybody");
  client.refused(/session "private"/, "ListSessions", { name: "private" });
});

test("a rule for all names does not give the agent's own sessions, nor systemd's", (agent) => {
  using client = connect(agent, { uid: 4005, gid: 4005, groups: [] });
  assert.equal(client.ask("CreateSession", { name: "anything" }).error, undefined);
  for (const name of ["luo-agent", "luo-values", "systemd"]) {
    for (const method of ["CreateSession", "RetrieveSession", "FinishSession", "CloseSession"]) {
      client.refused(/no access rule gives it session/, method, { name });
    }
  }
  client.refused(/user and root/, "ListValues");
  client.refused(/user and root/, "GetValue", { key: "k" });
});

test("a watcher sees its own sessions only", (agent) => {
  using client = connect(agent, vm);
  client.send(message("GetStatus", {}, { more: true }));
  const seen = () => names((client.answer()?.parameters as { status: Record<string, unknown> }).status);
  assert.deepEqual(seen(), []);
  using refused = connect(agent, vm);
  refused.send(message("GetUpdate", {}, { more: true }));
  assert.equal(refused.answer()?.error, "io.luo.Agent.NotAllowed");
  using root = new Client(agent.socket);
  root.ask("CreateSession", { name: "private" });
  assert.equal(refused.ask("Identify").error, undefined, "a refused watch is none");
  assert.deepEqual(seen(), []);
  root.ask("CreateSession", { name: "vm-1" });
  assert.deepEqual(seen(), ["vm-1"]);
});

test("attacks: another's session, root's methods, what the agent could take and the client could not", (agent) => {
  using root = new Client(agent.socket);
  for (const name of ["private", "vm-1"]) root.ask("CreateSession", { name });
  withMemfd((fd) => root.ask("PreserveFile", { session: "private", token: "7", fileFd: 0 }, [fd]));
  using client = connect(agent, vm);
  for (const name of ["private", "db", "VM-1", "vm", "systemd", "luo-agent", "../vm-1", ""]) {
    for (const method of ["CreateSession", "RetrieveSession", "FinishSession", "CloseSession"]) {
      client.refused(/no access rule gives it session/, method, { name });
    }
    const file = { session: name, token: "7" };
    client.refused(/no access rule/, "RestoreFile", file);
    client.refused(/no access rule/, "MarkFile", { ...file, restored: true });
    withMemfd((fd) => client.refused(/no access rule/, "PreserveFile", { ...file, fileFd: 0 }, [fd]));
  }
  for (let token = 0; token < 20; token++) {
    client.refused(/no access rule/, "RestoreFile", { session: "private", token: String(token) });
  }
  for (
    const method of [
      "UnloadImage",
      "ShowImage",
      "ExecImage",
      "ClearLosses",
      "Stop",
      "GetUpdate",
    ]
  ) {
    client.refused(/for the agent's user and root/, method, {});
  }
  client.refused(/root/, "Stop", { force: true });
  client.refused(/root/, "OpenSession", { name: "vm-1" });
  client.refused(/root/, "StepUpdate", { step: "cancel" });
  withMemfd((fd) => client.refused(/root/, "LoadImage", { kernelFd: 0, kernel: "k", force: true }, [fd]));
  const preserve = { session: "vm-1", token: "1" };
  for (const pid of [1, Deno.pid, agent.child.pid]) {
    client.refused(/send the descriptor/, "PreserveFile", { ...preserve, pid, descriptor: 0 });
  }
  client.refused(/force/, "RetrieveSession", { name: "vm-1", force: true });
  client.refused(/path/, "RestoreFile", { ...preserve, path: true });
  using file = connect(agent, vm);
  withMemfd((fd) => {
    const readable = open(`/proc/self/fd/${fd}`, O_RDONLY | O_CLOEXEC);
    const answer = file.ask("PreserveFile", { ...preserve, fileFd: 0 }, [readable]);
    assert.equal(answer.error, "io.luo.Agent.Refused", "a descriptor to read with would come back writable");
    file.refused(/only read/, "PreserveFile", { ...preserve, fileFd: 0, force: true }, [readable]);
    close(readable);
  });
  assert.deepEqual(names(root.ask("ListSessions")), ["private", "vm-1"], "nothing has changed");
});

test("limits: sessions and files of a rule, the length of a label and of a message", (agent) => {
  using client = connect(agent, db);
  client.ask("CreateSession", { name: "db" });
  client.refused(/limit of 1 sessions/, "CreateSession", { name: "db" });
  const preserve = (token: string, label?: string) =>
    withMemfd((fd) => client.ask("PreserveFile", { session: "db", token, fileFd: 0, label }, [fd]));
  assert.match(String(preserve("1", "x".repeat(257)).message), /256 characters/);
  assert.equal(preserve("1", "x".repeat(256)).error, undefined);
  assert.equal(preserve("2").error, undefined);
  assert.match(String(preserve("3").message), /limit of 2 files/);
  client.send("x".repeat(2 << 20));
  client.untilEnd();
});

test("a stranger is turned away, and many clients of one user leave room for others", (agent) => {
  using nobody = connect(agent, stranger);
  assert.deepEqual(nobody.answer(), { error: "org.varlink.service.PermissionDenied", parameters: {} });
  nobody.untilEnd();
  asUser(vm, () => assert.throws(() => new Client(agent.socket), /EACCES/));
  const many = Array.from({ length: 16 }, () => connect(agent, vm));
  {
    using last = connect(agent, vm);
    assert.deepEqual(last.answer(), { error: "io.luo.Agent.Busy", parameters: { clients: 16 } });
  }
  using other = connect(agent, db);
  assert.equal(other.ask("Identify").error, undefined);
  using root = new Client(agent.socket);
  assert.equal(root.ask("Identify").error, undefined);
  for (const client of many) client[Symbol.dispose]();
});

test("floods of calls, descriptors and bytes: root is answered within a second of processor time, and no descriptor is left", (agent) => {
  using root = new Client(agent.socket);
  root.ask("Identify");
  poll(-1, 0, 700);
  const before = openFds(agent.child.pid);
  const clients = Array.from({ length: 8 }, () => connect(agent, vm));
  for (const client of clients) {
    client.stuff(message("GetStatus"));
    withMemfd((fd) => client.send('{"method":', Array(8).fill(fd), 0x40));
  }
  const start = processorTime(agent.child.pid);
  assert.equal(root.ask("CreateSession", { name: "vm-x" }).error, undefined);
  const took_ms = processorTime(agent.child.pid) - start;
  assert.ok(took_ms < 1000, `root waited for ${took_ms} ms of the agent's time`);
  for (const client of clients) client[Symbol.dispose]();
  for (let tries = 0; openFds(agent.child.pid) > before && tries < 3000; tries++) poll(-1, 0, 10);
  assert.ok(openFds(agent.child.pid) <= before, `${openFds(agent.child.pid)} descriptors, before ${before}`);
});
