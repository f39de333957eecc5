/** Every participant failing in every way at every event: before the kexec the machine is as before, after it nothing is given up. */
import assert from "node:assert/strict";
import { NotFinished } from "../../../lib/agent/update/coordinator.ts";
import { StepFailed } from "../../../lib/agent/update/step_failed.ts";
import { imageLoaded } from "../../../lib/kexec/load.ts";
import { createSession } from "../../../lib/agent/session_methods.ts";
import { NEVER, sessions, throughKexec, UpdateMachine } from "./host_on_model.ts";

interface Way {
  readonly name: string;
  /** The script at the event that fails. */
  readonly script: string;
  readonly outcome: StepFailed["outcome"];
  readonly reason: RegExp;
  /** The script takes effect at the event after the one it runs at. */
  readonly before?: true;
}

const WAYS: readonly Way[] = [
  {
    name: "says no",
    script: "echo first >&2; echo the last line >&2; exit 3",
    outcome: "veto",
    reason: /^the last line$/,
  },
  {
    name: "ends with luo, which gives hints after its message",
    script: "printf 'luo: Cannot preserve it\\n  see luo status\\n' >&2; exit 1",
    outcome: "veto",
    reason: /^luo: Cannot preserve it$/,
  },
  { name: "says no without a word", script: "exit 1", outcome: "veto", reason: /ended with 1/ },
  { name: "is late", script: "sleep 100", outcome: "late", reason: /deadline/ },
  {
    name: "ignores signals and is late",
    script: "trap '' TERM INT HUP; sleep 100",
    outcome: "late",
    reason: /deadline/,
  },
  { name: "is killed", script: "kill -9 $$", outcome: "died", reason: /signal 9/ },
  { name: "prints what is no text", script: "printf '\\377\\376'", outcome: "failed", reason: /UTF-8/ },
  {
    name: "prints too much",
    script: "head -c 70000 /dev/zero | tr '\\0' x",
    outcome: "failed",
    reason: /64 KiB/,
  },
  { name: "prints without end", script: "yes", outcome: "failed", reason: /64 KiB/ },
  {
    name: "complains without end",
    script: "yes >&2",
    outcome: "failed",
    reason: /more than 16 MiB to standard error/,
  },
  {
    name: "says no beside a process that goes on",
    script: "sleep 5 & exec >/dev/null; echo no >&2; exit 1",
    outcome: "veto",
    reason: /^no$/,
  },
  {
    name: "is no program",
    script: 'printf "\\0\\0" >"$0.new"; chmod +x "$0.new"; mv "$0.new" "$0"',
    outcome: "failed",
    reason: /ENOEXEC/,
    before: true,
  },
  { name: "has gone", script: 'rm "$0"', outcome: "failed", reason: /not there/, before: true },
  {
    name: "can no longer be executed",
    script: 'chmod 644 "$0"',
    outcome: "failed",
    reason: /not there/,
    before: true,
  },
];

/** Three in a row, of which the one in the middle fails at the event. Only one that is to be late has a short deadline there. */
function rowOfThree({ outcome }: Way, event: string): UpdateMachine {
  const machine = new UpdateMachine();
  machine.participant("a");
  machine.participant("b", ["a"], outcome === "late" ? { [event]: 1 } : {});
  machine.participant("c", ["b"]);
  return machine;
}

/**
 * What participants were called with, without the call of "b" at the event when "b" is late there: on a loaded host it can be killed
 * before its shell has written the line. The update's record has that call.
 */
function called(lines: readonly string[], { outcome }: Way, event: string): string[] {
  return lines.filter((line) => outcome !== "late" || line !== `b ${event}`);
}

const BEFORE: readonly [event: string, eventBefore: string | undefined, seen: readonly string[]][] = [
  ["prepare", undefined, ["a prepare", "b prepare", "b cancel", "a cancel"]],
  ["freeze", "prepare", [
    ...["a prepare", "b prepare", "c prepare", "a freeze", "b freeze"],
    ...["c cancel", "b cancel", "a cancel"],
  ]],
];

