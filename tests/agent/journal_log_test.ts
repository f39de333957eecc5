/** The journal's log: torn ends, damage, every write of the manifest and of the record interrupted or failed, and agents of 0.1.0. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { Errno } from "../../ffi/abi/errno.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { decodeJournal } from "../../lib/agent/journal.ts";
import { encodeEntry, readEntries } from "../../lib/agent/journal_log.ts";
import { MANIFEST_SESSION, ManifestWriter } from "../../lib/agent/manifest.ts";
import type { SessionInfo } from "../../lib/agent/protocol.ts";
import { decodeRecord } from "../../lib/agent/record.ts";
import { closeSession, finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { LuoError } from "../../lib/error.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import { ProcessKilled, type Stat, type SystemCalls } from "../../lib/system_calls.ts";
import { kexec, preserve, restore, start } from "./state_on_model.ts";

const text = (word: string) => new TextEncoder().encode(word);
const words = (entries: readonly Uint8Array[] | undefined) =>
  entries?.map((entry) => new TextDecoder().decode(entry));

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const SEED = 12345;
const log = joined(...["one", "", "three"].map((word, index) => encodeEntry(SEED, index, text(word))));

Deno.test("log: a write torn at any byte leaves the entries before it", () => {
  const ends = [19, 35, 56];
  assert.equal(log.length, ends.at(-1));
  for (let written = 0; written <= log.length; written++) {
    const memory = new Uint8Array(log.length + 100);
    memory.set(log.subarray(0, written));
    const whole = ends.filter((end) => end <= written).length;
    assert.deepEqual(
      words(readEntries(SEED, memory)),
      ["one", "", "three"].slice(0, whole),
      `${written} bytes`,
    );
    assert.deepEqual(readEntries(SEED, memory), readEntries(SEED, log.subarray(0, written)));
  }
});

Deno.test("log: a changed byte before the last entry is damage, in the last one the end", () => {
  for (let at = 0; at < log.length; at++) {
    const memory = Uint8Array.from(log);
    memory[at] = (memory[at] ?? 0) ^ 0x20;
    assert.deepEqual(words(readEntries(SEED, memory)), at < 35 ? undefined : ["one", ""], `byte ${at}`);
  }
});

Deno.test("log: entries of another checkpoint, noise and repeated entries are not taken", () => {
  assert.deepEqual(readEntries(SEED + 1, log), []);
  const first = encodeEntry(SEED, 0, text("new"));
  const old = encodeEntry(SEED + 1, 1, text("old"));
  assert.deepEqual(words(readEntries(SEED, joined(first, old))), ["new"]);
  fc.assert(fc.property(fc.uint8Array(), (noise) => assert.deepEqual(readEntries(SEED, noise), [])));
});

type Step = readonly [what: string, run: (state: AgentState) => void];

const steps: readonly Step[] = [
  ["create a", (state) => createSession(state, { name: "a" })],
  ["preserve a 1", (state) => preserve(state, "a", "1")],
  ["create b", (state) => createSession(state, { name: "b" })],
  ["save all", (state) => state.save()],
  ["preserve b 2", (state) => preserve(state, "b", "2")],
  ["close a", (state) => closeSession(state, { name: "a", force: true })],
  ["save all again", (state) => state.save()],
  ["create a again", (state) => createSession(state, { name: "a" })],
  ["create long", (state) => createSession(state, { name: "l".repeat(60) })],
  ["close long", (state) => closeSession(state, { name: "l".repeat(60) })],
];

const content = (sessions: readonly SessionInfo[]) =>
  sessions.map(({ name, state, files }) =>
    `${name} ${state} ${files.map((file) => `${file.token} ${file.state}`)}`
  ).sort();

function inDirectory(use: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "luo-log-" });
  try {
    use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** The process, whose write number `at` to the manifest becomes `instead`. */
