/** The memory of an agent and of its model does not grow with the number of requests that it has answered. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { close, memfd_create, write } from "../../ffi/file.ts";
import type { AgentClient } from "../../lib/agent/client.ts";
import { MeasuredAgent, type Memory } from "./measured_agent.ts";

const session = "s";
const name = session;

/** Requests after which everything is as before. */
const ROUNDS: Readonly<Record<string, (client: AgentClient, fd: number) => void>> = {
  "Identify": (client) => client.call("Identify", {}),
  "ListSessions": (client) => client.call("ListSessions", {}),
  "GetStatus": (client) => client.call("GetStatus", {}),
  "create, close": (client) => {
    client.call("CreateSession", { name });
    client.call("CloseSession", { name, force: true });
  },
  "put, drop": (client) => {
    client.call("PutValue", { key: "k", base64: "AA==" });
    client.call("DropValue", { key: "k" });
  },
  "create, preserve, keep, restore, close": (client, fd) => {
    client.call("CreateSession", { name });
    client.call("PreserveFile", { session, token: "1", fileFd: 0 }, [fd]);
    client.call("KeepSession", { name });
    client.call("RestoreFile", { session, token: "1" })[Symbol.dispose]();
    client.call("CloseSession", { name, force: true });
  },
};

const STEPS = 3;
const ROUNDS_OF_A_STEP = 700;
/**
 * Bytes a round, in the step that has grown least: V8 compiles code while the agent works, but what is forgotten in each round grows in
 * each step. A Map with an object in it is several hundred bytes.
 */
const GROWTH_MAX = 100;

for (const [what, round] of Object.entries(ROUNDS)) {
  Deno.test(`agent: the memory does not grow with each ${what}`, async () => {
    await using agent = new MeasuredAgent();
    using client = await agent.connect();
    const fd = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    write(fd, Uint8Array.of(1));
    const work = (count: number) => {
      for (let done = 0; done < count; done++) round(client, fd);
    };
    const points: Memory[] = [];
    for (let step = 0; step <= STEPS; step++) {
      work(ROUNDS_OF_A_STEP);
      points.push(await agent.memory());
    }
    close(fd);
    const bytes = points.map(({ heapUsed, external }) => heapUsed + external);
    const grown = bytes.slice(1).map((now, step) => (now - (bytes[step] ?? NaN)) / ROUNDS_OF_A_STEP);
    assert.ok(Math.min(...grown) < GROWTH_MAX, `bytes that stay of each round: ${grown.join(", ")}`);
    assert.equal(points.at(-1)?.open, points[0]?.open, "descriptors stay open");
  });
}
