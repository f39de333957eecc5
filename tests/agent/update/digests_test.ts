/** Digests of participants' files, taken before the kexec and compared after it: a verdict for each file. */
import assert from "node:assert/strict";
import {
  F_ADD_SEALS,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
} from "../../../ffi/abi/fcntl.ts";
import { close, fcntl, ftruncate, memfd_create, pwrite, write } from "../../../ffi/file.ts";
import type { Methods } from "../../../lib/agent/protocol.ts";
import { digestByProcess } from "../../../lib/agent/update/digest_process.ts";
import { Program } from "./program.ts";
import { TestAgent } from "../start.ts";

type Reply = Methods["StepUpdate"]["reply"];

function memfd(text: string): number {
  const fd = memfd_create("digests", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  write(fd, new TextEncoder().encode(text));
  return fd;
}

/** Takes a step with this program as the only participant, which does `work` and is ready. */
function step(
  agent: TestAgent,
  program: Program,
  request: Methods["StepUpdate"]["request"],
  work = () => {},
): Reply {
  using client = agent.connect();
  const replies = client.more("StepUpdate", request);
  let last = replies.next().value?.reply;
  const event = program.next();
  work();
  program.answer(event, "ready");
  for (const { reply } of replies) last = reply;
  assert.ok(last !== undefined && "state" in last);
  return last as Reply;
}

Deno.test("digests: a verdict for each file, and nothing counts as restored that nobody took", async () => {
  await using agent = await TestAgent.start();
  agent.loadNext();
  const [sealed, steady, changing] = [memfd("sealed"), memfd("steady"), memfd("before")];
  fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE);
  const preserve = (token: string, fd: number, digest?: string) => {
    using client = agent.connect();
    client.call("PreserveFile", { session: "vm", token, fileFd: 0, digest, label: token }, [fd]);
  };
  {
    using vm = new Program(agent, "vm");
    const prepared = step(agent, vm, { step: "prepare", digest: true }, () => preserve("1", sealed));
    assert.equal(prepared.state, "prepared");
    using client = agent.connect();
    const [file] = client.call("ListSessions", {}).reply.sessions[0]?.files ?? [];
    assert.match(file?.digest ?? "", /^sha256:[0-9a-f]{64}$/, "a sealed file gets its digest at once");
    step(agent, vm, { step: "freeze" }, () => {
      preserve("2", steady);
      preserve("3", changing);
    });
    pwrite(changing, new TextEncoder().encode("after!"), 0n);
    client.callUntilEnd("ExecImage", {});
  }
  [sealed, steady, changing].forEach(close);
  using vm = new Program(agent, "vm");
  const updated = vm.next();
  using client = agent.connect();
  const { verdicts = [] } = client.call("GetUpdate", {}).reply.update ?? {};
  assert.deepEqual(verdicts.map(({ token, verdict }) => `${token} ${verdict}`), [
    "1 same",
    "2 same",
    "3 changed",
  ]);
  // Nothing counts as restored that nobody took.
  const { files = [] } = client.call("ListSessions", {}).reply.sessions[0] ?? {};
  assert.deepEqual(files.map(({ state }) => state), ["waiting", "waiting", "waiting"]);
  vm.answer(updated, "ready");
});

Deno.test("a long digest tells how far it is", async () => {
  const size = 512 << 20;
  const fd = memfd_create("long", MFD_CLOEXEC | MFD_EXEC);
  ftruncate(fd, BigInt(size));
  const seen: number[] = [];
  await digestByProcess(fd, "long", (bytes) => seen.push(bytes));
  close(fd);
  assert.ok(seen.length > 0 && seen.at(-1) !== 0, `${seen}`);
  assert.deepEqual(seen, seen.toSorted((one, other) => one - other));
  assert.ok(seen.every((bytes) => bytes <= size));
});