function writing(
  sys: SystemCalls,
  at: number,
  instead: (sys: SystemCalls, fd: number, bytes: Uint8Array, offset: bigint) => number,
): { sys: SystemCalls; writes: () => number } {
  let now = 0;
  const pwrite: SystemCalls["pwrite"] = (fd, bytes, offset) =>
    now++ === at ? instead(sys, fd, bytes, offset) : sys.pwrite(fd, bytes, offset);
  const proxy = new Proxy(sys, {
    get(target, name) {
      if (name === "pwrite") return pwrite;
      if (name === "adopt") return (fd: number) => fd;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { sys: proxy, writes: () => now };
}

function agent(sys: SystemCalls, directory: string): AgentState {
  const paths = agentPaths(`${directory}/s`);
  return new AgentState({ sys, paths, pid: 1, now: () => "2026-01-01T00:00:00.000Z", log: () => {} });
}

/** How much of a write arrives: nothing, parts of the headers, parts of the payload, all. */
const parts = [0, 1, 4, 5, 8, 15, 16, 17, 24, 25, 60, -1, -0.5, Infinity];

function partOf(length: number, part: number): number {
  return part === -1 ? length - 1 : part === -0.5 ? length >> 1 : Math.min(part, length);
}

/** The content before each step, and after the last one. */
function contents(): string[][] {
  const all: string[][] = [];
  inDirectory((directory) => {
    using state = start(new Machine(), directory);
    for (const [, run] of steps) {
      all.push(content(state.sessions()));
      run(state);
    }
    all.push(content(state.sessions()));
  });
  return all;
}

for (const reader of ["0.1.0", "this version"]) {
  Deno.test(`manifest: a kexec within any write, after any of its bytes: ${reader} reads the journal before the change or after it`, () => {
    let strikes = 0;
    const expected = contents();
    for (let at = 0, more = true; more; at++) {
      more = false;
      for (const part of parts) {
        inDirectory((directory) => {
          const machine = new Machine();
          const { sys } = writing(machine.init(), at, (sys, fd, bytes, offset) => {
            sys.pwrite(fd, bytes.subarray(0, partOf(bytes.length, part)), offset);
            kexec(machine);
            throw new ProcessKilled("struck");
          });
          let state: AgentState | undefined;
          let struck = false;
          let step = 0;
          try {
            state = agent(sys, directory);
            for (; step < steps.length; step++) steps[step]?.[1](state);
          } catch (error) {
            if (!(error instanceof ProcessKilled)) throw error;
            struck = true;
          }
          if (!struck) return;
          more = true;
          strikes++;
          const [known = [], next = []] = state === undefined ? [] : expected.slice(step);
          if (reader === "0.1.0") {
            const old = String(readByVersion1(machine) ?? "nothing");
            const right = ["nothing", String(known), String(next)];
            assert.ok(right.includes(old), `write ${at}, part ${part}: ${old} is not one of ${right}`);
            return;
          }
          // /run is empty after a kexec.
          for (const { name } of Deno.readDirSync(directory)) Deno.removeSync(`${directory}/${name}`);
          using after = agent(machine.init(), directory);
          const incoming = (lines: string[]) =>
            lines.map((line) => line.replace("outgoing", "incoming").replaceAll("preserved", "waiting"));
          const found = content(after.sessions());
          assert.deepEqual(after.losses, [], `write ${at}, part ${part}`);
          assert.ok(
            [incoming(known), incoming(next)].some((one) => String(one) === String(found)),
            `write ${at}, part ${part}: ${found}, and not ${known} or ${next}`,
          );
        });
      }
    }
    assert.ok(strikes > 100, `only ${strikes} strikes`);
  });
}

Deno.test("manifest: any write fails after any of its bytes: later changes are recorded all the same", () => {
  let failures = 0;
  for (let at = 1, more = true; more; at++) {
    more = false;
    for (const part of parts) {
      inDirectory((directory) => {
        const machine = new Machine();
        const { sys, writes } = writing(machine.init(), at, (sys, fd, bytes, offset) => {
          sys.pwrite(fd, bytes.subarray(0, partOf(bytes.length, part)), offset);
          return -Errno.ENOSPC;
        });
        const state = agent(sys, directory);
        for (const [what, run] of steps) {
          const before = content(state.sessions());
          try {
            run(state);
          } catch (error) {
            assert.ok(error instanceof LuoError || /NoSuchSession|WrongState/.test(`${error}`), `${error}`);
            if (!what.startsWith("preserve")) assert.deepEqual(content(state.sessions()), before, what);
          }
          const record = decodeRecord(Deno.readFileSync(`${directory}/s.state`));
          if (what !== steps[0]?.[0]) {
            assert.deepEqual(content(record?.sessions ?? []), content(state.sessions()), what);
          }
        }
        if (writes() <= at) return;
        more = true;
        failures++;
        const known = content(state.sessions()).map((line) =>
          line.replace("outgoing", "incoming").replaceAll("preserved", "waiting")
        );
        kexec(machine);
        Deno.removeSync(`${directory}/s.state`);
        using after = agent(machine.init(), directory);
        assert.deepEqual(content(after.sessions()), known, `write ${at}, part ${part}`);
      });
    }
  }
  assert.ok(failures > 100, `only ${failures} failures`);
});

Deno.test("record: an agent killed within any write, after any of its bytes: the journal before the change or after it", () => {
  inDirectory((directory) => {
    const state = start(new Machine(), directory);
    const read = () => Deno.readFileSync(`${directory}/s.state`);
    let [before, known] = [read(), content(state.sessions())];
    let torn = 0;
    for (const [what, run] of steps) {
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

/** 0.1.0's reading of one slot, as it was. */
function slotOfVersion1(bytes: Uint8Array): { sequence: bigint; payload: Uint8Array } | undefined {
  if (bytes.length < 24) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== 0x4d4f554c || view.getUint32(4, true) !== 1) return;
  const length = view.getUint32(16, true);
  if (length > bytes.length - 24) return;
  const payload = bytes.subarray(24, 24 + length);
  if (view.getUint32(20, true) !== crc32(payload, crc32(bytes.subarray(8, 20)))) return;
  return { sequence: view.getBigUint64(8, true), payload };
}

/** What an agent of 0.1.0 finds after the kexec: the sessions of the newest slot that it can read. */
function readByVersion1(machine: Machine): string[] | undefined {
  const sys = machine.init();
  const session = openDevice(sys).retrieve(MANIFEST_SESSION);
  let newest: { sequence: bigint; payload: Uint8Array } | undefined;
  for (let token = 0n;; token++) {
    let bytes: Uint8Array;
    try {
      const file = session.restore(token);
      bytes = new Uint8Array(Number((sys.fstat(file.number) as Stat).size));
      sys.pread(file.number, bytes, 0n);
    } catch (error) {
      assert.ok(error instanceof LuoError && error.is("ENOENT"));
      break;
    }
    const half = bytes.length >> 1;
    for (const slot of [bytes.subarray(0, half), bytes.subarray(half)].map(slotOfVersion1)) {
      if (slot !== undefined && slot.sequence > (newest?.sequence ?? -1n)) newest = slot;
    }
  }
  const journal = newest && decodeJournal({ payload: newest.payload, entries: [] });
  return journal && content(journal.sessions);
}

interface Change {
  readonly what: "create" | "preserve" | "close" | "all";
  readonly name: number;
}

/** Sessions with long names fill a slot soon: checkpoints by themselves, and larger memfds. */
const anyStep: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("create" as const), name: fc.nat(400) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("preserve" as const), name: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("close" as const), name: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("all" as const), name: fc.constant(0) }) },
);

Deno.test("journal: after any changes both places have all of them, and 0.1.0 reads the last word or nothing", () => {
  let read = 0;
  let refused = 0;
  const property = fc.property(
    fc.array(anyStep, { minLength: 1, maxLength: 600, size: "max" }),
    (changes) => {
      inDirectory((directory) => {
        const machine = new Machine();
        const state = start(machine, directory);
        let token = 0;
        for (const { what, name: number } of changes) {
          const name = `${number}`.padEnd(60, "x");
          const there = state.outgoing.has(name);
          if (what === "all") state.save();
          else if (what === "create" && !there) createSession(state, { name });
          else if (what === "preserve" && there) preserve(state, name, `${token++}`);
          else if (what === "close" && there) closeSession(state, { name, force: true });
        }
        const known = content(state.sessions());
        assert.deepEqual(
          content(decodeRecord(Deno.readFileSync(`${directory}/s.state`))?.sessions ?? []),
          known,
        );
        kexec(machine);
        const old = readByVersion1(machine);
        if (old === undefined) refused++;
        else assert.deepEqual(old, known, "0.1.0 takes an old journal for the last word");
        if (old !== undefined) read++;
      });
      inDirectory((directory) => {
        const machine = new Machine();
        const state = start(machine, directory);
        for (const { name: number } of changes) {
          const name = `${number}`.padEnd(60, "x");
          if (!state.outgoing.has(name)) createSession(state, { name });
        }
        const known = content(state.sessions()).map((line) => line.replace("outgoing", "incoming"));
        kexec(machine);
        Deno.removeSync(`${directory}/s.state`);
        using after = start(machine, directory);
        assert.deepEqual(content(after.sessions()), known);
      });
    },
  );
  // 0.1.0 reads a journal that ends with a checkpoint, and refuses one that ends with an entry.
  const create: Change = { what: "create", name: 1 };
  fc.assert(property, { numRuns: 25, examples: [[[create, { what: "all", name: 0 }]], [[create]]] });
  assert.ok(read > 0 && refused > 0, `0.1.0 read ${read} journals and refused ${refused}`);
});

Deno.test("manifest: 0.1.0 takes no checkpoint of a smaller memfd for the last word", () => {
  const machine = new Machine();
  const writer = new ManifestWriter(openDevice(machine.init()).create(MANIFEST_SESSION));
  inDirectory((directory) => {
    using state = start(new Machine(), directory);
    const small = Deno.readFileSync(`${directory}/s.state`);
    createSession(state, { name: "a" });
    state.save();
    const large = joined(text(" ".repeat(40_000)), Deno.readFileSync(`${directory}/s.state`));
    for (const payload of [small, small, large]) writer.write(payload);
  });
  assert.ok(writer.append(text("{}")));
  kexec(machine);
  assert.equal(readByVersion1(machine), undefined);
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
