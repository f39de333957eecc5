/** The server on the wire, with clients that behave well. */
import assert from "node:assert/strict";
import { SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { check } from "../../lib/error.ts";
import { unix_listen } from "../../ffi/socket.ts";
import type { ListenerOptions } from "../../lib/agent/listener.ts";
import type { ServerOptions } from "../../lib/agent/server_options.ts";
import { NotYet } from "../../lib/agent/turns.ts";
import { VarlinkError } from "../../lib/agent/varlink.ts";
import { VarlinkServer } from "../../lib/agent/varlink_server.ts";
import { message, RawClient } from "./raw.ts";
import { TestAgent } from "./start.ts";

const names = (answer: Record<string, unknown> | undefined) =>
  JSON.stringify(answer).match(/"name":"\w+"/g) ?? [];

Deno.test("server", async (t) => {
  await using agent = await TestAgent.start();

  await t.step("calls sent at once are answered in their order", () => {
    using client = new RawClient(agent.socket);
    const calls = [
      message("CreateSession", { name: "one" }),
      message("ListSessions"),
      message("CreateSession", { name: "one" }),
      message("CloseSession", { name: "one" }),
      message("ListSessions"),
    ];
    client.send(calls.join(""));
    assert.deepEqual(names(client.answer()), ['"name":"one"']);
    assert.deepEqual(names(client.answer()), ['"name":"one"']);
    assert.equal(client.answer()?.error, "io.luo.Agent.KernelError");
    assert.deepEqual(names(client.answer()), ['"name":"one"']);
    assert.deepEqual(client.answer(), { parameters: { sessions: [] } });
  });

  await t.step("a call may come byte by byte", () => {
    using client = new RawClient(agent.socket);
    for (const byte of message("ListSessions")) client.send(byte);
    assert.deepEqual(client.answer(), { parameters: { sessions: [] } });
  });

  await t.step("a oneway call is done and not answered, whether it succeeds or fails", () => {
    using client = new RawClient(agent.socket);
    const oneway = { oneway: true };
    client.send(message("CreateSession", { name: "quiet" }, oneway));
    client.send(message("CreateSession", { name: "quiet" }, oneway));
    client.send(message("Explode", {}, oneway));
    client.send(message("ListSessions"));
    assert.deepEqual(names(client.answer()), ['"name":"quiet"']);
    client.send(message("CloseSession", { name: "quiet" }));
    client.answer();
  });

  await t.step("with more, the status comes again after every change", () => {
    using client = new RawClient(agent.socket);
    using worker = new RawClient(agent.socket);
    client.send(message("GetStatus", {}, { more: true }));
    const first = client.answer();
    assert.equal(first?.continues, true);
    assert.deepEqual(names(first), []);
    worker.send(message("CreateSession", { name: "watched" }));
    worker.answer();
    assert.deepEqual(names(client.answer()), ['"name":"watched"']);
    worker.send(message("ListSessions") + message("CloseSession", { name: "watched" }));
    const last = client.answer();
    assert.deepEqual([names(last), last?.continues], [[], true]);
  });

  await t.step("more for a method with one answer: the only answer is the last one", () => {
    using client = new RawClient(agent.socket);
    client.send(message("ListSessions", {}, { more: true }));
    assert.deepEqual(client.answer(), { parameters: { sessions: [] } });
  });

  await t.step("org.varlink.service tells the name of the server and its interfaces", () => {
    using client = new RawClient(agent.socket);
    client.send(message("org.varlink.service.GetInfo"));
    assert.deepEqual(client.answer()?.parameters, {
      vendor: "luo",
      product: "luo agent",
      version: "test",
      url: "",
      interfaces: ["io.luo.Agent", "org.varlink.service"],
    });
  });

  await t.step("stop is answered, and then the process ends by itself", async () => {
    using client = new RawClient(agent.socket);
    client.send(message("Stop"));
    assert.deepEqual(client.answer(), { parameters: {} });
    assert.equal(client.answer(), undefined);
    assert.equal((await agent.child.status).code, 0);
  });
});

async function serving(
  options: Partial<ServerOptions & ListenerOptions>,
  work: (socket: string) => Promise<void>,
): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  const socket = `${directory}/s`;
  const log: string[] = [];
  const server = new VarlinkServer({
    listeners: [{
      listen_fd: check(unix_listen(socket, SOCK_STREAM | SOCK_NONBLOCK, 8), "listen", socket),
      clients_max: 2,
      allowed: () => true,
      ...options,
    }],
    handle: ({ method }) => ({ parameters: { method } }),
    subscribes: () => false,
    log: (line) => log.push(line),
    ...options,
  });
  const running = server.run();
  await work(socket);
  server.stop();
  await running;
  await Deno.remove(directory, { recursive: true });
  return log;
}

