/**
 * The agent is killed, or another process executes the kexec, before and after every single system call the agent makes. The
 * answers of the next agent are then compared with the kernel's.
 */
import assert from "node:assert/strict";
import type { Loss } from "../../lib/agent/protocol.ts";
import { finishSession } from "../../lib/agent/session_end.ts";
import { retrieveSession } from "../../lib/agent/session_methods.ts";
import { LuoError } from "../../lib/error.ts";
import { Machine } from "../../lib/model/machine.ts";
import { AFTER, BEFORE, everyMoment, mortal, play } from "./moments.ts";
import { kexec, restore, startWith } from "./state_on_model.ts";

const lost = (losses: readonly Loss[]) =>
  new Map(losses.map(({ session, files }) => [session, files.map((f) => f.token)]));

Deno.test("an agent killed while it held outgoing sessions: all are lost, and the next agent lists those that a client knew of", () => {
  everyMoment((moment, directory) => {
    const machine = new Machine();
    const sys = machine.init();
    const strike = () => void machine.kill(sys.getpid());
    const { done, struck } = play(() => startWith(mortal(sys, moment, strike), directory), BEFORE);
    if (struck === undefined) return { struck };
    using state = startWith(machine.spawn(), directory);
    assert.deepEqual(state.sessions(), []);
    const told = lost(state.losses);
    for (const name of ["a", "b", "c"]) {
      const known = done.includes(`create ${name}`) && !done.includes(`close ${name}`);
      if (known && struck !== `close ${name}`) assert.ok(told.has(name), `${name} is not told, at ${struck}`);
      if (!done.includes(`create ${name}`)) assert.ok(!told.has(name) || struck === `create ${name}`);
      for (const token of ["1", "2", "3"]) {
        if (known && done.includes(`preserve ${name} ${token}`) && told.has(name)) {
          assert.ok(told.get(name)?.includes(token), `file ${token} of ${name} is not told, at ${struck}`);
        }
      }
      state.device.use((device) => device.create(name)).close();
    }
    return { struck };
  });
});

Deno.test("the power fails at any moment: everything is lost, and the agent after it lists what a client knew of", () => {
  everyMoment((moment, directory) => {
    const off = new Machine();
    const sys = off.init();
    const strike = () => void off.kill(sys.getpid());
    const { done, struck } = play(() => startWith(mortal(sys, moment, strike), directory), BEFORE);
    if (struck === undefined) return { struck };
    // The record is on a disk, as nothing else of the machine is.
    using state = startWith(new Machine().init(), directory);
    assert.deepEqual(state.sessions(), []);
    const told = lost(state.losses);
    for (const name of ["a", "b", "c"]) {
      if (!done.includes(`create ${name}`) || [...done, struck].includes(`close ${name}`)) continue;
      const preserved = done.filter((what) => what.startsWith(`preserve ${name} `)).map((what) =>
        what.slice(-1)
      );
      const missing = preserved.filter((token) => !told.get(name)?.includes(token));
      assert.deepEqual([told.has(name), missing], [true, []], `${name}, at ${struck}`);
    }
    return { struck };
  });
});

for (const record of ["with", "without"]) {
  Deno.test(`a kexec by another process at any moment: every answered change is in the next kernel (${record} the record)`, () => {
    everyMoment((moment, directory) => {
      const machine = new Machine();
      const sys = mortal(machine.init(), moment, () => kexec(machine));
      const { done, struck } = play(() => startWith(sys, directory), BEFORE);
      if (struck === undefined) return { struck };
      // /run is empty after a kexec.
      if (record === "without") Deno.removeSync(directory, { recursive: true });
      if (record === "without") Deno.mkdirSync(directory);
      using state = startWith(machine.init(), directory);
      const told = new Map(state.sessions().map((session) => [session.name, session]));
      for (const name of ["a", "b", "c"]) {
        const closed = done.includes(`close ${name}`) || struck === `close ${name}`;
        if (done.includes(`create ${name}`) && !closed) {
          assert.ok(told.has(name), `${name} is not told, at ${struck}`);
        }
        if (done.includes(`close ${name}`)) assert.ok(!told.has(name), `${name} is told, at ${struck}`);
        const session = told.get(name);
        if (session === undefined) continue;
        assert.equal(session.state, "incoming");
        retrieveSession(state, { name });
        const tokens = session.files.map((file) => file.token);
        for (const token of tokens) restore(state, name, token);
        const missing = done.filter((what) => what.startsWith(`preserve ${name} `)).map((what) =>
          what.slice(-1)
        )
          .filter((token) => !tokens.includes(token));
        assert.deepEqual(missing, [], `of ${name}, at ${struck}`);
        finishSession(state, { name });
      }
      assert.deepEqual(state.losses, []);
      return { struck };
    });
  });
}

Deno.test("an agent killed after the kexec: sessions listed as waiting do wait, and sessions listed as lost are lost", () => {
  everyMoment((moment, directory) => {
    const machine = new Machine();
    using first = startWith(machine.init(), directory);
    for (const [, run] of BEFORE) run(first);
    kexec(machine);
    const sys = machine.init();
    const strike = () => void machine.kill(sys.getpid());
    const { done, struck } = play(() => startWith(mortal(sys, moment, strike), directory), AFTER);
    if (struck === undefined) return { struck };
    using state = startWith(machine.spawn(), directory);
    const told = lost(state.losses);
    for (const name of ["a", "c"]) {
      const session = state.sessions().find((one) => one.name === name);
      const touched = [...done, struck].some((what) =>
        what.endsWith(` ${name}`) || what.includes(` ${name} `)
      );
      if (session === undefined) {
        assert.throws(
          () => state.device.use((device) => device.retrieve(name)),
          (error) => error instanceof LuoError && error.is("ENOENT"),
        );
        const finished = [...done, struck].includes(`finish ${name}`);
        assert.ok(told.has(name) || finished, `${name} is neither there nor told lost, at ${struck}`);
        continue;
      }
      assert.ok(!told.has(name));
      if (!touched && struck !== "start") assert.equal(session.state, "incoming");
      if (session.state === "incoming") retrieveSession(state, { name });
      for (const { token } of session.files) restore(state, name, token);
    }
    const restored = done.filter((what) => what.startsWith("restore a")).map((what) => what.slice(-1));
    for (const token of restored) assert.ok(!told.get("a")?.includes(token), `file ${token} was given out`);
    return { struck };
  });
});