for (const way of WAYS) {
  const { name, script, outcome, reason, before } = way;
  for (const [event, eventBefore, expected] of BEFORE) {
    const at = before ? eventBefore : event;
    if (at === undefined) continue;
    Deno.test(`a participant that ${name} at ${event}: the machine is as before`, async () => {
      using machine = rowOfThree(way, event);
      machine.act("b", at, script);
      using agent = machine.agent();
      createSession(agent.state, { name: "other" });
      await assert.rejects(agent.updates.run(machine.options(agent), NEVER), (error) => {
        assert.ok(error instanceof StepFailed, String(error));
        assert.deepEqual([error.participant, error.event, error.outcome], ["b", event, outcome]);
        assert.match(error.reason, reason);
        return true;
      });
      const { record, state } = agent.updates;
      assert.ok(record);
      assert.deepEqual([state, machine.word(), record.outcome, record.by], [
        "normal",
        "normal",
        "failed",
        "b",
      ]);
      assert.ok(record.events.some((one) => one.participant === "b" && one.event === event));
      // One whose executable cannot be started is told nothing.
      const told = expected.filter((line) => !before || !/^b (freeze|cancel)/.test(line));
      assert.deepEqual(called(machine.seen(), way, event), called(told, way, event));
      assert.deepEqual(sessions(agent), ["other outgoing"]);
      assert.equal(imageLoaded(agent.state.sys), false);
      // The same agent can begin again.
      machine.participant("b", ["a"]);
      machine.act("b", at, "");
      await agent.updates.prepare(machine.options(agent), NEVER);
      await agent.updates.cancel();
      assert.deepEqual([agent.updates.state, agent.updates.record?.outcome], ["normal", "cancelled"]);
    });
  }

  Deno.test(`a participant that ${name} at cancel does not keep the others from it`, async () => {
    using machine = rowOfThree(way, "cancel");
    if (before) machine.act("b", "prepare", script);
    else machine.act("b", "cancel", script);
    machine.act("c", "prepare", "exit 1");
    using agent = machine.agent();
    await assert.rejects(agent.updates.prepare(machine.options(agent), NEVER), StepFailed);
    const cancelled = machine.seen().filter((line) => line.endsWith("cancel"));
    const expected = ["c cancel", ...(before ? [] : ["b cancel"]), "a cancel"];
    assert.deepEqual(called(cancelled, way, "cancel"), called(expected, way, "cancel"));
    assert.equal(agent.updates.state, "normal");
    assert.deepEqual(sessions(agent), []);
  });

  Deno.test(`a participant that ${name} at updated keeps its session, and finish is refused`, async () => {
    using machine = rowOfThree(way, "updated");
    machine.act("b", before ? "freeze" : "updated", script);
    {
      using agent = machine.agent();
      await throughKexec(agent.updates.run(machine.options(agent), NEVER));
    }
    using agent = await machine.nextAgent();
    assert.equal(agent.updates.state, "updated");
    const expected = ["c updated", ...(before ? [] : ["b updated"])];
    const updated = machine.seen().filter((line) => line.endsWith("updated"));
    assert.deepEqual(called(updated, way, "updated"), called(expected, way, "updated"));
    assert.ok(sessions(agent).includes("b retrieved") || sessions(agent).includes("b incoming"));
    await assert.rejects(agent.updates.finish(false), NotFinished);
    // Repaired, everybody comes back.
    machine.participant("b", ["a"]);
    machine.act("b", "updated", "");
    machine.act("b", "freeze", "");
    await agent.updates.finish(false);
    assert.deepEqual([agent.updates.state, agent.updates.record?.outcome], ["normal", "done"]);
    assert.deepEqual(sessions(agent), []);
  });

  // One that cannot be called at all failed before.
  if (before) continue;
  Deno.test(`a participant that ${name} at finish: every session is kept until it finishes`, async () => {
    using machine = rowOfThree(way, "finish");
    machine.act("b", "finish", script);
    {
      using agent = machine.agent();
      await throughKexec(agent.updates.run(machine.options(agent), NEVER));
    }
    using agent = await machine.nextAgent();
    assert.equal(agent.updates.state, "updated");
    assert.equal(sessions(agent).length, 3);
    await assert.rejects(agent.updates.finish(false), StepFailed);
    assert.equal(sessions(agent).length, 3);
    machine.act("b", "finish", "");
    await agent.updates.finish(false);
    assert.deepEqual([agent.updates.state, agent.updates.record?.outcome], ["normal", "done"]);
    assert.deepEqual(sessions(agent), []);
  });
}
