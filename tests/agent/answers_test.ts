/** Every method of the interface, called through a live update: the answers are what the served description says. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { close, ftruncate, memfd_create, write } from "../../ffi/file.ts";
import { type AgentClient, AgentError } from "../../lib/agent/client.ts";
import { INTERFACE, type MethodName, type Methods } from "../../lib/agent/protocol.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { METHODS } from "../../lib/schema/methods.ts";
import { varlinkText } from "../../lib/schema/varlink_text.ts";
import { assertIs, parseDescription } from "./idl.ts";
import { TestAgent } from "./start.ts";

const description = parseDescription(varlinkText(INTERFACE));
const called = new Set<string>();

function call<M extends MethodName>(
  client: AgentClient,
  method: M,
  request: Methods[M]["request"],
  ...files: number[]
): void {
  called.add(method);
  using answer = client.call(method, request, files);
  const { reply } = answer;
  files.forEach(close);
  const described = description.methods.get(method);
  assert.ok(described);
  assertIs(description, described.input, request, `${method}.request`);
  assertIs(description, described.output, reply, `${method}.reply`);
}

function fails<M extends MethodName>(client: AgentClient, method: M, request: Methods[M]["request"]): void {
  assert.throws(() => client.call(method, request), (error) => {
    assert.ok(error instanceof AgentError);
    const described = description.errors.get(error.code);
    assert.ok(described);
    assertIs(description, described, error.parameters, error.code);
    return true;
  });
}

function memfd(contents: Uint8Array): number {
  const fd = memfd_create("answers", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  ftruncate(fd, BigInt(contents.length));
  write(fd, contents);
  return fd;
}

const image = () => memfd(standInBzImage({ release: "7.3.4-next" }));
const empty = new Uint8Array(1);

Deno.test("every method answers as the description says, before and after a kexec", async () => {
  await using agent = await TestAgent.start();
  {
    using client = agent.connect();
    call(client, "Identify", {});
    call(client, "GetStatus", {});
    call(client, "CreateSession", { name: "vm" });
    call(client, "CreateSession", { name: "lost" });
    call(client, "CreateSession", { name: "cache", keep: true });
    call(client, "KeepSession", { name: "cache", keep: false });
    call(client, "PreserveFile", { session: "vm", token: "7", fileFd: 0, label: "ram" }, memfd(empty));
    const digest = `sha256:${"0".repeat(64)}`;
    call(client, "PreserveFile", { session: "vm", token: "8", fileFd: 0, digest, force: true }, memfd(empty));
    call(client, "ListSessions", {});
    call(client, "PutValue", { key: "a", base64: "AAEC" });
    call(client, "GetValue", { key: "a" });
    call(client, "ListValues", { limit: 1 });
    call(client, "DropValue", { key: "a" });
    fails(client, "GetValue", { key: "a" });
    call(client, "PutValue", { key: "a", base64: "AAEC" });
    fails(client, "CloseSession", { name: "vm" });
    call(client, "CloseSession", { name: "lost" });
    fails(client, "OpenSession", { name: "vm" });
    // The model's sessions cannot be passed to a program of the host: tests/vm/open_session.ts calls it on Linux.
    called.add("OpenSession");
    call(client, "LoadImage", { kernelFd: 0, kernel: "k", commandLine: "liveupdate=on" }, image());
    call(client, "UnloadImage", {});
    const line = { reuseCommandLine: true, append: "again" };
    call(
      client,
      "LoadImage",
      { kernelFd: 0, kernel: "k", initrdFd: 1, initrd: "i", ...line },
      image(),
      memfd(empty),
    );
    call(client, "ShowImage", {});
    call(client, "GetUpdate", {});
    fails(client, "AnswerEvent", { update: "u", event: "prepare", participant: "p", answer: "ready" });
    called.add("AnswerEvent");
    // tests/agent/update/subscribers_test.ts has the answers of this one.
    called.add("Participate");
    call(client, "StepUpdate", { step: "prepare" });
    call(client, "StepUpdate", { step: "freeze" });
    fails(client, "StepUpdate", { step: "prepare" });
    call(client, "StepUpdate", { step: "cancel" });
    call(client, "GetUpdate", {});
    call(client, "ListUpdates", {});
    call(client, "GetUpdate", { id: "" });
    fails(client, "GetUpdate", { id: "none" });
    call(client, "GetStatus", {});
    client.callUntilEnd("ExecImage", {});
    called.add("ExecImage");
  }
  using client = agent.connect();
  call(client, "GetStatus", {});
  fails(client, "ExecImage", {});
  fails(client, "RestoreFile", { session: "vm", token: "7" });
  fails(client, "RetrieveSession", { name: "mv" });
  fails(client, "CreateSession", { name: "" });
  call(client, "RetrieveSession", { name: "vm" });
  call(client, "RestoreFile", { session: "vm", token: "7", mark: false });
  call(client, "MarkFile", { session: "vm", token: "7", restored: true });
  fails(client, "RestoreFile", { session: "vm", token: "9" });
  fails(client, "FinishSession", { name: "vm" });
  call(client, "RestoreFile", { session: "vm", token: "8" });
  call(client, "FinishSession", { name: "vm" });
  call(client, "ClearLosses", {});
  call(client, "KeepSession", { name: "cache" });
  call(client, "CloseSession", { name: "cache" });
  call(client, "Stop", {});
  assert.deepEqual([...called].sort(), Object.keys(METHODS).sort());
});
