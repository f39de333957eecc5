/** The client whose calls do not block: calls side by side, watching, aborting, and the way over a kexec. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close, memfd_create, pread, write } from "../../ffi/file.ts";
import { unix_listen } from "../../ffi/socket.ts";
import { AgentError, AsyncAgentClient, LuoError } from "../../lib/agent_client.ts";
import { TestAgent } from "./start.ts";

const names = (sessions: readonly { name: string }[]) => sessions.map(({ name }) => name);

Deno.test("calls run side by side with one that waits for changes", async () => {
  await using agent = await TestAgent.start();
  const client = new AsyncAgentClient(agent.socket);
  const seen: string[][] = [];
  for await (const { reply } of client.more("GetStatus", {})) {
    seen.push(names(reply.status.sessions));
    if (seen.length === 3) break;
    await client.call("CreateSession", { name: `vm${seen.length}` });
  }
  assert.deepEqual(seen, [[], ["vm1"], ["vm1", "vm2"]]);
  const answers = await Promise.all(Array.from({ length: 40 }, () => client.call("Identify", {})));
  assert.deepEqual(new Set(answers.map(({ reply }) => reply.pid)), new Set([agent.child.pid]));
});

Deno.test("an error of the agent rejects the call", async () => {
  await using agent = await TestAgent.start();
  const client = new AsyncAgentClient(agent.socket);
  await assert.rejects(
    client.call("FinishSession", { name: "none" }),
    (error) => error instanceof AgentError && error.is("NoSuchSession"),
  );
});

Deno.test("a signal ends the wait for a change at once, with its reason", async () => {
  await using agent = await TestAgent.start();
  const client = new AsyncAgentClient(agent.socket);
  const waits_ms: number[] = [];
  // A loaded host makes some of the waits long. A client that waits for its turn's end (1000 ms) makes all of them long.
  while (waits_ms.length < 20 && !waits_ms.some((ms) => ms < 900)) waits_ms.push(await abortedAfter(client));
  assert.ok(waits_ms.length < 20, `every abort waited for the turn's end: ${waits_ms.join(", ")} ms`);
  assert.equal((await client.call("Identify", {})).reply.backend, "model");
});

/** Aborts a wait for a change after 20 ms. Returns how long the wait was. */
async function abortedAfter(client: AsyncAgentClient): Promise<number> {
  const controller = new AbortController();
  const reason = new Error("enough");
  const statuses = client.more("GetStatus", {}, { signal: controller.signal });
  await statuses.next();
  const next = statuses.next();
  const began = performance.now();
  setTimeout(() => controller.abort(reason), 20);
  await assert.rejects(next, (error) => error === reason);
  const took_ms = performance.now() - began;
  assert.deepEqual(await statuses.next(), { done: true, value: undefined });
  return took_ms;
}

Deno.test("a signal ends the wait for an agent that is silent, for its backlog, and for one that is absent", async () => {
  const directory = await Deno.makeTempDir();
  const listener = unix_listen(`${directory}/s`, SOCK_STREAM, 0);
  const client = new AsyncAgentClient(`${directory}/s`);
  const limit = () => AbortSignal.timeout(50);
  const timed = (error: unknown) => error instanceof DOMException && error.name === "TimeoutError";
  const waits = [1, 2, 3].map(() => client.call("Identify", {}, { signal: limit() }));
  await Promise.all(waits.map((wait) => assert.rejects(wait, timed)));
  await assert.rejects(client.call("Identify", {}, { signal: AbortSignal.abort() }), { name: "AbortError" });
  close(listener);
  await Deno.remove(directory, { recursive: true });
  await assert.rejects(
    client.call("Identify", {}),
    (error) => error instanceof LuoError && error.is("ENOENT"),
  );
  await assert.rejects(client.ready(limit()), timed);
});

Deno.test("over a kexec: the same client finds the next kernel's agent, and the file comes back by name", async () => {
  await using agent = await TestAgent.start();
  const client = new AsyncAgentClient(agent.socket);
  const fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  write(fd, new TextEncoder().encode("hello"));
  await client.call("CreateSession", { name: "vm1" });
  await client.call("PreserveFile", { session: "vm1", token: "7", fileFd: 0 }, { fds: [fd] });
  close(fd);
  const watching = Array.fromAsync(client.more("GetStatus", {}));
  const ended = assert.rejects(watching, { name: "ConnectionEnded" });
  agent.loadNext();
  assert.equal(await client.callUntilEnd("ExecImage", {}), true);
  await ended;
  await client.ready(AbortSignal.timeout(120_000));
  await client.call("RetrieveSession", { name: "vm1" });
  using answer = await client.call("RestoreFile", { session: "vm1", token: "7" });
  const into = new Uint8Array(9);
  const bytes = pread(answer.fds.fileFd.number, into, 0n);
  assert.equal(new TextDecoder().decode(into.subarray(0, bytes)), "hello");
});
