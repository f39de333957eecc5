/** The agent with an fd store: killed at any moment it loses nothing, and the next agent knows what every session is. */
import assert from "node:assert/strict";
import { LuoError } from "../../lib/error.ts";
import { openDevice } from "../../lib/session.ts";
import { storeName } from "../../lib/agent/fd_store.ts";
import { closeSession, finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { execImage } from "../../lib/agent/image_methods.ts";
import type { AgentState } from "../../lib/agent/agent_state.ts";
import { VarlinkError } from "../../lib/agent/varlink.ts";
import { Machine } from "../../lib/model/machine.ts";
import { kexec, loadNext, preserve, restore, startWith, told } from "./state_on_model.ts";
import { StoreProcess } from "./store_on_model.ts";

/** A machine with a store, and agents in it one after the other. */
class Boots implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly machine = new Machine();
  readonly log: string[] = [];
  store: StoreProcess;
  #agent: number | undefined;

  constructor(room?: number) {
    this.store = new StoreProcess(this.machine, room);
  }

  /** A new agent. The one before is killed. */
  agent(): AgentState {
    if (this.#agent !== undefined) this.machine.kill(this.#agent);
    const sys = this.machine.spawn();
    this.#agent = sys.getpid();
    return startWith(sys, this.directory, { log: this.log, store: this.store.of(sys) });
  }

  /** systemctl kexec. @param brings the sessions that systemd hands to the next one's store */
  kexec(brings: (name: string) => boolean = () => true): void {
    const names = this.store.names.filter(brings);
    kexec(this.machine);
    this.#agent = undefined;
    this.store = new StoreProcess(this.machine, this.store.room);
    this.store.retrieveAll(names);
    // /run is empty after a kexec.
    Deno.removeSync(this.directory, { recursive: true });
    Deno.mkdirSync(this.directory);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

const found = (state: AgentState) => state.sessions().map(({ name, state, found }) => [name, state, found]);

Deno.test("a killed agent loses nothing: the next one adopts all sessions, with their files", () => {
  using boots = new Boots();
  const first = boots.agent();
  createSession(first, { name: "a" });
  preserve(first, "a", "1");
  createSession(first, { name: "b" });
  assert.deepEqual(boots.store.names, ["a", "b", "luo-agent"]);
  const second = boots.agent();
  assert.deepEqual(told(second), [["a", "outgoing", ["1"]], ["b", "outgoing", []]]);
  assert.deepEqual([second.losses, found(second)[0]], [[], ["a", "outgoing", "adopted"]]);
  preserve(second, "a", "2");
  closeSession(second, { name: "b" });
  assert.deepEqual(boots.store.names, ["a", "luo-agent"]);
  const third = boots.agent();
  assert.deepEqual([told(third), third.losses], [[["a", "outgoing", ["1", "2"]]], []]);
});

Deno.test("after the kexec: sessions that systemd brings are adopted, others are orphans that wait in the kernel", () => {
  using boots = new Boots();
  const first = boots.agent();
  for (const name of ["a", "b"]) {
    createSession(first, { name });
    preserve(first, name, "1");
  }
  boots.kexec((name) => name !== "b");
  const next = boots.agent();
  assert.deepEqual(found(next), [["a", "incoming", "adopted"], ["b", "incoming", "orphaned"]]);
  assert.deepEqual([next.losses, next.lastUpdate?.sessions], [[], 2]);
  for (const name of ["a", "b"]) {
    retrieveSession(next, { name });
    restore(next, name, "1");
  }
  assert.deepEqual(boots.store.names, ["a", "b", "luo-agent%1"]);
  const other = boots.agent();
  assert.deepEqual(told(other), [["a", "retrieved", ["1"]], ["b", "retrieved", ["1"]]]);
  for (const name of ["a", "b"]) finishSession(other, { name });
  assert.deepEqual([boots.store.names, boots.agent().losses], [["luo-agent%1"], []]);
});

Deno.test("the manifest of the last of several agents counts after the kexec", () => {
  using boots = new Boots();
  for (let agent = 0; agent < 40; agent++) {
    const state = boots.agent();
    createSession(state, { name: `s${agent}` });
    if (agent > 0) closeSession(state, { name: `s${agent - 1}`, force: true });
  }
  boots.kexec();
  assert.deepEqual(told(boots.agent()), [["s39", "incoming", []]]);
});

Deno.test("without a manifest and a record, sessions of the store are unknown, and their files are too", () => {
  using boots = new Boots();
  const first = boots.agent();
  createSession(first, { name: "a" });
  preserve(first, "a", "1");
  boots.kexec((name) => name === "a");
  using device = openDevice(boots.machine.spawn());
  const manifest = device.retrieve("luo-agent");
  manifest.finish();
  device.close();
  const next = boots.agent();
  assert.deepEqual(found(next), [["a", "incoming", "unknown"]]);
  retrieveSession(next, { name: "a" });
  assert.throws(() => finishSession(next, { name: "a" }), /Refused/);
  assert.throws(() => closeSession(next, { name: "a" }), /Refused/);
  restore(next, "a", "1");
});

Deno.test("a lost record in the same boot: outgoing sessions are unknown, and not closed without force", () => {
  using boots = new Boots();
  const first = boots.agent();
  createSession(first, { name: "a" });
  preserve(first, "a", "1");
  Deno.removeSync(`${boots.directory}/s.state`);
  const next = boots.agent();
  assert.deepEqual(found(next), [["a", "outgoing", "unknown"]]);
  assert.throws(() => closeSession(next, { name: "a" }), /Refused/);
});

Deno.test("a store that is full: the session is refused, and nothing was made", () => {
  using boots = new Boots(3);
  const state = boots.agent();
  for (const name of ["a", "b"]) createSession(state, { name });
  assert.throws(() => createSession(state, { name: "c" }), /fd store has 3 of 3 entries/);
  assert.deepEqual(told(state).map(([name]) => name), ["a", "b"]);
  closeSession(state, { name: "a" });
  createSession(state, { name: "c" });
  assert.deepEqual(boots.store.names, ["b", "c", "luo-agent"]);
});

Deno.test("entries of the store that are no sessions are left alone, and take room", () => {
  using boots = new Boots(3);
  boots.store.entries.push({ name: "other", fd: boots.store.sys.memfd_create("other", 0) });
  const state = boots.agent();
  assert.deepEqual([told(state), state.store.usage], [[], { room: 3, used: 2 }]);
  createSession(state, { name: "a" });
  assert.throws(() => createSession(state, { name: "b" }), /3 of 3/);
});

Deno.test("an agent that is stopped loses nothing, and says so", () => {
  using boots = new Boots();
  const state = boots.agent();
  createSession(state, { name: "a" });
  preserve(state, "a", "1");
  assert.deepEqual([state.end("stopped"), state.ended], [[], false]);
  state[Symbol.dispose]();
  assert.deepEqual([told(boots.agent()), boots.agent().losses], [[["a", "outgoing", ["1"]]], []]);
});

Deno.test("an agent that systemd did not start is refused while the store has sessions, and changes nothing", () => {
  using boots = new Boots();
  const state = boots.agent();
  createSession(state, { name: "a" });
  preserve(state, "a", "1");
  state[Symbol.dispose]();
  assert.throws(
    () => startWith(boots.machine.spawn(), boots.directory, { log: boots.log }),
    (error) => error instanceof LuoError && error.is("EBUSY") && /fd store has sessions/.test(error.message),
  );
  const next = boots.agent();
  assert.deepEqual([told(next), next.losses], [[["a", "outgoing", ["1"]]], []]);
  closeSession(next, { name: "a", force: true });
  next[Symbol.dispose]();
  assert.doesNotThrow(() => startWith(boots.machine.spawn(), boots.directory, { log: boots.log }));
});

Deno.test("a store that was emptied: its sessions are losses", () => {
  using boots = new Boots();
  const state = boots.agent();
  createSession(state, { name: "a" });
  preserve(state, "a", "1");
  for (const { fd } of boots.store.entries.splice(0)) boots.store.sys.close(fd);
  const next = boots.agent();
  assert.deepEqual([told(next), next.losses.map(({ session }) => session)], [[], ["a"]]);
});

Deno.test("names in the store are printable, without a colon, and as long as systemd takes", () => {
  assert.deepEqual(
    ["vm1", "a:b", "50%", "\n", "ü", "a b"].map((name) => storeName(name)),
    ["vm1", "a%3ab", "50%25", "%0a", "%c3%bc", "a b"],
  );
  assert.equal(storeName("vm1", 2), "vm1%2");
  for (const name of ["\u{1f600}".repeat(15), "n".repeat(63)]) assert.ok(storeName(name, 10).length <= 255);
});

Deno.test("a kexec that systemd is to execute: refused while a session is not in the store, else prepared", () => {
  using boots = new Boots();
  const state = boots.agent();
  createSession(state, { name: "a" });
  loadNext(boots.machine);
  assert.deepEqual(problems(() => execImage(state, { prepare: true })), ["image_foreign"]);
  assert.deepEqual(execImage(state, { prepare: true, force: true }), {});
  const session = state.outgoing.get("a")?.session;
  assert.ok(session !== undefined);
  state.store.drop(session);
  assert.deepEqual(problems(() => execImage(state, { prepare: true })), [
    "session_outgoing",
    "image_foreign",
  ]);
});

/** The problem codes with which the call is refused. */
function problems(call: () => void): unknown[] {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof VarlinkError && Array.isArray(error.parameters.problems));
    return error.parameters.problems.map(({ code }) => code);
  }
  return [];
}
