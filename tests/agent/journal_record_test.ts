/** The journal in the record: every write interrupted, a full disk, and other programs that change the file. */
import assert from "node:assert/strict";
import { decodeRecord } from "../../lib/agent/record.ts";
import { finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { LuoError } from "../../lib/error.ts";
import { Machine } from "../../lib/model/machine.ts";
import { content, inDirectory, STEPS } from "./journal_steps.ts";
import type { Step } from "./moments.ts";
import { kexec, preserve, restore, start } from "./state_on_model.ts";

Deno.test("record: an agent killed within any write, after any of its bytes: the journal before the change or after it", () => {
  inDirectory((directory) => {
    const state = start(new Machine(), directory);
    const read = () => Deno.readFileSync(`${directory}/s.state`);
    let [before, known] = [read(), content(state.sessions())];
    let torn = 0;
    for (const [what, run] of STEPS) {
      run(state);
      const [after, next] = [read(), content(state.sessions())];
      assert.deepEqual(content(decodeRecord(after)?.sessions ?? []), next, what);
      const appended = after.length > before.length &&
        String(after.subarray(0, before.length)) === String(before);
      assert.equal(appended, !what.startsWith("save"), what);
      for (let length = before.length; appended && length < after.length; length++, torn++) {
        const found = decodeRecord(after.subarray(0, length));
        assert.deepEqual(content(found?.sessions ?? []), known, `${what}, ${length - before.length} bytes`);
      }
      [before, known] = [after, next];
    }
    assert.ok(torn > 500, `only ${torn} torn records`);
    state[Symbol.dispose]();
  });
});

Deno.test({
  name: "record: an entry that a full disk cuts is none, and the record has it again when there is room",
  ignore: Deno.uid() !== 0,
  fn() {
    inDirectory((directory) => {
      const disk = `${directory}/disk`;
      Deno.mkdirSync(disk);
      const mount = new Deno.Command("mount", {
        args: ["-t", "tmpfs", "-o", "size=64k,mode=700", "luo-test", disk],
      });
      assert.ok(mount.outputSync().success);
      try {
        const state = start(new Machine(), disk);
        createSession(state, { name: "a" });
        const recorded = () => content(decodeRecord(Deno.readFileSync(`${disk}/s.state`))?.sessions ?? []);
        using file = Deno.openSync(`${disk}/fill`, { create: true, write: true });
        try {
          for (;;) file.writeSync(new Uint8Array(4096));
        } catch { /* It is full. */ }
        let [added, failed] = [0, 0];
        for (let number = 0; failed < 3; number++) {
          const before = recorded();
          try {
            createSession(state, { name: `${number}`.padEnd(60, "x") });
            added++;
          } catch (error) {
            assert.ok(error instanceof LuoError && error.is("ENOSPC"), `${error}`);
            assert.deepEqual(recorded(), before);
            failed++;
          }
          assert.deepEqual(recorded(), content(state.sessions()));
        }
        assert.ok(added > 2, "the last block of the record has room for some entries");
        const known = recorded();
        assert.throws(() => preserve(state, "a", "1"), /is preserved, but it cannot be recorded/);
        assert.deepEqual(recorded(), known);
        Deno.removeSync(`${disk}/fill`);
        file.truncateSync(0);
        createSession(state, { name: "last" });
        assert.deepEqual(recorded(), content(state.sessions()));
        state[Symbol.dispose]();
      } finally {
        assert.ok(new Deno.Command("umount", { args: ["-l", disk] }).outputSync().success);
      }
    });
  },
});

Deno.test("record: one that another program changed, removed or replaced is written anew, whole", () => {
  const meddle: readonly (readonly [string, (path: string) => void])[] = [
    ["removed", (path) => Deno.removeSync(path)],
    ["longer", (path) => Deno.writeTextFileSync(path, "noise", { append: true })],
    ["shorter", (path) => Deno.truncateSync(path, 100)],
    ["replaced", (path) => {
      Deno.copyFileSync(path, `${path}.copy`);
      Deno.renameSync(`${path}.copy`, path);
    }],
  ];
  for (const [what, run] of meddle) {
    inDirectory((directory) => {
      using state = start(new Machine(), directory);
      createSession(state, { name: "a" });
      run(`${directory}/s.state`);
      createSession(state, { name: "b" });
      const record = decodeRecord(Deno.readFileSync(`${directory}/s.state`));
      assert.deepEqual(content(record?.sessions ?? []), content(state.sessions()), what);
    });
  }
});

Deno.test("journal: changes after the kexec are in the log too: retrieved, restored, finished", () => {
  inDirectory((directory) => {
    const machine = new Machine();
    const first = start(machine, directory);
    for (const name of ["a", "b", "c"]) {
      createSession(first, { name });
      preserve(first, name, "1");
    }
    kexec(machine);
    using state = start(machine, directory);
    const size = () => Deno.statSync(`${directory}/s.state`).size;
    const changes: readonly Step[] = [
      ["retrieve a", (state) => retrieveSession(state, { name: "a" })],
      ["restore a", (state) => restore(state, "a", "1")],
      ["retrieve b", (state) => retrieveSession(state, { name: "b" })],
      ["finish a", (state) => finishSession(state, { name: "a" })],
    ];
    for (const [what, run] of changes) {
      const before = size();
      run(state);
      assert.ok(size() > before, `${what} is no entry`);
      const record = decodeRecord(Deno.readFileSync(`${directory}/s.state`));
      assert.deepEqual(content(record?.sessions ?? []), content(state.sessions()), what);
    }
    state.end("told to");
    const record = JSON.parse(Deno.readTextFileSync(`${directory}/s.state`));
    assert.deepEqual([record.version, record.ended], [1, true], "an end leaves a record that 0.1.0 reads");
  });
});
