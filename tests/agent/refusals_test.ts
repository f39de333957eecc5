/** Requests that would lose data, or bring it back harmfully different, are refused; force overrides that. */
import assert from "node:assert/strict";
import {
  F_ADD_SEALS,
  F_SEAL_SHRINK,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_NOEXEC_SEAL,
  O_RDONLY,
  O_WRONLY,
} from "../../ffi/abi/fcntl.ts";
import { close, fcntl, ftruncate, memfd_create, open, write } from "../../ffi/file.ts";
import { type AgentClient, AgentError } from "../../lib/agent/client.ts";
import type { ErrorName, MethodName, Methods } from "../../lib/agent/protocol.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { TestAgent } from "./start.ts";

function memfd(size: bigint, flags = MFD_EXEC): number {
  const fd = memfd_create("refusals", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
  ftruncate(fd, size);
  return fd;
}

function reopened(flags: number): number {
  const fd = memfd(4096n);
  const again = open(`/proc/self/fd/${fd}`, flags);
  close(fd);
  return again;
}

function fails<M extends MethodName>(
  client: AgentClient,
  code: ErrorName,
  words: RegExp,
  method: M,
  request: Methods[M]["request"],
  fds: number[] = [],
): void {
  assert.throws(() => client.call(method, request, fds), (error) => {
    assert.ok(error instanceof AgentError, String(error));
    assert.equal(error.code, code);
    assert.match(JSON.stringify(error.parameters), words);
    return true;
  });
}

const files: { what: string; make: () => number; reason: RegExp }[] = [
  { what: "sealed against execution", make: () => memfd(4096n, MFD_NOEXEC_SEAL), reason: /F_SEAL_EXEC/ },
  { what: "open for reading only", make: () => reopened(O_RDONLY), reason: /come back writable/ },
  { what: "open for writing only", make: () => reopened(O_WRONLY), reason: /come back writable/ },
  { what: "with holes that memory cannot fill", make: () => memfd(1n << 50n), reason: /bytes of memory/ },
];

function image(length?: number): number {
  const fd = memfd_create("image", MFD_CLOEXEC);
  const bytes = standInBzImage({ release: "7.3.4-next" });
  write(fd, bytes.subarray(0, length));
  return fd;
}

Deno.test("refusals", async (t) => {
  await using agent = await TestAgent.start();
  using client = agent.connect();
  client.call("CreateSession", { name: "vm" });

  for (const { what, make, reason } of files) {
    await t.step(`a file ${what}`, () => {
      const fd = make();
      fails(client, "Refused", reason, "PreserveFile", { session: "vm", token: "1", fileFd: 0 }, [fd]);
      close(fd);
      assert.deepEqual(client.call("ListSessions", {}).reply.sessions[0]?.files, []);
    });
  }

  await t.step("a file that the kernel refuses is not listed", () => {
    const [read_end, good] = [open("/dev/null", O_RDONLY), memfd(4096n)];
    fcntl(good, F_ADD_SEALS, F_SEAL_SHRINK);
    const request = { session: "vm", token: "18446744073709551615", fileFd: 0 };
    fails(client, "KernelError", /"ENOENT"/, "PreserveFile", { ...request, force: true }, [read_end]);
    const { file } = client.call("PreserveFile", request, [good]).reply;
    assert.deepEqual([file.token, file.seals], [request.token, F_SEAL_SHRINK]);
    fails(client, "KernelError", /"EEXIST"/, "PreserveFile", request, [good]);
    fails(client, "KernelError", /"EBUSY"/, "PreserveFile", { ...request, token: "2" }, [good]);
    assert.deepEqual(client.call("ListSessions", {}).reply.sessions[0]?.files, [file]);
    [read_end, good].forEach(close);
  });

  await t.step("invalid tokens and names", () => {
    for (const token of ["", "-1", "0x1", "18446744073709551616", "1.0", " 1"]) {
      const request = { session: "vm", token, fileFd: 0 };
      const fd = memfd(1n);
      fails(client, "BadRequest", /token/, "PreserveFile", request, [fd]);
      close(fd);
    }
    for (const name of ["", "luo-agent", "n".repeat(64), "a\0b"]) {
      fails(client, "BadRequest", /session/, "CreateSession", { name });
    }
    fails(client, "NoSuchSession", /"known":\["vm"\]/, "FinishSession", { name: "other" });
    fails(client, "WrongState", /"outgoing"/, "FinishSession", { name: "vm" });
    fails(client, "WrongState", /"outgoing"/, "RestoreFile", { session: "vm", token: "1" });
  });

  await t.step("closing a session with files, and stopping", () => {
    fails(client, "Refused", /18446744073709551615/, "CloseSession", { name: "vm" });
    fails(client, "Refused", /vm/, "Stop", {});
  });

  await t.step(
    "images: one without liveupdate=on, one cut off, one that is not a kernel, and none loaded",
    () => {
      const [good, short, none] = [image(), image(600), memfd(4096n)];
      const request = { kernelFd: 0, kernel: "k", commandLine: "liveupdate=on" };
      fails(client, "Refused", /liveupdate/, "LoadImage", { ...request, commandLine: "quiet" }, [good]);
      fails(client, "KernelError", /"ENOEXEC"/, "LoadImage", { ...request, force: true }, [none]);
      assert.throws(() => client.call("LoadImage", request, [short]), AgentError);
      fails(client, "KernelError", /"EINVAL"/, "ExecImage", { force: true });
      fails(client, "BadRequest", /./, "LoadImage", {
        ...request,
        commandLine: `liveupdate=on ${"x".repeat(4000)}`,
      }, [
        good,
      ]);
      assert.deepEqual(client.call("ShowImage", {}).reply, { image: { loaded: false } });
      client.call("LoadImage", request, [good]);
      assert.equal(client.call("ShowImage", {}).reply.image.by, "luo");
      [good, short, none].forEach(close);
    },
  );

  await t.step("after the kexec: an exec with sessions waiting, a finish with files not restored", () => {
    client.callUntilEnd("ExecImage", {});
    using next = agent.connect();
    const fd = image();
    next.call("LoadImage", { kernelFd: 0, kernel: "k", commandLine: "liveupdate=on" }, [fd]);
    close(fd);
    fails(next, "Refused", /not retrieved/, "ExecImage", {});
    fails(next, "WrongState", /"incoming"/, "RestoreFile", { session: "vm", token: "1" });
    next.call("RetrieveSession", { name: "vm" });
    fails(next, "Refused", /not finished/, "ExecImage", {});
    fails(next, "Refused", /never restored/, "FinishSession", { name: "vm" });
    fails(next, "Refused", /never restored/, "CloseSession", { name: "vm" });
    fails(next, "NoSuchFile", /18446744073709551615/, "RestoreFile", { session: "vm", token: "1" });
    next.call("FinishSession", { name: "vm", force: true });
    assert.deepEqual(next.call("ListSessions", {}).reply, { sessions: [] });
  });
});
