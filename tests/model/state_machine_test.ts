import assert from "node:assert/strict";
import fc from "fast-check";
import { Errno } from "../../ffi/abi/errno.ts";
import { KernelPanic } from "../../lib/model/ground/panic.ts";
import {
  type Event,
  LIVEUPDATE_EVENT,
  LIVEUPDATE_STATE,
  type State,
  StateMachine,
  type Subsystem,
} from "../../lib/model/handlers/rehearsal/state_machine.ts";

/** Three subsystems that note what is asked of them; `refuse` are the callbacks that fail. */
function world(refuse: readonly string[] = [], handed_over?: Uint8Array) {
  const calls: string[] = [];
  const lines: string[] = [];
  const machine = new StateMachine(handed_over, (line) => lines.push(line));
  const subsystems = ["pci", "iommu", "kvm"].map((name, i): Subsystem => {
    const note = (what: string) => {
      calls.push(`${what} ${name}`);
      return refuse.includes(`${what} ${name}`);
    };
    return {
      name,
      prepare: () => note("prepare") ? -Errno.ENOMEM : BigInt(i + 1),
      freeze: (data) => note("freeze") ? -Errno.EBUSY : data + 10n,
      cancel: (data) => note(`cancel ${data}`),
      finish: (data) => note(`finish ${data}`),
    };
  });
  for (const subsystem of subsystems) assert.equal(machine.register(subsystem), 0);
  return { machine, subsystems, calls, lines };
}

Deno.test("the numbers and the words of the interface", () => {
  assert.deepEqual(LIVEUPDATE_STATE, { undefined: 0, normal: 1, prepared: 2, frozen: 3, updated: 4 });
  assert.deepEqual(LIVEUPDATE_EVENT, { prepare: 0, freeze: 1, finish: 2, cancel: 3 });
});

Deno.test("a whole update: each u64 comes to the subsystem of the same name in the next kernel", () => {
  const old = world();
  assert.equal(old.machine.run("prepare"), 0);
  assert.equal(old.machine.run("freeze"), 0);
  assert.equal(old.machine.state, "frozen");
  const next = world([], old.machine.handover());
  assert.equal(next.machine.state, "updated");
  assert.deepEqual(next.subsystems.map((each) => next.machine.data_of(each)), [11n, 12n, 13n]);
  assert.equal(next.machine.run("finish"), 0);
  assert.equal(next.machine.state, "normal");
  assert.deepEqual(next.calls, ["finish 11 pci", "finish 12 iommu", "finish 13 kvm"]);
  assert.equal(next.machine.data_of({ name: "pci" }), -Errno.ENOENT, "after FINISH it is gone");
  assert.deepEqual(old.lines, [
    "luo: Switched from [normal] to [prepared] state",
    "luo: Switched from [prepared] to [frozen] state",
  ]);
});

const ALLOWED: Readonly<Record<Event, Partial<Record<State, State>>>> = {
  prepare: { normal: "prepared" },
  freeze: { prepared: "frozen" },
  finish: { updated: "normal" },
  cancel: { prepared: "normal", frozen: "normal" },
};
const WAYS: Readonly<Record<Exclude<State, "undefined">, () => StateMachine>> = {
  normal: () => world().machine,
  prepared: () => after("prepare"),
  frozen: () => after("prepare", "freeze"),
  updated: () => world([], after("prepare", "freeze").handover()).machine,
};
function after(...events: Event[]): StateMachine {
  const { machine } = world();
  for (const event of events) assert.equal(machine.run(event), 0);
  return machine;
}

for (const state of ["normal", "prepared", "frozen", "updated"] as const) {
  for (const event of ["prepare", "freeze", "finish", "cancel"] as const) {
    const to = ALLOWED[event][state];
    Deno.test(`${event} in ${state}: ${to ?? "EINVAL, and nothing moves"}`, () => {
      const machine = WAYS[state]();
      assert.equal(machine.state, state);
      assert.equal(machine.run(event), to === undefined ? -Errno.EINVAL : 0);
      assert.equal(machine.state, to ?? state);
    });
  }
}

Deno.test("a PREPARE that fails: CANCEL for those before it, in order; still NORMAL", () => {
  const { machine, calls } = world(["prepare kvm"]);
  assert.equal(machine.run("prepare"), -Errno.ENOMEM);
  assert.equal(machine.state, "normal");
  assert.deepEqual(calls, ["prepare pci", "prepare iommu", "prepare kvm", "cancel 1 pci", "cancel 2 iommu"]);
});

Deno.test("a FREEZE that fails in reboot ends the update: NORMAL, and reboot(2) says why", () => {
  const { machine, calls } = world(["freeze iommu"]);
  machine.run("prepare");
  calls.length = 0;
  assert.equal(machine.reboot(), -Errno.EBUSY);
  assert.equal(machine.state, "normal");
  assert.deepEqual(calls, ["freeze pci", "freeze iommu", "cancel 11 pci"]);
  assert.equal(machine.handover(), undefined);
});

Deno.test("reboot freezes what is prepared; without PREPARE nothing goes along", () => {
  const prepared = after("prepare");
  assert.equal(prepared.reboot(), 0);
  assert.equal(prepared.state, "frozen");
  const normal = world();
  assert.equal(normal.machine.reboot(), 0);
  assert.deepEqual(normal.calls, []);
  assert.equal(new StateMachine(normal.machine.handover(), () => {}).state, "normal");
});

Deno.test("subsystems come and go only while no update is under way", () => {
  for (const state of ["normal", "prepared", "frozen", "updated"] as const) {
    const machine = WAYS[state]();
    const busy = state === "prepared" || state === "frozen";
    const late = { name: "late" };
    assert.equal(machine.register(late), busy ? -Errno.EBUSY : 0, state);
    assert.equal(machine.unregister(late), busy ? -Errno.EBUSY : 0, state);
  }
  const { machine, subsystems } = world();
  assert.equal(machine.register({ name: "pci" }), -Errno.EEXIST);
  assert.equal(machine.unregister({ name: "pci" }), -Errno.EINVAL, "the name alone is not it");
  assert.deepEqual(subsystems.map((each) => machine.unregister(each)), [0, 0, 0]);
});

Deno.test("FINISH panics when a subsystem was not there before; so does a handover from elsewhere", () => {
  const bytes = after("prepare", "freeze").handover();
  const { machine, calls } = world([], bytes);
  machine.register({ name: "new" });
  assert.throws(() => machine.run("finish"), KernelPanic);
  assert.deepEqual(calls, [], "before any callback");
  assert.ok(bytes);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => new StateMachine(bytes.subarray(0, length), () => {}), KernelPanic);
  }
});

Deno.test("whatever is asked in whatever order: no callback twice without its opposite", () => {
  const event = fc.constantFrom<Event>("prepare", "freeze", "finish", "cancel");
  const callback = fc.constantFrom("prepare pci", "prepare kvm", "freeze pci", "freeze iommu", "freeze kvm");
  fc.assert(fc.property(fc.array(event), fc.uniqueArray(callback), (events, refuse) => {
    const { machine, calls } = world(refuse);
    for (const each of events) machine.run(each);
    const of_pci = calls.filter((call) => call.endsWith(" pci")).map((call) => call.split(" ")[0]);
    // pci is the first: it is never behind the one that fails, so each prepare of it that worked is undone before the next.
    let prepared = false;
    for (const call of of_pci) {
      if (call === "prepare") assert.equal(prepared, false);
      prepared = call === "prepare" && !refuse.includes("prepare pci") || (prepared && call === "freeze");
      if (call === "freeze" && refuse.includes("freeze pci")) prepared = false;
    }
  }));
});
