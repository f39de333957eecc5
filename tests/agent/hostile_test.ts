/** Clients that misbehave: the agent goes on, serves the others, and has as many fds as before. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create } from "../../ffi/file.ts";
import { poll } from "../../ffi/epoll.ts";
import { openFds } from "./open_fds.ts";
import { message, RawClient } from "./raw.ts";
import { TestAgent } from "./start.ts";

/** The number of the agent's fds after it has served a client and none is connected. */
function settledFds(agent: TestAgent): number {
  {
    using client = new RawClient(agent.socket);
    client.send(message("ListSessions"));
    client.answer();
  }
  // Deno opens some fds of its own in the first half second.
  let fds = openFds(agent.child.pid);
  for (let quiet = 0; quiet < 10; quiet++) {
    poll(-1, 0, 100);
    const now = openFds(agent.child.pid);
    if (now !== fds) quiet = 0;
    fds = now;
  }
  return fds;
}

/** The agent answers another client, and after a moment has as many fds as before. */
function assertUnharmed(agent: TestAgent, fds: number): void {
  {
    using other = new RawClient(agent.socket);
    other.send(message("ListSessions"));
    assert.deepEqual(other.answer(), { parameters: { sessions: [] } });
  }
  for (let tries = 0; openFds(agent.child.pid) !== fds && tries < 3000; tries++) poll(-1, 0, 10);
  assert.equal(openFds(agent.child.pid), fds, "open fds");
}

function withMemfds(count: number, use: (fds: number[]) => void): void {
  const fds = Array.from({ length: count }, () => memfd_create("hostile", MFD_CLOEXEC));
  try {
    use(fds);
  } finally {
    fds.forEach(close);
  }
}

const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const status = message("GetStatus");

/** Bytes after which the agent must end the connection. */
const cutOff: { what: string; data: string | Uint8Array; fds: number }[] = [
  { what: "an empty message", data: "\0", fds: 0 },
  { what: "garbage", data: "GET / HTTP/1.1\r\n\r\n\0", fds: 1 },
  { what: "bytes that are no UTF-8", data: Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d, 0), fds: 0 },
  { what: "JSON that is no call", data: "[1,2,3]\0", fds: 2 },
  { what: "a method that is no string", data: '{"method":{}}\0', fds: 2 },
  { what: "garbage before a good call with fds", data: `nonsense\0${status}`, fds: 3 },
  { what: "a message without an end", data: "x".repeat(3 << 20), fds: 1 },
  { what: "nesting without an end", data: deep(400_000) + "\0", fds: 0 },
  { what: "more fds than a message may carry", data: status, fds: 9 },
  { what: "as many fds as the kernel sends", data: status, fds: 253 },
  { what: "a call after a subscription", data: message("GetStatus", {}, { more: true }) + status, fds: 4 },
];

/** Bytes, and the error that must answer them. */
const answered: { what: string; data: string; fds: number; error: string; parameters: object }[] = [
  {
    what: "parameters nested deeply",
    data: `{"method":"io.luo.Agent.CreateSession","parameters":{"name":${deep(100_000)}}}\0`,
    fds: 1,
    error: "org.varlink.service.InvalidParameter",
    parameters: { parameter: "name" },
  },
  {
    what: "an fd that did not come",
    data: message("PreserveFile", { session: "a", token: "1", fileFd: 3 }),
    fds: 1,
    error: "io.luo.Agent.NoSuchSession",
    parameters: { session: "a", known: [] },
  },
  {
    what: "an image fd that did not come",
    data: message("LoadImage", { kernelFd: -1, kernel: "k" }),
    fds: 8,
    error: "org.varlink.service.InvalidParameter",
    parameters: { parameter: "kernelFd" },
  },
  {
    what: "an image and an initrd that are the same fd",
    data: message("LoadImage", { kernelFd: 0, kernel: "k", initrdFd: 0, force: true }),
    fds: 1,
    error: "org.varlink.service.InvalidParameter",
    parameters: { parameter: "initrdFd" },
  },
  {
    what: "a session name with a lone surrogate",
    data: message("CreateSession", { name: "a\ud800" }),
    fds: 1,
    error: "org.varlink.service.InvalidParameter",
    parameters: { parameter: "name" },
  },
  {
    what: "a lone surrogate in the name of a parameter, which comes back as it is",
    data: message("CreateSession", { "\udfff": "a" }),
    fds: 0,
    error: "org.varlink.service.InvalidParameter",
    parameters: { parameter: "\udfff" },
  },
  {
    what: "a lone surrogate in the name of a method",
    data: message("io.luo.Agent.\ud800"),
    fds: 0,
    error: "org.varlink.service.MethodNotFound",
    parameters: { method: "io.luo.Agent.\ud800" },
  },
  {
    what: "a method of nobody",
    data: message("io.luo.Agent.Explode"),
    fds: 2,
    error: "org.varlink.service.MethodNotFound",
    parameters: { method: "io.luo.Agent.Explode" },
  },
  {
    what: "a method of every object",
    data: message("io.luo.Agent.toString"),
    fds: 0,
    error: "org.varlink.service.MethodNotFound",
    parameters: { method: "io.luo.Agent.toString" },
  },
  {
    what: "an interface of nobody",
    data: message("com.example.Explode"),
    fds: 0,
    error: "org.varlink.service.InterfaceNotFound",
    parameters: { interface: "com.example" },
  },
  {
    what: "another protocol",
    data: message("GetStatus", {}, { upgrade: true }),
    fds: 0,
    error: "org.varlink.service.MethodNotImplemented",
    parameters: { method: "io.luo.Agent.GetStatus" },
  },
];

