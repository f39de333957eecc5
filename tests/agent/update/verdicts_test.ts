/** The verdict on each file, from its real cause: same, changed, damaged, missing, unknown. */
import assert from "node:assert/strict";
import {
  F_ADD_SEALS,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
} from "../../../ffi/abi/fcntl.ts";
import { preserveFile } from "../../../lib/agent/file_methods.ts";
import { parse_faults } from "../../../lib/model/faults/fault_spec.ts";
import { Machine } from "../../../lib/model/machine.ts";
import { openDevice } from "../../../lib/session.ts";
import { type Agent, NEVER, sessions, throughKexec, UpdateMachine } from "./host_on_model.ts";

const UNTIL_GO = 'while [ ! -e "$0.go" ]; do sleep 0.02; done';

/** Preserves a file that says its token, as a program does in its part of the update. */
function preserve({ state }: Agent, session: string, token: string, sealed = false): number {
  const { sys } = state;
  const fd = sys.memfd_create("data", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  sys.write(fd, new TextEncoder().encode(`contents of ${token}`));
  if (sealed) sys.fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
  const kept = sys.dup(fd);
  preserveFile(state, { session, token, label: `file ${token}`, fileFd: 0 }, [fd], {
    pid: 1,
    uid: 0,
    gid: 0,
  });
  return kept;
}

/** Changes a bit of the file in the machine's memory, as a broken memory module does. */
function flipBit({ machine: { ram } }: UpdateMachine, token: string): void {
  const text = `contents of ${token}`;
  for (let frame = 0; frame < 1 << 20; frame++) {
    const page = ram.page(frame);
    if (page === undefined || new TextDecoder().decode(page.subarray(0, text.length)) !== text) continue;
    page[0] = (page[0] ?? 0) ^ 1;
    return;
  }
  assert.fail(`file ${token} is nowhere in the memory`);
}

Deno.test("same, changed, damaged and missing, each by its cause", async () => {
  using machine = new UpdateMachine();
  machine.participant("gone");
  machine.participant("vm", ["gone"]);
  machine.act("vm", "freeze", UNTIL_GO);
  machine.act("vm", "updated", UNTIL_GO);
  const go = `${machine.directory}/participants/vm.go`;
  {
    using agent = machine.agent();
    await agent.updates.prepare(machine.options(agent, { digest: true }), NEVER);
    const frozen = agent.updates.freeze(machine.options(agent), NEVER);
    await machine.called("vm freeze");
    for (const token of ["1", "4"]) preserve(agent, "vm", token, true);
    preserve(agent, "vm", "2");
    const changing = preserve(agent, "vm", "3");
    preserve(agent, "gone", "5");
    Deno.writeTextFileSync(go, "");
    await frozen;
    agent.state.sys.pwrite(changing, new TextEncoder().encode("CONTENTS"), 0n);
    await throughKexec(agent.updates.run(machine.options(agent, { load: undefined }), NEVER));
  }
  flipBit(machine, "4");
  {
    // Another program is faster than the agent.
    const other = machine.machine.spawn();
    openDevice(other).retrieve("gone").finish();
    machine.machine.kill(other.getpid());
  }
  using agent = await machine.nextAgent();
  const { verdicts = [], by } = agent.updates.record ?? {};
  assert.deepEqual(verdicts.toSorted((one, other) => Number(one.token) - Number(other.token)), [
    { session: "vm", token: "1", label: "file 1", verdict: "same" },
    { session: "vm", token: "2", label: "file 2", verdict: "same" },
    { session: "vm", token: "3", label: "file 3", verdict: "changed" },
    { session: "vm", token: "4", label: "file 4", verdict: "damaged" },
    { session: "gone", token: "5", label: "file 5", verdict: "missing", reason: "the session is gone" },
  ]);
  // Nothing counts as restored that nobody took: the update is not finished.
  assert.deepEqual([agent.updates.state, by], ["updated", "gone"]);
  assert.deepEqual(
    agent.state.incoming.get("vm")?.info.files.map(({ state }) => state),
    Array(4).fill("waiting"),
  );
  // The verdicts stay when finish calls the participant again.
  await assert.rejects(agent.updates.finish(false), { name: "NotFinished" });
  assert.equal(agent.updates.record?.verdicts?.filter(({ verdict }) => verdict === "missing").length, 1);
  assert.deepEqual(sessions(agent), ["vm retrieved"]);
});

/** The first kexec loses a page of a file. */
class ForgetfulMachine extends UpdateMachine {
  override readonly machine = new Machine({ faults: parse_faults("page@1=lost") });
}

Deno.test("a file that the kernel has and cannot give out is unknown, with the reason", async () => {
  using machine = new ForgetfulMachine();
  machine.participant("vm");
  machine.act("vm", "freeze", UNTIL_GO);
  {
    using agent = machine.agent();
    await agent.updates.prepare(machine.options(agent, { digest: true }), NEVER);
    const frozen = agent.updates.freeze(machine.options(agent), NEVER);
    await machine.called("vm freeze");
    for (let token = 1; token <= 200; token++) preserve(agent, "vm", String(token));
    Deno.writeTextFileSync(`${machine.directory}/participants/vm.go`, "");
    await frozen;
    await throughKexec(agent.updates.run(machine.options(agent, { load: undefined }), NEVER));
  }
  using agent = await machine.nextAgent();
  const { verdicts = [] } = agent.updates.record ?? {};
  const [other, ...more] = verdicts.filter(({ verdict }) => verdict !== "same");
  assert.deepEqual([verdicts.length, more, other?.verdict], [200, [], "unknown"]);
  assert.match(other?.reason ?? "", /EIO/);
});

Deno.test("an update that cannot be finished by itself says why", async () => {
  using machine = new UpdateMachine();
  machine.participant("vm");
  {
    using agent = machine.agent();
    await agent.updates.prepare(machine.options(agent), NEVER);
    preserve(agent, "vm", "1");
    await throughKexec(agent.updates.run(machine.options(agent, { load: undefined }), NEVER));
  }
  using agent = await machine.nextAgent();
  const { state, record } = agent.updates;
  assert.deepEqual([state, record?.reason], [
    "updated",
    "file 1 (file 1) was never restored: it would be gone",
  ]);
  await agent.updates.finish(true);
  assert.deepEqual([agent.updates.state, record?.reason, record?.losses?.length], ["normal", undefined, 1]);
});
