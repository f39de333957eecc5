/** The values of `luo put`: what is there after the end of an agent or a kernel at any moment, and after writes that fail. */
import assert from "node:assert/strict";
import type { AgentState } from "../../lib/agent/agent_state.ts";
import { keyProblem, VALUE_MAX } from "../../lib/agent/value_limits.ts";
import { dropValue, getValue, listValues, putValue } from "../../lib/agent/value_methods.ts";
import { Machine } from "../../lib/model/machine.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { everyMoment, mortal, play, type Step } from "./moments.ts";
import { kexec, start, startWith } from "./state_on_model.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function put(state: AgentState, key: string, value: string): void {
  putValue(state, { key, base64: bytes(value).toBase64() });
}

function get(state: AgentState, key: string): string | undefined {
  if (state.values.get(key) === undefined) return undefined;
  return new TextDecoder().decode(Uint8Array.fromBase64(getValue(state, { key }).base64));
}

function inDirectory(work: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a value survives the end of the agent, a kexec, and both", () =>
  inDirectory((directory) => {
    const machine = new Machine();
    {
      using state = start(machine, directory);
      put(state, "a", "1");
      put(state, "b", "2");
      put(state, "a", "3");
      dropValue(state, { key: "b" });
    }
    for (const end of ["agent", "kernel", "agent", "kernel", "kernel"]) {
      using state = start(machine, directory);
      assert.deepEqual([get(state, "a"), get(state, "b")], ["3", undefined]);
      assert.deepEqual([state.losses, state.sessions()], [[], []]);
      if (end === "kernel") kexec(machine);
    }
  }));

/** The values that a key may have: each put can be undone as long as it was not answered. */
const steps: readonly (readonly [key: string, value: string | undefined])[] = [
  ["a", "1"],
  ["b", "2"],
  ["a", "3"],
  ["b", undefined],
  ["c", "x".repeat(VALUE_MAX)],
  ["a", "4"],
];

const plays: readonly Step[] = steps.map(([key, value], at) => [
  String(at),
  (state) => value === undefined ? void dropValue(state, { key }) : put(state, key, value),
]);

/** The value of every key is the last one that was answered, or that of the step that was struck. */
function check(state: AgentState, done: number): void {
  const before = new Map(steps.slice(0, done));
  const struck = steps[done];
  for (const key of ["a", "b", "c"]) {
    const allowed = [before.get(key), ...struck?.[0] === key ? [struck[1]] : []];
    assert.ok(allowed.includes(get(state, key)), `${key} after ${done} steps`);
  }
}

Deno.test("an agent killed at any moment: the next one has every value that was answered", () => {
  everyMoment((moment, directory) => {
    const machine = new Machine();
    const sys = machine.init();
    const strike = () => void machine.kill(sys.getpid());
    const { done, struck } = play(() => startWith(mortal(sys, moment, strike), directory), plays);
    if (struck === undefined) return { struck };
    using state = startWith(machine.spawn(), directory);
    check(state, done.length);
    assert.deepEqual(state.losses, []);
    kexec(machine);
    using next = startWith(machine.init(), directory);
    check(next, done.length);
    return { struck };
  });
});

for (const record of ["with", "without"]) {
  Deno.test(`a kexec by another process at any moment: the next kernel has every value that was answered (${record} the record)`, () => {
    everyMoment((moment, directory) => {
      const machine = new Machine();
      const sys = mortal(machine.init(), moment, () => kexec(machine));
      const { done, struck } = play(() => startWith(sys, directory), plays);
      if (struck === undefined) return { struck };
      if (record === "without") Deno.removeSync(directory, { recursive: true });
      if (record === "without") Deno.mkdirSync(directory);
      using state = startWith(machine.init(), directory);
      check(state, done.length);
      // The first put, which was not answered, can be in the record alone.
      if (done.length > 0) assert.deepEqual(state.losses, []);
      return { struck };
    });
  });
}

Deno.test("an agent killed while it takes the values over after the kexec: they are there, or told as lost", () => {
  let lost = 0;
  everyMoment((moment, directory) => {
    const machine = new Machine();
    {
      using first = startWith(machine.init(), directory);
      for (const [, run] of plays) run(first);
      kexec(machine);
    }
    // /run is empty after a kexec.
    Deno.removeSync(directory, { recursive: true });
    Deno.mkdirSync(directory);
    const sys = machine.init();
    const strike = () => void machine.kill(sys.getpid());
    const { struck } = play(() => startWith(mortal(sys, moment, strike), directory), [["end", () => {
      throw new ProcessKilled("the end");
    }]]);
    using state = startWith(machine.spawn(), directory);
    if (state.losses.length === 0) check(state, steps.length);
    else {
      lost++;
      assert.deepEqual(state.losses.map(({ session }) => session), ["luo-values"]);
      assert.deepEqual(listValues(state, {}), { values: [] });
    }
    return { struck: struck === "end" ? undefined : struck };
  });
  // From the retrieve to the write of the record.
  assert.ok(lost > 0 && lost < 20, `${lost} moments lose the values`);
});

