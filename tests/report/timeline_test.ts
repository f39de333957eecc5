/** The time axis of a report: both kernels' clocks, the blackout, the kernel's share. */
import assert from "node:assert/strict";
import { joinClocks, realtime } from "../../lib/report/clocks.ts";
import { marksIn } from "../../lib/report/systemd_marks.ts";
import { summary, timeline } from "../../lib/report/timeline.ts";
import type { Moment, UpdateRecord } from "../../lib/schema/types.ts";
import { compiled } from "../../lib/schema/compiled.ts";
import { Report } from "../../lib/schema/report.ts";
import { after, before, DONE, event, record, VETO } from "./records.ts";

const ms = (us: number | undefined) => us === undefined ? undefined : us / 1000;

Deno.test("an update over a kexec: each time is on one axis", () => {
  const line = timeline(DONE);
  assert.deepEqual(line.notes, []);
  assert.equal(ms(line.total), 11_500);
  assert.deepEqual(line.blackout, { from: 7_251_000, to: 11_000_000, over: true });
  assert.deepEqual(line.kernel, { from: 8_000_000, clock: 9_000_000, to: 10_500_000, basis: "wall" });
  assert.deepEqual(line.participants, [
    { name: "vm-database", from: 7_251_000, to: 11_000_000 },
    { name: "memcached", from: 7_252_000, to: 10_900_000 },
  ]);
  assert.ok(compiled(Report)({ update: DONE, timeline: line }));
});

Deno.test("an update that was cancelled: the blackout ends with the last cancel", () => {
  const line = timeline(VETO);
  assert.deepEqual(line.blackout, { from: 101_000, to: 200_000, over: true });
  assert.equal(line.kernel, undefined);
  assert.deepEqual(line.bars.filter(({ outcome }) => outcome === "veto").length, 2);
});

const cases: { what: string; update: UpdateRecord; blackout: unknown; total: number }[] = [
  { what: "nothing happened", update: record([]), blackout: undefined, total: 0 },
  {
    what: "frozen, and the kexec is missing",
    update: record([
      event("freeze", before(0), before(5)),
      event("freeze", before(1), before(5), { participant: "vm" }),
    ]),
    blackout: { from: 1000, to: 5000, over: false },
    total: 5000,
  },
  {
    what: "the agent ended in freeze",
    update: record([event("prepare", before(0), before(5)), event("freeze", before(6))]),
    blackout: { from: 6000, to: 6000, over: false },
    total: 6000,
  },
  {
    what: "no participants: there is no updated, and all goes on when the agent has started",
    update: record([
      event("freeze", before(0), before(1)),
      event("kexec", before(1), after(100, 50)),
      event("start", after(110, 50), after(120, 50)),
      event("finish", after(125, 50), after(130, 50)),
    ]),
    blackout: { from: 0, to: 170_000, over: true },
    total: 180_000,
  },
  {
    what: "one of two is not back",
    update: record([
      event("freeze", before(0), before(5), { participant: "a" }),
      event("freeze", before(1), before(5), { participant: "b" }),
      event("kexec", before(6), after(10, 10)),
      event("updated", after(11, 10), after(12, 10), { participant: "a" }),
      event("updated", after(11, 10), after(20, 10), { participant: "b", outcome: "failed" }),
    ]),
    blackout: { from: 0, to: 30_000, over: false },
    total: 30_000,
  },
  {
    what: "one was never called",
    update: record([
      event("freeze", before(3), before(3), { participant: "a", outcome: "skipped" }),
      event("freeze", before(4), before(5), { participant: "b" }),
      event("cancel", before(6), before(7), { participant: "b" }),
    ]),
    blackout: { from: 1000, to: 4000, over: true },
    total: 4000,
  },
];

for (const { what, update, blackout, total } of cases) {
  Deno.test(`blackout: ${what}`, () => {
    const line = timeline(update);
    assert.deepEqual([line.blackout, line.total], [blackout, total]);
  });
}

const axes: { what: string; moments: Moment[]; basis: string; clock: number | undefined; note?: RegExp }[] = [
  {
    what: "half a second between the clocks",
    moments: [before(0), before(10), after(5, 510)],
    basis: "wall",
    clock: 510,
  },
  {
    what: "a wall clock that is a little behind",
    moments: [before(0), before(10), after(5, -300)],
    basis: "wall",
    clock: 10,
  },
  {
    what: "a wall clock of last year",
    moments: [before(0), before(10), after(5, -365 * 86_400_000)],
    basis: "unknown",
    clock: 10,
    note: /contradict/,
  },
  {
    what: "a wall clock of next year",
    moments: [before(0), before(10), after(5, 365 * 86_400_000)],
    basis: "unknown",
    clock: 10,
    note: /contradict/,
  },
  {
    what: "a wall clock that was set in the next kernel",
    moments: [before(0), before(10), after(5, 100), after(20, 2100)],
    basis: "wall",
    clock: 100,
    note: /next kernel was set by 2\.000 s/,
  },
  { what: "one kernel", moments: [before(0), before(10)], basis: "same", clock: undefined },
  {
    what: "the model, whose kernels have the host's clocks",
    moments: [before(0), before(10), { ...before(30), boot: "to" }],
    basis: "same",
    clock: undefined,
  },
];

for (const { what, moments, basis, clock, note } of axes) {
  Deno.test(`clocks: ${what}`, () => {
    const axis = joinClocks(moments);
    assert.deepEqual([axis.basis, ms(axis.clock)], [basis, clock]);
    if (note === undefined) assert.deepEqual(axis.notes, []);
    else assert.match(axis.notes.join(), note);
    for (const moment of moments) assert.ok(axis.at(moment) >= 0);
  });
}

Deno.test("wall clocks have microseconds, or fewer digits", () => {
  assert.equal(realtime({ at: "1970-01-01T00:00:01.000002Z" }), 1_000_002);
  assert.equal(realtime({ at: "1970-01-01T00:00:01.5Z" }), 1_500_000);
  assert.equal(realtime({ at: "1970-01-01T00:00:01Z" }), 1_000_000);
  assert.equal(realtime({ at: "noise" }), 0);
});

Deno.test("systemd's moments are on the axis: those of the shutdown by the old kernel's clock, the others by the new one's", () => {
  const monotonic = before(7995).monotonic;
  const shown = [
    `PreviousShutdownLateFinishTimestampMonotonic=${monotonic}`,
    "UserspaceTimestampMonotonic=900000",
    "FinishTimestampMonotonic=60000000",
    "InitRDTimestampMonotonic=0",
    "ShutdownStartTimestampMonotonic=5",
    "UserspaceTimestamp=Thu 2026-11-26",
    "",
  ].join("\n");
  assert.deepEqual(timeline(DONE, marksIn(shown)).marks, [
    { name: "systemd-shutdown executes the kernel", at: 7_995_000 },
    { name: "systemd starts", at: 9_900_000 },
  ]);
});

Deno.test("the history has one line for each", () => {
  assert.deepEqual(summary(VETO), {
    id: VETO.id,
    startedAt: before(0).at,
    from: "7.3.4",
    to: "7.4.0",
    outcome: "failed",
    by: "vm",
    reason: "the guest is busy",
    participants: 2,
    total: 200_000,
    blackout: 99_000,
  });
});
