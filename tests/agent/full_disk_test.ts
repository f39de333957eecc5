/** The record cannot be written: what is undone then, what stays, and that the manifest is right either way. */
import assert from "node:assert/strict";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { preserveFile } from "../../lib/agent/file_methods.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { LuoError } from "../../lib/error.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import { Machine } from "../../lib/model/machine.ts";

function start(machine: Machine, directory: string, log: string[] = []): AgentState {
  const sys = adopting(machine.spawn());
  const now = () => "2026-01-01T00:00:00.000Z";
  return new AgentState({
    sys,
    paths: agentPaths(`${directory}/s`),
    pid: 1,
    now,
    log: (line) => log.push(line),
  });
}

/** Files of the tests are the model's own. */
function adopting(sys: SystemCalls): SystemCalls {
  return new Proxy(sys, {
    get(target, name) {
      if (name === "adopt") return (fd: number) => fd;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A directory in the way of the file that would be renamed: nobody can write there, not even root. */
function fill(directory: string): void {
  Deno.mkdirSync(`${directory}/s.state.new`);
}

function free(directory: string): void {
  Deno.removeSync(`${directory}/s.state.new`);
}

function preserve(state: AgentState, session: string, token: string): void {
  const fd = state.sys.memfd_create("data", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  preserveFile(state, { session, token, fileFd: 0 }, [fd]);
}

function kexec(machine: Machine): void {
  const sys = machine.spawn();
  const image = sys.memfd_create("image", 0);
  sys.write(image, standInBzImage({ release: "next" }));
  loadImage(sys, { kernel: image, commandLine: "liveupdate=on" });
  assert.throws(() => exec(sys), ProcessKilled);
}

const unrecorded = (error: unknown) => error instanceof LuoError && error.operation === "record";
const told = (state: AgentState) =>
  state.sessions().map(({ name, state, files }) => [name, state, files.map(({ token }) => token)]);

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

Deno.test("full disk: an agent that is to end does, and the next one tells what was lost", () => {
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

Deno.test("record: one that is no journal is nobody's word", () => {
  for (const content of ["", "{", '{"version":1}', "\0".repeat(100_000)]) {
    const directory = Deno.makeTempDirSync();
    Deno.writeTextFileSync(`${directory}/s.state`, content);
    using state = start(new Machine(), directory);
    assert.deepEqual([told(state), state.losses], [[], []]);
    Deno.removeSync(directory, { recursive: true });
  }
});
