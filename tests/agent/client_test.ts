/** The blocking client: answers that no call waits for, and file descriptors. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close, fstat, memfd_create } from "../../ffi/file.ts";
import { accept4, sendmsg, unix_listen } from "../../ffi/socket.ts";
import {
  AgentError,
  AgentProtocolError,
  connectAgent,
  ConnectionClosed,
  ConnectionEnded,
  NoAnswer,
} from "../../lib/agent/client.ts";
import { TestAgent } from "./start.ts";

/** A listener that accepts one client, and sends bytes, when the test asks for it. */
class Listener implements Disposable {
  readonly directory: string = Deno.makeTempDirSync();
  readonly #fd = unix_listen(this.socket, SOCK_STREAM, 8);
  readonly #accepted: number[] = [];

  get socket(): string {
    return `${this.directory}/s`;
  }

  say(text: string): void {
    const fd = accept4(this.#fd, 0);
    this.#accepted.push(fd);
    sendmsg(fd, new TextEncoder().encode(text), []);
  }

  hangUp(): void {
    if (this.#accepted.length === 0) this.say("");
    this.#accepted.splice(0).forEach(close);
  }

  [Symbol.dispose](): void {
    this.#accepted.forEach(close);
    close(this.#fd);
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("more that is left early ends the connection: no later call takes its answers", async () => {
  await using agent = await TestAgent.start();
  using client = agent.connect();
  for (const { reply } of client.more("GetStatus", {})) {
    assert.equal(reply.status.backend, "model");
    break;
  }
  const closed = (error: unknown) =>
    error instanceof ConnectionClosed && /more\("GetStatus"\) ended before/.test(error.message);
  assert.throws(() => client.callUntilEnd("ExecImage", {}), closed);
  assert.throws(() => client.call("Identify", {}), closed);
  assert.throws(() => client.more("GetStatus", {}).next(), closed);
});

Deno.test("more that waits for its next change keeps other calls away, and goes on after that", async () => {
  await using agent = await TestAgent.start();
  using client = agent.connect();
  using other = agent.connect();
  const statuses = client.more("GetStatus", {});
  statuses.next();
  assert.throws(() => client.call("Identify", {}), ConnectionClosed);
  assert.throws(() => client.callUntilEnd("ExecImage", {}), ConnectionClosed);
  other.call("CreateSession", { name: "vm1" });
  const { value } = statuses.next();
  assert.deepEqual(value?.reply.status.sessions.map(({ name }: { name: string }) => name), ["vm1"]);
});

Deno.test("more that came to its last answer, or to an error, leaves the connection usable", async () => {
  await using agent = await TestAgent.start();
  using client = agent.connect();
  assert.equal(Array.from(client.more("ListSessions", {})).length, 1);
  assert.throws(() => Array.from(client.more("FinishSession", { name: "none" })), AgentError);
  assert.equal(client.call("Identify", {}).reply.backend, "model");
});

Deno.test("after a call that timed out the connection is closed: no later call takes the late answer", () => {
  using listener = new Listener();
  using client = connectAgent(listener.socket);
  assert.throws(() => client.call("ListSessions", {}, [], 20), NoAnswer);
  listener.say('{"parameters":{"sessions":[]}}\0');
  assert.throws(() => client.call("Identify", {}), ConnectionClosed);
});

Deno.test("callUntilEnd is true only when the request was sent", () => {
  using listener = new Listener();
  using client = connectAgent(listener.socket);
  listener.hangUp();
  assert.throws(
    () => client.callUntilEnd("ExecImage", {}),
    (error) => error instanceof ConnectionEnded && !error.sent,
  );
});

Deno.test("an answer that names a descriptor which was not sent is refused", () => {
  using listener = new Listener();
  using client = connectAgent(listener.socket);
  listener.say('{"parameters":{"file":{},"fileFd":0}}\0');
  assert.throws(() => client.call("RestoreFile", { session: "a", token: "1" }), AgentProtocolError);
});

Deno.test("an answer that is no Varlink ends the connection", () => {
  using listener = new Listener();
  using client = connectAgent(listener.socket);
  listener.say("[]\0{}\0");
  assert.throws(() => client.call("Identify", {}), AgentProtocolError);
  assert.throws(() => client.call("Identify", {}), ConnectionClosed);
});

Deno.test("a descriptor of an answer has a name, and is closed with the answer unless it was released", async () => {
  await using agent = await TestAgent.start();
  agent.handOver("vm1", "7", memfd());
  using client = agent.connect();
  client.call("RetrieveSession", { name: "vm1" });
  const restore = () => client.call("RestoreFile", { session: "vm1", token: "7" });
  let closed: number;
  {
    using answer = restore();
    closed = answer.fds.fileFd.number;
    assert.equal(typeof fstat(closed), "object");
  }
  assert.equal(typeof fstat(closed), "number");
  let kept: number;
  {
    using answer = restore();
    kept = answer.fds.fileFd.release();
  }
  assert.equal(typeof fstat(kept), "object");
  close(kept);
});

function memfd(): number {
  return memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
}
