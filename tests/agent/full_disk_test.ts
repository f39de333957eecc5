/** The record cannot be written: which changes are undone, which stay, and that the manifest is right either way. */
import assert from "node:assert/strict";
import { finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { Machine } from "../../lib/model/machine.ts";
import { fill, free, kexec, preserve, restore, start, told, unrecorded } from "./state_on_model.ts";

Deno.test("full disk: a session is not created, a file stays preserved, and the next kernel's agent knows it", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const state = start(machine, directory);
  createSession(state, { name: "a" });
  fill(directory);
  assert.throws(() => createSession(state, { name: "b" }), unrecorded);
  assert.throws(
    () => preserve(state, "a", "1"),
    (error) => unrecorded(error) && /is preserved/.test(`${error}`),
  );
  assert.deepEqual(told(state), [["a", "outgoing", ["1"]]]);
  kexec(machine);
  const log: string[] = [];
  using next = start(machine, directory, log);
  assert.match(log.join(), /s\.state/, "an agent comes up all the same");
  assert.deepEqual([told(next), next.losses], [[["a", "incoming", ["1"]]], []]);
  assert.throws(() => retrieveSession(next, { name: "a" }), unrecorded);
  assert.deepEqual(told(next), [["a", "incoming", ["1"]]], "it waits where it is safe");
  free(directory);
  retrieveSession(next, { name: "a" });
  assert.deepEqual(told(next), [["a", "retrieved", ["1"]]]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("full disk: an agent that is stopped ends, and the next one reports the losses", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  {
    using state = start(machine, directory);
    createSession(state, { name: "a" });
    fill(directory);
    assert.deepEqual(state.end("told to").map(({ session }) => session), ["a"]);
  }
  free(directory);
  using next = start(machine, directory);
  assert.deepEqual([told(next), next.losses.map(({ session }) => session)], [[], ["a"]]);
  createSession(next, { name: "a" });
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("full disk: an agent that cannot write anything dies after the kexec, and the next one misreports nothing", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const first = start(machine, directory);
  createSession(first, { name: "a" });
  preserve(first, "a", "1");
  fill(directory);
  assert.throws(() => preserve(first, "a", "2"), unrecorded);
  kexec(machine);
  {
    // This agent reads the manifest, cannot record it, and dies.
    using second = start(machine, directory);
    assert.deepEqual(told(second), [["a", "incoming", ["1", "2"]]]);
    assert.match(second.journal.problem ?? "", /s\.state/);
  }
  free(directory);
  using third = start(machine, directory);
  assert.deepEqual(told(third), [["a", "incoming", ["1"]]], "no client has retrieved the session");
  assert.deepEqual(
    [third.sessions()[0]?.filesKnown, third.losses],
    [false, []],
    "the record is older than file 2",
  );
  assert.deepEqual([third.lastUpdate?.sessions, third.lastUpdate?.count], [1, 1]);
  retrieveSession(third, { name: "a" });
  assert.deepEqual(told(third), [["a", "retrieved", ["1"]]]);
  for (const token of ["1", "2"]) restore(third, "a", token);
  assert.throws(() => finishSession(third, { name: "a" }), /Refused/);
  finishSession(third, { name: "a", force: true });
  assert.deepEqual([told(third), third.losses, third.journal.problem], [[], [], undefined]);
  Deno.removeSync(directory, { recursive: true });
});
