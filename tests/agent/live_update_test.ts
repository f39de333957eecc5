/** A live update with two agents, one in each kernel. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { close, lseek, memfd_create, pread, write } from "../../ffi/file.ts";
import { TestAgent } from "./start.ts";

const CONTENT = new TextEncoder().encode("what the guest had in memory");

function memfd(content: Uint8Array): number {
  const fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  write(fd, content);
  return fd;
}

Deno.test("agent: a session, a file, a kexec; the next kernel's agent knows both and gives the file back", async () => {
  await using agent = await TestAgent.start();
  {
    using client = agent.connect();
    client.call("CreateSession", { name: "vm1" });
    const fd = memfd(CONTENT);
    lseek(fd, 5n, 0);
    const { reply } = client.call("PreserveFile", { session: "vm1", token: "7", fileFd: 0, label: "ram" }, [
      fd,
    ]);
    close(fd);
    assert.equal(reply.file.size, CONTENT.length);
    agent.loadNext();
    assert.equal(client.callUntilEnd("ExecImage", {}), true);
  }
  using client = agent.connect();
  const { status } = client.call("GetStatus", {}).reply;
  assert.equal(status.kernel.release, "7.3.4-next");
  assert.deepEqual(status.lastUpdate?.sessions, 1);
  assert.deepEqual(
    status.sessions.map((
      { name, state, files },
    ) => [name, state, files.map((f) => [f.token, f.label, f.state])]),
    [
      ["vm1", "incoming", [["7", "ram", "waiting"]]],
    ],
  );
  client.call("RetrieveSession", { name: "vm1" });
  using answer = client.call("RestoreFile", { session: "vm1", token: "7" });
  const { reply, fds: { fileFd: { number: fd } } } = answer;
  const into = new Uint8Array(100);
  assert.deepEqual(into.subarray(0, pread(fd, into, 0n)), CONTENT);
  assert.equal(lseek(fd, 0n, 1), 5n);
  assert.equal(reply.file.state, "restored");
  client.call("FinishSession", { name: "vm1" });
  assert.deepEqual(client.call("ListSessions", {}).reply.sessions, []);
  client.call("Stop", {});
});
