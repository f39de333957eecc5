/** An agent with an fd store is killed before and after every single system call and message to the store. */
import assert from "node:assert/strict";
import type { FdStore } from "../../lib/agent/fd_store.ts";
import { AgentError } from "../../lib/agent_client.ts";
import type { AgentState } from "../../lib/agent/agent_state.ts";
import { finishSession } from "../../lib/agent/session_end.ts";
import { createSession, retrieveSession } from "../../lib/agent/session_methods.ts";
import { Machine } from "../../lib/model/machine.ts";
import { LuoError } from "../../lib/error.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { AFTER, BEFORE, everyMoment, momentOf, mortalWith, play, type Step } from "./moments.ts";
import { kexec, preserve, restore, startWith } from "./state_on_model.ts";
import { StoreProcess } from "./store_on_model.ts";

function striking(store: FdStore, pass: () => void): FdStore {
  const around = (work: () => void) => {
    pass();
    work();
    pass();
  };
  return {
    ...store,
    push: (name, fd) => around(() => store.push(name, fd)),
    remove: (name) => around(() => store.remove(name)),
  };
}

/** Starts agents in one machine and kills each at its moment. */
class Life {
  readonly machine = new Machine();
  store = new StoreProcess(this.machine);

  constructor(readonly directory: string) {}

  agent(moment = -1): AgentState {
    const sys = this.machine.spawn();
    const pass = momentOf(moment, () => void this.machine.kill(sys.getpid()));
    const store = striking(this.store.of(sys), pass);
    return startWith(mortalWith(sys, pass), this.directory, { store });
  }

  kexec(brings: (name: string) => boolean = () => true): void {
    const names = this.store.names.filter(brings);
    kexec(this.machine);
    this.store = new StoreProcess(this.machine);
    this.store.retrieveAll(names);
    Deno.removeSync(this.directory, { recursive: true });
    Deno.mkdirSync(this.directory);
  }
}

/** A step that was struck is tried again as a client would: it may have been done. */
function again(state: AgentState, steps: readonly Step[], struck: string): void {
  const step = steps.find(([what]) => what === struck);
  try {
    step?.[1](state);
  } catch (error) {
    if (error instanceof ProcessKilled) throw error;
    const done = error instanceof LuoError && error.is("EEXIST") ||
      error instanceof Error &&
        /NoSuchSession|WrongState/.test(`${error.name} ${error.message} ${JSON.stringify(error)}`) ||
      error instanceof AgentError;
    assert.ok(done, `${struck}: ${error}`);
  }
}

Deno.test("killed at any moment, an agent loses no outgoing session, and the next one goes on with all of them", () => {
  everyMoment((moment, directory) => {
    const life = new Life(directory);
    const { done, struck } = play(() => life.agent(moment), BEFORE);
    if (struck === undefined) return { struck };
    using state = life.agent();
    assert.deepEqual(state.losses, [], `at ${struck}`);
    if (struck !== "start") again(state, BEFORE, struck);
    const rest = BEFORE.slice(struck === "start" ? 0 : done.length + 1);
    for (const [, run] of rest) run(state);
    const files = new Map(state.sessions().map(({ name, files }) => [name, files.map(({ token }) => token)]));
    assert.deepEqual([...files.keys()].sort(), ["a", "c"], `at ${struck}`);
    for (const token of ["1", "3"]) {
      const listed = files.get("a")?.includes(token);
      assert.ok(listed || struck === `preserve a ${token}`, `file ${token} is not listed, at ${struck}`);
    }
    // Everything is in the next kernel.
    state[Symbol.dispose]();
    life.kexec();
    using next = life.agent();
    assert.deepEqual([next.sessions().map(({ name }) => name).sort(), next.losses], [["a", "c"], []]);
    retrieveSession(next, { name: "a" });
    for (const token of ["1", "3"]) restore(next, "a", token);
    return { struck };
  });
});

for (const brings of ["all", "none"]) {
  Deno.test(`killed at any moment after the kexec, of which systemd brought ${brings} of the sessions`, () => {
    everyMoment((moment, directory) => {
      const life = new Life(directory);
      {
        using first = life.agent();
        for (const [, run] of BEFORE) run(first);
      }
      life.kexec(() => brings === "all");
      const { done, struck } = play(() => life.agent(moment), AFTER);
      if (struck === undefined) return { struck };
      using state = life.agent();
      const lost = state.losses.map(({ session }) => session);
      // The kernel takes no session back: one that is retrieved and not in the store yet ends with the agent, and is told as lost.
      const retrieving = brings === "none" && struck.startsWith("retrieve ");
      if (!retrieving) assert.deepEqual(lost, [], `at ${struck}`);
      const there = new Set(state.sessions().map(({ name }) => name));
      for (const name of ["a", "c"]) {
        const finished = [...done, struck].includes(`finish ${name}`);
        // Killed before the manifest was in the store: the sessions wait in the kernel, and the agent says that it knows no names.
        const unknown = state.unlisted !== undefined && brings === "none" && struck === "start";
        assert.ok(
          there.has(name) || finished || lost.includes(name) || unknown,
          `${name} is gone, at ${struck}`,
        );
        assert.ok(!there.has(name) || !lost.includes(name));
      }
      if (done.includes("finish a")) assert.ok(!there.has("a"), `a is there again, at ${struck}`);
      for (const name of ["a", "c"]) {
        const info = state.sessions().find((one) => one.name === name);
        if (info === undefined) continue;
        if (done.includes(`retrieve ${name}`)) assert.equal(info.state, "retrieved", `at ${struck}`);
        if (info.state === "incoming") retrieveSession(state, { name });
        if (name === "a") { for (const token of ["1", "3"]) restore(state, name, token); }
        finishSession(state, { name });
      }
      return { struck };
    });
  });
}

Deno.test("killed at any moment while it preserves a kept session again: the session goes on, or its loss is told", () => {
  let lostAt = 0;
  everyMoment((moment, directory) => {
    const life = new Life(directory);
    {
      using first = life.agent();
      createSession(first, { name: "k", keep: true });
      for (const token of ["1", "2"]) preserve(first, "k", token);
    }
    life.kexec();
    const { struck } = play(() => life.agent(moment), [[
      "create z",
      (state) => createSession(state, { name: "z" }),
    ]]);
    if (struck === undefined) return { struck };
    const told = new Set<string>();
    const note = (state: AgentState) => {
      for (const { session, files } of state.losses) {
        if (session === "k") files.forEach(({ token }) => told.add(token));
      }
    };
    {
      using state = life.agent();
      note(state);
      const kept = state.sessions().filter(({ name }) => name === "k");
      assert.ok(kept.length <= 1, "two sessions have one name");
    }
    life.kexec();
    using next = life.agent();
    note(next);
    const info = next.outgoing.get("k")?.info;
    for (const token of ["1", "2"]) {
      const there = info?.files.some((file) => file.token === token && file.state === "preserved");
      assert.ok(there || told.has(token), `file ${token} is neither there nor told`);
      assert.ok(!(there && told.has(token)), `file ${token} is there and told as lost`);
    }
    if (told.size > 0) lostAt++;
    return { struck };
  });
  // From the finish to the preserve the agent alone has the files.
  assert.ok(lostAt <= 12, `files were lost at ${lostAt} moments`);
});