Deno.test("hostile clients", async (t) => {
  await using agent = await TestAgent.start();
  const before = settledFds(agent);
  assertUnharmed(agent, before);

  for (const { what, data, fds: count } of cutOff) {
    await t.step(`cut off for ${what}`, () => {
      withMemfds(count, (fds) => {
        using client = new RawClient(agent.socket);
        client.send(data, fds);
        client.untilEnd();
      });
      assertUnharmed(agent, before);
    });
  }

  for (const { what, data, fds: count, error, parameters } of answered) {
    await t.step(`answered: ${what}`, () => {
      withMemfds(count, (fds) => {
        using client = new RawClient(agent.socket);
        client.send(data, fds);
        assert.deepEqual(client.answer(), { error, parameters });
        assertUnharmed(agent, before + 1);
      });
      assertUnharmed(agent, before);
    });
  }

  await t.step("null for no parameters is no fault", () => {
    using client = new RawClient(agent.socket);
    client.send('{"method":"io.luo.Agent.ListSessions","parameters":null}\0');
    assert.deepEqual(client.answer(), { parameters: { sessions: [] } });
  });

  await t.step("bytes of any kind", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => new TextEncoder().encode(text + "\0")),
      fc.record({
        method: fc.string(),
        parameters: fc.dictionary(fc.string(), fc.jsonValue()),
        more: fc.boolean(),
      })
        .map((call) => new TextEncoder().encode(JSON.stringify(call) + "\0")),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, fc.integer({ min: 0, max: 10 })), { maxLength: 6 }), (pieces) => {
        using client = new RawClient(agent.socket);
        for (const [bytes, count] of pieces) withMemfds(count, (fds) => client.send(bytes, fds));
      }),
      { numRuns: 200 },
    );
    assertUnharmed(agent, before);
  });

  await t.step("a client that ends after half a message with fds", () => {
    withMemfds(8, (fds) => {
      using client = new RawClient(agent.socket);
      client.send('{"method":', fds);
    });
    assertUnharmed(agent, before);
  });

  await t.step("a client that sends calls and never reads an answer", () => {
    using client = new RawClient(agent.socket);
    client.stuff(status);
    assertUnharmed(agent, before + 1);
  });

  await t.step(
    "a subscriber that does not read keeps a few answers waiting, and then gets the newest one",
    () => {
      using client = new RawClient(agent.socket);
      client.send(message("GetStatus", {}, { more: true }));
      using worker = new RawClient(agent.socket);
      const label = "x".repeat(60_000);
      worker.send(message("CreateSession", { name: "s" }));
      assert.ok(worker.answer()?.parameters);
      withMemfds(1, (fds) => {
        worker.send(
          message("PreserveFile", { session: "s", token: "1", fileFd: 0, label, force: true }),
          fds,
        );
      });
      assert.ok(worker.answer()?.parameters);
      for (let change = 0; change < 320; change++) {
        worker.send(message("CreateSession", { name: "t" }) + message("CloseSession", { name: "t" }));
        worker.answer();
        worker.answer();
      }
      worker.send(message("CreateSession", { name: "newest" }));
      worker.answer();
      let answers = 1;
      while (!JSON.stringify(client.answer()).includes('"newest"')) answers++;
      assert.ok(answers < 50, `${answers} answers for 642 changes`);
      for (const name of ["s", "newest"]) {
        worker.send(message("CloseSession", { name, force: true }));
        worker.answer();
      }
      worker[Symbol.dispose]();
      client[Symbol.dispose]();
      assertUnharmed(agent, before);
    },
  );

  await t.step("more clients than there are places", () => {
    const clients = Array.from({ length: 64 }, () => new RawClient(agent.socket));
    {
      using last = new RawClient(agent.socket);
      assert.deepEqual(last.answer(), { error: "io.luo.Agent.Busy", parameters: { clients: 64 } });
      assert.equal(last.answer(), undefined);
    }
    for (const client of clients) client[Symbol.dispose]();
    poll(-1, 0, 50);
    assertUnharmed(agent, before);
  });
});
