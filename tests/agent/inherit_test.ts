/** Record, manifest and kernel contradict each other: the next agent misreports nothing and loses nothing. */
import assert from "node:assert/strict";
import { F_SEAL_SHRINK } from "../../ffi/abi/fcntl.ts";
import { finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import { damageManifest, fill, free, kexec, preserve, restore, start, told } from "./state_on_model.ts";

Deno.test("a session that the agent retrieved by itself is lost when the agent stops, and is listed as a loss", () => {
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

Deno.test("another program has a session of the manifest's name: the agent runs, reports this, and creates no manifest", () => {
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

Deno.test("a record that is not a journal is kept aside, and what the agent before held is called unknown", () => {
  for (const content of ["", "{", '{"version":1}', "\0".repeat(100_000)]) {
    const directory = Deno.makeTempDirSync();
    Deno.writeTextFileSync(`${directory}/s.state`, content);
    const log: string[] = [];
    const machine = new Machine();
    start(machine, directory, log)[Symbol.dispose]();
    assert.match(log.join(), /^Cannot read the record ".*s\.state".*"(.*s\.state\.damaged)"$/);
    assert.equal(Deno.readTextFileSync(`${directory}/s.state.damaged`), content);
    // The next agent knows it from the new record.
    using state = start(machine, directory, log);
    assert.equal(log.length, 1);
    assert.deepEqual([told(state), state.unlisted], [[], undefined]);
    assert.deepEqual(state.losses.map(({ session, files, filesKnown }) => [session, files, filesKnown]), [[
      "luo-agent",
      [],
      false,
    ]]);
    assert.match(
      state.losses[0]?.reason ?? "",
      /record cannot be read .*what the agent before held is unknown/,
    );
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a damaged record after a live update: sessions may still wait in the kernel", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const first = start(machine, directory);
  createSession(first, { name: "a" });
  kexec(machine);
  start(machine, directory)[Symbol.dispose]();
  Deno.writeTextFileSync(`${directory}/s.state`, "garbage");
  using next = start(machine, directory);
  assert.match(next.unlisted ?? "", /sessions may wait in the kernel/);
  retrieveSession(next, { name: "a" });
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("a damaged record does no harm when the manifest came over", () => {
  const directory = Deno.makeTempDirSync();
  const machine = new Machine();
  const first = start(machine, directory);
  createSession(first, { name: "a" });
  kexec(machine);
  Deno.writeTextFileSync(`${directory}/s.state`, "garbage");
  using next = start(machine, directory);
  assert.deepEqual([told(next), next.losses, next.unlisted], [[["a", "incoming", []]], [], undefined]);
  Deno.removeSync(directory, { recursive: true });
});
