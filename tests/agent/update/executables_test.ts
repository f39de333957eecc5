/** Executables as participants: their answers, their processes, their time, and how a step is stopped. */
import assert from "node:assert/strict";
import { findParticipants } from "../../../lib/agent/update/participant_files.ts";
import { asUser, MAY_SWITCH } from "../as_user.ts";
import { StepFailed } from "../../../lib/agent/update/step_failed.ts";
import { NEVER, sessions, throughKexec, UpdateMachine } from "./host_on_model.ts";

for (
  const [printed, answer] of [
    ["echo ready", "ready"],
    ["printf 'two\\nlines\\n\\n'", "two\nlines"],
    ["printf ' a '", " a "],
    ["echo", undefined],
  ] as const
) {
  Deno.test(`the answer of \`${printed}\` is ${JSON.stringify(answer)}: newlines at the end are dropped`, async () => {
    using machine = new UpdateMachine();
    machine.participant("vm", []);
    machine.act("vm", "prepare", printed);
    using agent = machine.agent();
    await agent.updates.prepare(machine.options(agent), NEVER);
    assert.equal(agent.updates.record?.participants[0]?.answer, answer);
  });
}

for (
  const [what, script] of [
    ["closes its standard input", "exec <&-"],
    ["closes all that it was given", "exec <&- >&- 2>&-"],
    ["reads a part of its input", "head -c 5 >/dev/null"],
    ["leaves its process group", "exec setsid true"],
    ["leaves a process that holds everything open", 'setsid sleep 3 & echo $! >>"$0.pids"'],
    ["changes its directory and removes it", 'mkdir -p "$0.dir"; cd "$0.dir"; rmdir "$0.dir"'],
  ] as const
) {
  Deno.test(`a participant that ${what} at every event does its part`, async () => {
    using machine = new UpdateMachine();
    machine.participant("vm");
    for (const event of ["prepare", "freeze", "updated", "finish", "cancel"]) {
      machine.act("vm", event, script);
    }
    {
      using agent = machine.agent();
      await agent.updates.prepare(machine.options(agent), NEVER);
      await agent.updates.cancel();
      assert.equal(agent.updates.record?.events.at(-1)?.outcome, "done");
      await throughKexec(agent.updates.run(machine.options(agent), NEVER));
    }
    using agent = await machine.nextAgent();
    assert.deepEqual([agent.updates.state, agent.updates.record?.outcome], ["normal", "done"]);
  });
}

Deno.test("a daemon that a participant leaves behind does not hold up the event", async () => {
  using machine = new UpdateMachine();
  machine.participant("vm", [], { prepare: 60 });
  machine.act("vm", "prepare", 'sleep 100 & echo $! >"$0.pid"; echo started');
  using agent = machine.agent();
  const start = performance.now();
  await agent.updates.prepare(machine.options(agent), NEVER);
  assert.ok(performance.now() - start < 40_000);
  assert.equal(agent.updates.record?.participants[0]?.answer, "started");
  const pid = Number(Deno.readTextFileSync(`${machine.directory}/participants/vm.pid`));
  // It lives on: participants start workloads like this.
  Deno.kill(pid, "SIGKILL");
});

Deno.test("a late participant is killed with everything that it started", async () => {
  using machine = new UpdateMachine();
  machine.act("vm", "prepare", 'sleep 100 & echo $! >"$0.pid"; wait');
  using agent = machine.agent();
  // A loaded host can take more than a second to start it: then it has more time.
  for (let seconds = 1;; seconds *= 4) {
    machine.participant("vm", [], { prepare: seconds });
    await assert.rejects(agent.updates.prepare(machine.options(agent), NEVER), StepFailed);
    const pid = pidIn(`${machine.directory}/participants/vm.pid`);
    if (pid !== undefined) return assert.ok(!runs(pid));
    assert.ok(seconds < 60, "it does not start");
  }
});

Deno.test("the blackout is one deadline for all of freeze", async () => {
  using machine = new UpdateMachine();
  machine.participant("a");
  machine.participant("b", ["a"]);
  // Each alone would be in time, "a" with much to spare.
  machine.act("a", "freeze", "sleep 1");
  machine.act("b", "freeze", "sleep 4.5");
  using agent = machine.agent();
  await assert.rejects(
    agent.updates.run(machine.options(agent, { blackoutSeconds: 5 }), NEVER),
    /participant "b": the blackout of 5 seconds was over/,
  );
  assert.equal(agent.updates.state, "normal");
});

Deno.test("the command that asked for a step is gone: the step is cancelled", async () => {
  using machine = new UpdateMachine();
  machine.participant("slow");
  machine.act("slow", "prepare", "sleep 100");
  using agent = machine.agent();
  const command = new AbortController();
  const ended = assert.rejects(
    agent.updates.run(machine.options(agent), command.signal),
    /the command has ended/,
  );
  await machine.called("slow prepare");
  command.abort("the command has ended");
  await ended;
  assert.deepEqual(machine.seen(), ["slow prepare", "slow cancel"]);
  assert.deepEqual([agent.updates.state, sessions(agent)], ["normal", []]);
});

Deno.test("cancel stops a step that is under way", async () => {
  using machine = new UpdateMachine();
  machine.participant("slow");
  machine.act("slow", "prepare", "sleep 100");
  using agent = machine.agent();
  const prepared = assert.rejects(agent.updates.prepare(machine.options(agent), NEVER), /by hand/);
  await machine.called("slow prepare");
  await agent.updates.cancel();
  await prepared;
  assert.deepEqual([agent.updates.state, agent.updates.record?.outcome], ["normal", "cancelled"]);
});

/** The number that a script has written, with its newline. Undefined: it has not. */
function pidIn(path: string): number | undefined {
  try {
    const text = Deno.readTextFileSync(path);
    return text.endsWith("\n") ? Number(text) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A process that has ended may wait for its parent as a zombie. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

for (const [what, mode] of [["read", 0o100], ["searched", 0o400], ["read or searched", 0]] as const) {
  Deno.test({
    name: `an update is refused when the directory of participants cannot be ${what}${
      MAY_SWITCH ? "" : " (ignored: it needs root)"
    }`,
    ignore: !MAY_SWITCH,
    fn() {
      using machine = new UpdateMachine();
      machine.participant("vm");
      const directory = `${machine.directory}/participants`;
      // The user may enter the directory above, and owns this one.
      Deno.chmodSync(machine.directory, 0o755);
      Deno.chownSync(directory, 65534, 65534);
      Deno.chmodSync(directory, mode);
      const found = asUser({ uid: 65534, gid: 65534, groups: [] }, () => findParticipants(directory));
      assert.deepEqual(found.participants, []);
      assert.match(found.problems[0] ?? "none", /^"\S+" cannot be (read|looked at) \(EACCES\)$/);
    },
  });
}
