/** The order of participants: dependencies hold in every order of ends, and independent participants run side by side. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { circle, inOrder, type Ordered, reversed } from "../../../lib/agent/update/order.ts";

/** Participants that only depend on earlier ones, in another order than that. */
const acyclic = fc.integer({ min: 0, max: 9 }).chain((count) =>
  fc.tuple(
    ...Array.from({ length: count }, (_, at) =>
      fc.subarray(Array.from({ length: at }, (_, before) =>
        `p${before}`)).map((after) => ({
          name: `p${at}`,
          after: [...after, "nobody"],
        }))),
  ).chain((all) =>
    fc.shuffledSubarray(all, { minLength: all.length })
  )
);

/** Runs them with ends in an order that the scheduler chooses. @returns the order of starts and ends */
async function ran(
  all: readonly Ordered[],
  s: fc.Scheduler,
  failing: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const seen: string[] = [];
  const end = inOrder(all, async ({ name }) => {
    seen.push(`+${name}`);
    await s.schedule(Promise.resolve(), name);
    seen.push(`-${name}`);
    return !failing.has(name);
  });
  await s.waitFor(end);
  return seen;
}

Deno.test("order: each begins after all that come before it have ended, and all run", async () => {
  await fc.assert(
    fc.asyncProperty(acyclic, fc.scheduler(), async (all, s) => {
      assert.equal(circle(all), undefined);
      const seen = await ran(all, s);
      assert.equal(seen.length, 2 * all.length);
      for (const { name, after } of all) {
        for (const before of after.filter((one) => one !== "nobody")) {
          assert.ok(seen.indexOf(`-${before}`) < seen.indexOf(`+${name}`), `${before} before ${name}`);
        }
      }
    }),
  );
});

Deno.test("order: the reverse order is the reverse", async () => {
  await fc.assert(
    fc.asyncProperty(acyclic, fc.scheduler(), async (all, s) => {
      const seen = await ran(reversed(all), s);
      for (const { name, after } of all) {
        for (const before of after.filter((one) => one !== "nobody")) {
          assert.ok(seen.indexOf(`-${name}`) < seen.indexOf(`+${before}`));
        }
      }
    }),
  );
});

Deno.test("order: what comes after a failed one does not run, everything else does", async () => {
  await fc.assert(
    fc.asyncProperty(acyclic, fc.scheduler(), fc.func(fc.boolean()), async (all, s, fails) => {
      const failing = new Set(all.map(({ name }) => name).filter((name) => fails(name)));
      const seen = await ran(all, s, failing);
      const spoilt = (name: string): boolean =>
        all.find((one) => one.name === name)?.after.some((before) => failing.has(before) || spoilt(before)) ??
          false;
      for (const { name } of all) assert.equal(seen.includes(`+${name}`), !spoilt(name), name);
    }),
  );
});

Deno.test("order: independent ones run side by side", async () => {
  const running = new Set<string>();
  let most = 0;
  await inOrder(["a", "b", "c"].map((name) => ({ name, after: [] })), async ({ name }) => {
    running.add(name);
    most = Math.max(most, running.size);
    await Promise.resolve();
    running.delete(name);
    return true;
  });
  assert.equal(most, 3);
});

Deno.test("order: a circle is found and named", () => {
  const all = [
    { name: "a", after: ["c"] },
    { name: "b", after: ["a"] },
    { name: "c", after: ["b"] },
    { name: "d", after: ["a"] },
  ];
  assert.deepEqual(circle(all)?.toSorted(), ["a", "b", "c"]);
  assert.deepEqual(circle([{ name: "a", after: ["a"] }]), ["a"]);
});
