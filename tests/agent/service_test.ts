/** The agent as a service: what it tells a real NOTIFY_SOCKET, and the sockets that it is given. */
import assert from "node:assert/strict";
import { F_SETFD, MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { MSG_DONTWAIT, SOCK_DGRAM, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close, fcntl, memfd_create, pread, write } from "../../ffi/file.ts";
import { getpid } from "../../ffi/process.ts";
import { recvmsg, unix_bind, unix_listen } from "../../ffi/socket.ts";
import { AsyncAgentClient } from "../../lib/agent_client.ts";
import { systemdStore } from "../../lib/agent/fd_store.ts";
import { notify } from "../../lib/agent/notify.ts";
import { callService } from "../../lib/agent/other_service.ts";
import { Service } from "../../lib/agent/service.ts";
import { check, LuoError } from "../../lib/error.ts";
import { TestAgent } from "./start.ts";

/** A directory with a socket that receives what a service tells its manager. */
class Manager implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "luo-service-" });
  readonly path = `${this.directory}/notify`;
  readonly #fd = check(unix_bind(this.path, SOCK_DGRAM), "listen", this.path);

  /** The messages that have come. */
  received(): { text: string; fds: readonly number[] }[] {
    const messages = [];
    for (const into = new Uint8Array(4096);;) {
      const got = recvmsg(this.#fd, into, 8, MSG_DONTWAIT);
      if (typeof got === "number") return messages;
      messages.push({ text: new TextDecoder().decode(into.subarray(0, got.bytes)), fds: got.fds });
    }
  }

  /** Waits until a message contains the text. Returns all texts up to there. */
  async until(text: string): Promise<string[]> {
    const all: string[] = [];
    for (let tries = 0; tries < 5000; tries++) {
      all.push(...this.received().map(({ text }) => text));
      if (all.some((one) => one.includes(text))) return all;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no ${text} in ${JSON.stringify(all)}`);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("a session goes into the fd store with its name, and is removed by it", () => {
  using manager = new Manager();
  const store = systemdStore(manager.path, 4, []);
  const memfd = memfd_create("data", MFD_CLOEXEC);
  write(memfd, new TextEncoder().encode("bytes"));
  store.push("vm1", memfd);
  close(memfd);
  store.remove("vm1");
  const [pushed, removed] = manager.received();
  assert.equal(pushed?.text, "FDSTORE=1\nFDPOLL=0\nFDNAME=vm1");
  assert.deepEqual([removed?.text, removed?.fds], ["FDSTOREREMOVE=1\nFDNAME=vm1", []]);
  const [fd = -1] = pushed?.fds ?? [];
  const into = new Uint8Array(8);
  assert.equal(new TextDecoder().decode(into.subarray(0, pread(fd, into, 0n))), "bytes");
  close(fd);
});

Deno.test("a service manager whose socket is gone is an error of the store, and of nothing else", () => {
  const variables = { NOTIFY_SOCKET: "/nonexistent/notify", FDSTORE: "4" };
  const service = new Service(variables, { socket: "/nonexistent/agent.sock", backend: "linux" });
  service.ready();
  assert.throws(
    () => service.store?.push("vm1", 0),
    (error) => error instanceof LuoError && error.operation === "store",
  );
});

Deno.test("a socket with a name that is in no file system takes messages", () => {
  const name = `luo-test-${crypto.randomUUID()}`;
  const fd = check(unix_bind(`\0${name}`, SOCK_DGRAM), "listen", name);
  notify(`@${name}`, "READY=1");
  const got = recvmsg(fd, new Uint8Array(64), 0, MSG_DONTWAIT);
  assert.equal(typeof got === "number" ? got : got.bytes, 7);
  close(fd);
});

Deno.test("only Linux's sessions can be stored, only where there is room, and only by the process that was meant", () => {
  const socket = "/nonexistent/agent.sock";
  const of = (variables: object, backend: "linux" | "model" = "linux") =>
    new Service(variables, { socket, backend }).store?.room;
  const [NOTIFY_SOCKET, FDSTORE] = ["/nonexistent/notify", "64"];
  assert.equal(of({ NOTIFY_SOCKET, FDSTORE }), 64);
  assert.equal(of({ NOTIFY_SOCKET, FDSTORE }, "model"), undefined);
  assert.equal(of({ NOTIFY_SOCKET }), undefined);
  assert.equal(of({ FDSTORE }), undefined);
  const others = { NOTIFY_SOCKET, FDSTORE, LISTEN_PID: String(getpid() + 1), LISTEN_FDS: "1" };
  assert.deepEqual(new Service(others, { socket, backend: "linux" }).store?.given, []);
});

Deno.test("a call to another service: its answer or its error, and no wait without limit", async () => {
  await using agent = await TestAgent.start();
  assert.equal(
    callService(agent.socket, "io.luo.Agent.Identify", {}, 60_000).parameters?.pid,
    agent.child.pid,
  );
  const { error } = callService(agent.socket, "io.systemd.Shutdown.KExec", {}, 60_000);
  assert.equal(error, "org.varlink.service.InterfaceNotFound");
  using manager = new Manager();
  const silent = `${manager.directory}/silent`;
  const fd = check(unix_listen(silent, SOCK_STREAM, 1), "listen", silent);
  assert.throws(() => callService(silent, "io.systemd.Shutdown.KExec", {}, 100), /silent/);
  close(fd);
  assert.throws(() => callService(`${silent}.none`, "a.b.C", {}, 100), /ENOENT/);
});

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const RUN = [Deno.execPath(), "run", "-A", "--quiet", MAIN, "agent", "run", "--backend", "model", "--socket"];

Deno.test("an agent tells its manager that it is ready, what it holds, that it lives, and that it stops", async () => {
  using manager = new Manager();
  const socket = `${manager.directory}/agent.sock`;
  const [program = "", ...args] = [...RUN, socket];
  const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: "400000" };
  const child = new Deno.Command(program, { args, env, stdin: "null", stderr: "null" }).spawn();
  try {
    const started = await manager.until("WATCHDOG=1");
    assert.deepEqual(started.slice(0, 2), [
      "READY=1",
      "STATUS=0 sessions for the next kernel, 0 of the previous one",
    ]);
    const client = new AsyncAgentClient(socket);
    await client.call("CreateSession", { name: "a" });
    await manager.until("STATUS=1 sessions for the next kernel");
    child.kill("SIGTERM");
    await manager.until("STOPPING=1");
  } finally {
    await child.status;
    await stopMachine(socket);
  }
});

Deno.test("an agent serves at the socket that its manager listens on, and leaves it there", async () => {
  using manager = new Manager();
  const socket = `${manager.directory}/agent.sock`;
  const listener = check(unix_listen(socket, SOCK_STREAM, 8), "listen", socket);
  fcntl(listener, F_SETFD, 0);
  const inode = Deno.statSync(socket).ino;
  // The client comes before the agent, as in an activation by socket.
  const client = new AsyncAgentClient(socket);
  const identity = client.call("Identify", {});
  const script = `LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=luo-agent.socket exec "$@" 3<&${listener}`;
  const args = ["-c", script, "bash", ...RUN, socket];
  const child = new Deno.Command("bash", { args, stdin: "null", stderr: "null" }).spawn();
  try {
    assert.equal((await identity).reply.pid, child.pid);
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 0);
    assert.equal(Deno.statSync(socket).ino, inode);
  } finally {
    close(listener);
    await stopMachine(socket);
  }
});

/** The model's machine outlives the agent that started it. */
async function stopMachine(socket: string): Promise<void> {
  const args = ["run", "-A", "--quiet", MAIN, "machine", "stop", "--backend", "model", "--socket", socket];
  await new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null", stderr: "null" }).output();
}

Deno.test("a socket at which another program listens is not taken away", async () => {
  using manager = new Manager();
  Deno.chmodSync(manager.directory, 0o700);
  const path = `${manager.directory}/agent.sock`;
  const listener = check(unix_listen(path, SOCK_STREAM, 8), "listen", path);
  const [command = "", ...args] = RUN;
  const run = () => new Deno.Command(command, { args: [...args, path], stderr: "piped" }).output();
  const { code, stderr } = await run();
  const text = new TextDecoder().decode(stderr);
  assert.equal(code, 3, text);
  assert.match(text, /another program listens there\n.*systemctl start luo-agent\n/);
  assert.equal(Deno.statSync(path).isSocket, true);
  close(listener);
});