Deno.test("a put that cannot be recorded leaves the old value, here and in the next kernel", () =>
  inDirectory((directory) => {
    const machine = new Machine();
    {
      using state = start(machine, directory);
      put(state, "a", "1");
      // Another file than the agent's, and a directory in the place where a new one is written.
      Deno.copyFileSync(`${directory}/s.values`, `${directory}/copy`);
      Deno.renameSync(`${directory}/copy`, `${directory}/s.values`);
      Deno.mkdirSync(`${directory}/s.values.new`);
      assert.throws(() => put(state, "a", "2"), /record/);
      assert.throws(() => dropValue(state, { key: "a" }), /record/);
      assert.equal(get(state, "a"), "1");
      kexec(machine);
    }
    using next = start(machine, directory);
    assert.equal(get(next, "a"), "1");
    Deno.removeSync(`${directory}/s.values.new`);
    put(next, "a", "2");
    assert.equal(get(next, "a"), "2");
  }));

Deno.test("values of a kernel that ended without handing them over are told as lost, and kept aside", () =>
  inDirectory((directory) => {
    {
      using state = start(new Machine(), directory);
      put(state, "a", "1");
    }
    using state = start(new Machine(), directory);
    assert.equal(get(state, "a"), undefined);
    assert.match(state.losses.map(({ reason }) => reason).join(), /1 values? of luo put/);
    assert.match(Deno.readTextFileSync(`${directory}/s.values.damaged`), /"key":"a"/);
  }));

Deno.test("what the agent keeps for itself ends with its kernel, and is no loss of anybody's", () =>
  inDirectory((directory) => {
    {
      using state = start(new Machine(), directory);
      state.values.putOwn("update/1", { bytes: new TextEncoder().encode("{}"), at: "2026" });
    }
    using state = start(new Machine(), directory);
    assert.deepEqual([state.losses, state.values.own("update/")], [[], []]);
  }));

Deno.test("a damaged record of this boot is told, and kept aside", () =>
  inDirectory((directory) => {
    const machine = new Machine();
    {
      using state = start(machine, directory);
      put(state, "a", "1");
    }
    Deno.writeTextFileSync(`${directory}/s.values`, "noise");
    using state = start(machine, directory);
    assert.match(state.losses.map(({ reason }) => reason).join(), /cannot be read/);
    assert.equal(Deno.readTextFileSync(`${directory}/s.values.damaged`), "noise");
  }));

Deno.test("what is no key", () => {
  for (const key of ["a", "é", "a b", "-", "x".repeat(255), "a/b"]) assert.equal(keyProblem(key), undefined);
  for (const key of ["", "x".repeat(256), "é".repeat(128), "a\nb", "a\0", "\ud800", "\x7f", "a\u2028"]) {
    assert.ok(keyProblem(key), JSON.stringify(key));
  }
});

Deno.test("values too long, or too many, are refused, and the old ones are there", () =>
  inDirectory((directory) => {
    using state = start(new Machine(), directory);
    const full = new Uint8Array(VALUE_MAX).toBase64();
    const over = new Uint8Array(VALUE_MAX + 1).toBase64();
    assert.throws(() => putValue(state, { key: "a", base64: over }), /BadRequest/);
    assert.throws(() => putValue(state, { key: "a", base64: "!" }), /BadRequest/);
    // The keys count too.
    for (let key = 0; key < 255; key++) putValue(state, { key: `key ${key}`, base64: full });
    assert.throws(() => putValue(state, { key: "x".repeat(255), base64: full }), /BadRequest/);
    putValue(state, { key: "key 7", base64: full });
    assert.equal(state.values.size.count, 255);
  }));

Deno.test("10,000 keys: each put is quick, and all come over the kexec", () =>
  inDirectory((directory) => {
    const machine = new Machine();
    const began = performance.now();
    {
      using state = start(machine, directory);
      for (let key = 0; key < 10_000; key++) put(state, `key ${key}`, "value ".repeat(10));
      kexec(machine);
    }
    using state = start(machine, directory);
    const { values, next } = listValues(state, { prefix: "key 9", limit: 100 });
    assert.deepEqual([values.length, values[0]?.key, next], [100, "key 9", values.at(-1)?.key]);
    assert.equal(state.values.size.count, 10_000);
    // 3 s alone on the machine. With a checkpoint for every put they would take minutes.
    assert.ok(performance.now() - began < 60_000, `${performance.now() - began} ms`);
  }));
