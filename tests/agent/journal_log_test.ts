/** The journal in the manifest: every write interrupted or failed. */
import assert from "node:assert/strict";
import { Errno } from "../../ffi/abi/errno.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { decodeRecord } from "../../lib/agent/record.ts";
import { LuoError } from "../../lib/error.ts";
import { Machine } from "../../lib/model/machine.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { content, inDirectory, STEPS } from "./journal_steps.ts";
import { readByVersion1 } from "./journal_of_version1.ts";
import { kexec, start } from "./state_on_model.ts";

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
    for (const [, run] of STEPS) {
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
            for (; step < STEPS.length; step++) STEPS[step]?.[1](state);
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
        for (const [what, run] of STEPS) {
          const before = content(state.sessions());
          try {
            run(state);
          } catch (error) {
            assert.ok(error instanceof LuoError || /NoSuchSession|WrongState/.test(`${error}`), `${error}`);
            if (!what.startsWith("preserve")) assert.deepEqual(content(state.sessions()), before, what);
          }
          const record = decodeRecord(Deno.readFileSync(`${directory}/s.state`));
          if (what !== STEPS[0]?.[0]) {
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