Deno.test("server: a user without permission gets an error, and the connection ends", async () => {
  const uids: number[] = [];
  const log = await serving({ allowed: ({ uid }) => uids.push(uid) < 0 }, async (socket) => {
    using client = new RawClient(socket);
    await client.arrives();
    assert.deepEqual(client.answer(), { error: "org.varlink.service.PermissionDenied", parameters: {} });
    await client.arrives();
    assert.equal(client.answer(), undefined);
  });
  assert.deepEqual(uids, [Deno.uid()]);
  assert.deepEqual(log, [`Turned away a client of uid ${Deno.uid()}, process ${Deno.pid}`]);
});

Deno.test("server: a place is free again once its client has gone", async () => {
  await serving({}, async (socket) => {
    for (let round = 0; round < 3; round++) {
      using one = new RawClient(socket);
      using two = new RawClient(socket);
      using three = new RawClient(socket);
      for (const client of [one, two]) client.send(message("a.b.C"));
      for (const client of [one, two, three]) await client.arrives();
      for (const client of [one, two]) assert.deepEqual(client.answer(), { parameters: { method: "a.b.C" } });
      assert.deepEqual(three.answer(), { error: "io.luo.Agent.Busy", parameters: { clients: 2 } });
    }
  });
});

Deno.test("server: calls that came with one that is postponed are not changed by other clients meanwhile", async () => {
  const tried = Promise.withResolvers<void>();
  let ready = false;
  const handle: ServerOptions["handle"] = ({ method }) => {
    tried.resolve();
    if (method === "a.b.Wait" && !ready) throw new NotYet(new VarlinkError("a.b.Never"));
    ready ||= method === "a.b.Go";
    return { parameters: { method } };
  };
  await serving({ handle }, async (socket) => {
    using one = new RawClient(socket);
    using other = new RawClient(socket);
    one.send(["Wait", "Own", "Last"].map((name) => message(`a.b.${name}`)).join(""));
    await tried.promise;
    other.send(message("a.b.Go").repeat(4));
    await other.arrives();
    assert.deepEqual(other.answer(), { parameters: { method: "a.b.Go" } });
    for (const name of ["Wait", "Own", "Last"]) {
      await one.arrives();
      assert.deepEqual(one.answer(), { parameters: { method: `a.b.${name}` } });
    }
  });
});

Deno.test("server: a handler that takes its time keeps the order of calls", async () => {
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const handle: ServerOptions["handle"] = async ({ method }) => {
    started.resolve();
    if (method === "a.b.Slow") await gate.promise;
    order.push(method);
    return { parameters: { method } };
  };
  await serving({ handle }, async (socket) => {
    using one = new RawClient(socket);
    one.send(message("a.b.Slow") + message("a.b.Fast"));
    await started.promise;
    assert.deepEqual(order, []);
    gate.resolve();
    for (const method of ["a.b.Slow", "a.b.Fast"]) {
      await one.arrives();
      assert.deepEqual(one.answer(), { parameters: { method } });
    }
  });
  assert.deepEqual(order, ["a.b.Slow", "a.b.Fast"]);
});
