/** Random participants with random dependencies, of which some fail at random events: what must hold of every update. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { NEVER, sessions, throughKexec, UpdateMachine } from "./host_on_model.ts";

const EVENTS = ["prepare", "freeze"] as const;
const SCRIPTS = ["exit 1", "kill -9 $$", "printf '\\377'"] as const;

/** Participants in the order of their dependencies, and which of them fail, at which event and how. */
const stories = fc.integer({ min: 1, max: 5 }).chain((count) =>
  fc.record({
    after: fc.tuple(
      ...Array.from({ length: count }, (_, at) =>
        fc.subarray(Array.from({ length: at }, (_, before) => `p${before}`))),
    ),
    failures: fc.array(
      fc.tuple(fc.nat(count - 1), fc.constantFrom(...EVENTS), fc.constantFrom(...SCRIPTS)),
      { maxLength: 2 },
    ),
  })
);

/** Whether one came before the other, when both are there. */
function inOrder(seen: readonly string[], one: string, other: string): boolean {
  const [first, second] = [seen.indexOf(one), seen.indexOf(other)];
  return first < 0 || second < 0 || first < second;
}

Deno.test("random updates: all or nothing, in order", async () => {
  await fc.assert(
    fc.asyncProperty(stories, async ({ after, failures }) => {
      using machine = new UpdateMachine();
      after.forEach((names, at) => machine.participant(`p${at}`, names));
      for (const [at, event, script] of failures) machine.act(`p${at}`, event, script);
      using agent = machine.agent();
      const run = agent.updates.run(machine.options(agent), NEVER);
      if (failures.length === 0) await throughKexec(run);
      else await assert.rejects(run, { name: "StepFailed" });
      const seen = machine.seen();
      after.forEach((names, at) => {
        for (const before of names) {
          for (const event of EVENTS) {
            assert.ok(inOrder(seen, `${before} ${event}`, `p${at} ${event}`), `${seen}`);
          }
          assert.ok(inOrder(seen, `p${at} cancel`, `${before} cancel`), `${seen}`);
        }
      });
      if (failures.length === 0) return;
      for (const line of seen.filter((one) => one.endsWith(" prepare"))) {
        const name = line.split(" ")[0];
        assert.equal(seen.filter((one) => one === `${name} cancel`).length, 1, `${seen}`);
      }
      assert.deepEqual([agent.updates.state, machine.word(), sessions(agent)], ["normal", "normal", []]);
    }),
    { numRuns: 12 },
  );
});
