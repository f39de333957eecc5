/** Records of live updates, for the tests of the report. */
import type { Moment, UpdateEvent, UpdateOutcome, UpdateRecord } from "../../lib/schema/types.ts";

const MS = 1000;
/** The wall clock when the clocks of the old kernel were 0, in milliseconds. */
const OLD_ZERO = Date.parse("2026-11-25T03:40:00Z");

/** A moment of the old kernel, which runs for a day: milliseconds after the update began. */
export function before(ms: number): Moment {
  return moment("from", 86_400_000 + ms, OLD_ZERO);
}

/** A moment of the next kernel: milliseconds after its clocks started. `zero` is its wall clock then, in ms after the update began. */
export function after(ms: number, zero = 9000): Moment {
  return moment("to", ms, OLD_ZERO + 86_400_000 + zero);
}

function moment(boot: Moment["boot"], ms: number, zero: number): Moment {
  const us = String(Math.round(ms * MS) % MS).padStart(3, "0");
  const at = `${new Date(zero + Math.floor(ms)).toISOString().slice(0, -1)}${us}Z`;
  // The host was suspended for an hour.
  const suspended = boot === "from" ? 3_600_000 * MS : 0;
  return { at, boottime: Math.round(ms * MS), monotonic: Math.round(ms * MS) - suspended, boot };
}

export function event(
  name: UpdateEvent["event"],
  started: Moment,
  ended?: Moment,
  more: { participant?: string; outcome?: UpdateOutcome; reason?: string } = {},
): UpdateEvent {
  return { event: name, started, ...ended === undefined ? {} : { ended, outcome: "done" as const }, ...more };
}

export function record(events: UpdateEvent[], more: Partial<UpdateRecord> = {}): UpdateRecord {
  const names = [...new Set(events.flatMap(({ participant }) => participant ?? []))];
  return {
    version: 1,
    id: "0b1c3a52-9a5e-4a0e-8a53-0e6a4f1d2c7b",
    state: "normal",
    outcome: "done",
    from: { release: "7.3.4", bootId: "a" },
    to: { release: "7.4.0", bootId: "b" },
    finishes: true,
    loaded: true,
    digest: true,
    blackoutSeconds: 60,
    participants: names.map((name) => ({
      name,
      kind: "executable",
      after: [],
      seconds: {},
      session: name,
      done: ["prepare", "freeze", "updated", "finish"],
    })),
    events,
    ...more,
  };
}

/** Two participants, 0.75 s of blackout before the kexec, 1 s between the clocks, 1.5 s of boot, 0.5 s until the last is back. */
export const DONE: UpdateRecord = record([
  event("check", before(0), before(310)),
  event("load", before(310), before(720)),
  event("prepare", before(720), before(6900)),
  event("prepare", before(721), before(6890), { participant: "vm-database" }),
  event("prepare", before(722), before(2400), { participant: "memcached" }),
  event("freeze", before(7250), before(7990)),
  event("freeze", before(7251), before(7890), { participant: "vm-database" }),
  event("freeze", before(7252), before(7300), { participant: "memcached" }),
  event("kexec", before(8000), after(1500)),
  event("start", after(1500), after(1620)),
  event("verify", after(1620), after(1700)),
  event("updated", after(1700), after(2000)),
  event("updated", after(1701), after(1900), { participant: "memcached" }),
  event("updated", after(1702), after(2000), { participant: "vm-database" }),
  event("finish", after(2400), after(2500)),
  event("finish", after(2401), after(2440), { participant: "memcached" }),
  event("finish", after(2401), after(2490), { participant: "vm-database" }),
], {
  verdicts: [
    { session: "vm-database", token: "1", label: "ram", verdict: "same" },
    { session: "vm-database", token: "2", label: "devices", verdict: "same" },
    { session: "memcached", token: "1", label: "slabs", verdict: "changed" },
  ],
});

/** A participant that says no when it should freeze. */
export const VETO: UpdateRecord = record([
  event("prepare", before(0), before(100)),
  event("prepare", before(1), before(90), { participant: "vm" }),
  event("prepare", before(1), before(50), { participant: "cache" }),
  event("freeze", before(100), before(160), {
    outcome: "veto",
    reason: 'participant "vm": the guest is busy',
  }),
  event("freeze", before(101), before(150), { participant: "cache" }),
  event("freeze", before(101), before(160), {
    participant: "vm",
    outcome: "veto",
    reason: "the guest is busy",
  }),
  event("cancel", before(161), before(200)),
  event("cancel", before(162), before(190), { participant: "vm" }),
  event("cancel", before(162), before(200), { participant: "cache" }),
], { outcome: "failed", by: "vm", reason: "the guest is busy" });

export const HOSTILE_NAME = `"><script>alert(1)</script>'&\u202egnp.exe\x1b[31m`;

/** Names and reasons that try to be more than text. */
export const HOSTILE: UpdateRecord = record([
  event("freeze", before(0), before(5)),
  event("freeze", before(1), before(5), {
    participant: HOSTILE_NAME,
    outcome: "failed",
    reason: HOSTILE_NAME,
  }),
  event("cancel", before(6), before(9)),
], {
  id: HOSTILE_NAME,
  outcome: "failed",
  by: HOSTILE_NAME,
  reason: `</title></style>${HOSTILE_NAME}\ud800`,
  from: { release: HOSTILE_NAME, bootId: "a" },
  to: { release: HOSTILE_NAME },
  losses: [HOSTILE_NAME],
  verdicts: [{
    session: HOSTILE_NAME,
    token: "1",
    label: HOSTILE_NAME,
    verdict: "damaged",
    reason: HOSTILE_NAME,
  }],
});
