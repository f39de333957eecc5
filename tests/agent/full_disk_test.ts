/** The record cannot be written: what is undone then, what stays, and that the manifest is right either way. */
import assert from "node:assert/strict";
import {
  F_ADD_SEALS,
  F_SEAL_SHRINK,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  O_RDONLY,
} from "../../ffi/abi/fcntl.ts";
import { close, open } from "../../ffi/file.ts";
import { preserveFile, restoreFile } from "../../lib/agent/file_methods.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { createSession, finishSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { check, LuoError } from "../../lib/error.ts";
import { ProcessKilled, type Stat, type SystemCalls } from "../../lib/system_calls.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, loadImage } from "../../lib/kexec/load.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";

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
      // A number that the caller may close.
      if (name === "expose") return () => open("/dev/null", O_RDONLY);
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
  state.sys.write(fd, new TextEncoder().encode("data"));
  state.sys.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
  preserveFile(state, { session, token, fileFd: 0 }, [fd]);
}

function restore(state: AgentState, session: string, token: string): ReturnType<typeof restoreFile> {
  const restored = restoreFile(state, { session, token });
  restored.fds.forEach(close);
  return restored;
}

/** A kexec after which the manifest holds zeros: the agent's fds of a memfd are found by what it holds. */
function damageManifest(state: AgentState, machine: Machine): void {
  const { sys } = state;
  const magic = new Uint8Array(4);
  for (let fd = 0; fd < 64; fd++) {
    if (sys.pread(fd, magic, 0n) !== 4 || String(magic) !== "76,85,79,77") continue;
    const { size } = check<Stat>(sys.fstat(fd), "fstat", "the manifest");
    assert.equal(sys.pwrite(fd, new Uint8Array(Number(size)), 0n), Number(size));
  }
  kexec(machine);
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
  assert.deepEqual(told(third), [["a", "incoming", ["1"]]], "nobody has retrieved the session");
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

Deno.test("a session that the agent itself has retrieved is lost when the agent stops, and told so", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const first = start(machine, directory);
  createSession(first, { name: "a" });
  preserve(first, "a", "1");
  fill(directory);
  kexec(machine);
  start(machine, directory)[Symbol.dispose]();
  free(directory);
  {
    using third = start(machine, directory);
    assert.deepEqual(third.end("stopped").map(({ session }) => session), ["a"]);
  }
  using fourth = start(machine, directory);
  assert.deepEqual([told(fourth), fourth.losses.map(({ session }) => session)], [[], ["a"]]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a damaged manifest: the record names the sessions, and their files are unknown", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const first = start(machine, directory);
  createSession(first, { name: "a" });
  preserve(first, "a", "1");
  damageManifest(first, machine);
  using next = start(machine, directory);
  assert.deepEqual(told(next), [["a", "incoming", ["1"]]]);
  assert.deepEqual(next.losses.map(({ session, filesKnown }) => [session, filesKnown]), [[
    "luo-agent",
    false,
  ]]);
  retrieveSession(next, { name: "a" });
  restore(next, "a", "1");
  assert.throws(() => finishSession(next, { name: "a" }), /Refused/);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a damaged manifest and no record: a session is retrieved by its name, and its files are unknown", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const first = start(machine, directory);
  createSession(first, { name: "a" });
  preserve(first, "a", "1");
  damageManifest(first, machine);
  Deno.removeSync(`${directory}/s.state`);
  using next = start(machine, directory);
  assert.deepEqual(told(next), []);
  retrieveSession(next, { name: "a" });
  assert.throws(() => finishSession(next, { name: "a" }), /Refused/);
  const { reply } = restore(next, "a", "1");
  assert.deepEqual([reply.file.size, reply.file.seals, next.sessions()[0]?.filesKnown], [
    4,
    F_SEAL_SHRINK,
    false,
  ]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a file that is listed and that the kernel does not have becomes a loss, and the list is no longer trusted", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const first = start(machine, directory);
  createSession(first, { name: "a" });
  for (const token of ["1", "9"]) preserve(first, "a", token);
  // The manifest lists file 9 under a token that the kernel does not know.
  for (const file of first.sessions()[0]?.files ?? []) if (file.token === "9") file.token = "7";
  first.save();
  kexec(machine);
  using next = start(machine, directory);
  retrieveSession(next, { name: "a" });
  restore(next, "a", "1");
  assert.throws(() => restore(next, "a", "7"), /NoSuchFile/);
  assert.deepEqual(next.losses.map(({ session, files }) => [session, files]), [["a", [{
    token: "7",
    size: 4,
  }]]]);
  assert.deepEqual(told(next), [["a", "retrieved", ["1"]]]);
  assert.throws(() => finishSession(next, { name: "a" }), /Refused/);
  restore(next, "a", "9");
  assert.deepEqual(told(next), [["a", "retrieved", ["1", "9"]]]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("another program has a session of the manifest's name: the agent runs, says so, and creates none", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const other = machine.spawn();
  {
    using device = openDevice(other);
    device.create("luo-agent");
  }
  const log: string[] = [];
  using state = start(machine, directory, log);
  assert.match(log.join(), /luo-agent.*EEXIST/);
  assert.match(state.journal.problem ?? "", /luo-agent/);
  assert.throws(() => createSession(state, { name: "a" }), /luo-agent/);
  assert.deepEqual(told(state), []);
  machine.kill(other.getpid());
  createSession(state, { name: "a" });
  assert.equal(state.journal.problem, undefined);
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
