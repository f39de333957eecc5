/**
 * The agent is killed, or another process executes the kexec, before and after every single system call the agent makes. The
 * answers of the next agent are then compared with the kernel's.
 */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { close, open } from "../../ffi/file.ts";
import { preserveFile, restoreFile } from "../../lib/agent/file_methods.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import type { Loss } from "../../lib/agent/protocol.ts";
import {
  closeSession,
  createSession,
  finishSession,
  retrieveSession,
} from "../../lib/agent/session_methods.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { LuoError } from "../../lib/error.ts";
import { Fd } from "../../lib/fd.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import { Machine } from "../../lib/model/machine.ts";

/** A process to which `strike` happens at one moment: moment 2n is before system call n, moment 2n + 1 right after it. */
function mortal(sys: SystemCalls, moment: number, strike: () => void): SystemCalls {
  let now = 0;
  const pass = () => {
    if (now++ !== moment) return;
    strike();
    throw new ProcessKilled("struck");
  };
  return new Proxy(sys, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        pass();
        const answer: unknown = name === "adopt"
          ? args[0]
          // A descriptor of this process, which the agent may close.
          : name === "expose"
          ? open("/dev/null", O_RDONLY)
          : Reflect.apply(value, target, args);
        pass();
        return answer;
      };
    },
  });
}

function agent(sys: SystemCalls, directory: string): AgentState {
  const paths = agentPaths(`${directory}/s`);
  return new AgentState({
    sys,
    paths,
    pid: sys.getpid(),
    now: () => "2026-01-01T00:00:00.000Z",
    log: () => {},
  });
}

function preserve(state: AgentState, session: string, token: string): void {
  const fd = state.sys.memfd_create("data", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  state.sys.write(fd, new TextEncoder().encode(session + token));
  preserveFile(state, { session, token, fileFd: 0 }, [fd], { pid: 1, uid: 0, gid: 0 });
}

function restore(state: AgentState, session: string, token: string): void {
  restoreFile(state, { session, token }).fds.forEach(close);
}

function kexec(machine: Machine): void {
  const sys = machine.spawn();
  const image = Fd.of(sys, sys.memfd_create("image", 0), "memfd_create");
  sys.write(image.number, standInBzImage({ release: "next" }));
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on" });
  assert.throws(() => exec(sys), ProcessKilled);
}

type Step = readonly [what: string, run: (state: AgentState) => void];

/** Runs the steps until they are done or the process is dead. Returns the steps that were answered, and the step that was struck. */
function play(
  start: () => AgentState,
  steps: readonly Step[],
): { done: string[]; struck: string | undefined } {
  const done: string[] = [];
  let state: AgentState | undefined;
  let next = "start";
  try {
    state = start();
    for (const [what, run] of steps) {
      next = what;
      run(state);
      done.push(what);
    }
    return { done, struck: undefined };
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
    return { done, struck: next };
  } finally {
    state?.[Symbol.dispose]();
  }
}

/** Runs `check` for every moment, each time on a new machine and in a new directory. */
function everyMoment(check: (moment: number, directory: string) => { struck: string | undefined }): void {
  for (let moment = 0;; moment++) {
    const directory = Deno.makeTempDirSync();
    try {
      const { struck } = check(moment, directory);
      if (struck !== undefined) continue;
      assert.ok(moment > 50, `only ${moment} moments`);
      return;
    } catch (error) {
      throw new Error(`at moment ${moment}`, { cause: error });
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }
}

const before: readonly Step[] = [
  ["create a", (state) => createSession(state, { name: "a" })],
  ["preserve a 1", (state) => preserve(state, "a", "1")],
  ["create b", (state) => createSession(state, { name: "b" })],
  ["preserve b 2", (state) => preserve(state, "b", "2")],
  ["preserve a 3", (state) => preserve(state, "a", "3")],
  ["close b", (state) => closeSession(state, { name: "b", force: true })],
  ["create c", (state) => createSession(state, { name: "c" })],
];

const lost = (losses: readonly Loss[]) =>
  new Map(losses.map(({ session, files }) => [session, files.map((f) => f.token)]));

Deno.test("an agent killed while it held outgoing sessions: all are lost, and the next agent lists those that a client knew of", () => {
  everyMoment((moment, directory) => {
    const machine = new Machine();
    const sys = machine.init();
    const strike = () => void machine.kill(sys.getpid());
    const { done, struck } = play(() => agent(mortal(sys, moment, strike), directory), before);
    if (struck === undefined) return { struck };
    using state = agent(machine.spawn(), directory);
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
      state.device.open().create(name).close();
    }
    return { struck };
  });
});

for (const record of ["with", "without"]) {
  Deno.test(`a kexec by another process at any moment: every answered change is in the next kernel (${record} the record)`, () => {
    everyMoment((moment, directory) => {
      const machine = new Machine();
      const sys = mortal(machine.init(), moment, () => kexec(machine));
      const { done, struck } = play(() => agent(sys, directory), before);
      if (struck === undefined) return { struck };
      // /run is empty after a kexec.
      if (record === "without") Deno.removeSync(directory, { recursive: true });
      if (record === "without") Deno.mkdirSync(directory);
      using state = agent(mortal(machine.init(), -1, () => {}), directory);
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

const after: readonly Step[] = [
  ["retrieve a", (state) => retrieveSession(state, { name: "a" })],
  ["restore a 1", (state) => restore(state, "a", "1")],
  ["retrieve c", (state) => retrieveSession(state, { name: "c" })],
  ["restore a 3", (state) => restore(state, "a", "3")],
  ["finish a", (state) => finishSession(state, { name: "a" })],
  ["create d", (state) => createSession(state, { name: "d" })],
];

Deno.test("an agent killed after the kexec: sessions listed as waiting do wait, and sessions listed as lost are lost", () => {
  everyMoment((moment, directory) => {
    const machine = new Machine();
    using first = agent(mortal(machine.init(), -1, () => {}), directory);
    for (const [, run] of before) run(first);
    kexec(machine);
    const sys = machine.init();
    const strike = () => void machine.kill(sys.getpid());
    const { done, struck } = play(() => agent(mortal(sys, moment, strike), directory), after);
    if (struck === undefined) return { struck };
    using state = agent(mortal(machine.spawn(), -1, () => {}), directory);
    const told = lost(state.losses);
    for (const name of ["a", "c"]) {
      const session = state.sessions().find((one) => one.name === name);
      const touched = [...done, struck].some((what) =>
        what.endsWith(` ${name}`) || what.includes(` ${name} `)
      );
      if (session === undefined) {
        assert.throws(
          () => state.device.open().retrieve(name),
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
