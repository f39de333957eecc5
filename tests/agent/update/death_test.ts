/** The agent dies at every moment of an update, and the next one goes on: back before the kexec, forward after it. */
import assert from "node:assert/strict";
import { imageLoaded } from "../../../lib/kexec/load.ts";
import { type Agent, AgentKilled, NEVER, sessions, throughKexec, UpdateMachine } from "./host_on_model.ts";

function twoParticipants(): UpdateMachine {
  const machine = new UpdateMachine();
  machine.participant("a");
  machine.participant("b", ["a"]);
  return machine;
}

/** The names that were told the event. */
function told(seen: readonly string[], event: string): Set<string> {
  return new Set(seen.filter((line) => line.endsWith(` ${event}`)).map((line) => line.split(" ")[0] ?? ""));
}

/** Runs `work` with an agent that dies at the record's write number `dies`. True: it died. */
async function diesAt(agent: Agent, dies: number, work: () => Promise<void>): Promise<boolean> {
  agent.host.dies = agent.host.saves + dies;
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof AgentKilled) return true;
    throw error;
  }
}

Deno.test("the agent dies before the kexec: the next one cancels everybody who was told", async () => {
  let deaths = 0;
  for (let dies = 1;; dies++) {
    using machine = twoParticipants();
    let died: boolean;
    {
      using agent = machine.agent();
      try {
        died = await diesAt(agent, dies, () => agent.updates.run(machine.options(agent), NEVER));
      } catch (error) {
        // It came to the kexec.
        assert.equal(error instanceof Error && error.name, "ProcessKilled");
        break;
      }
    }
    if (!died) break;
    deaths++;
    const before = machine.seen();
    using agent = await machine.nextAgent();
    const after = machine.seen();
    assert.equal(agent.updates.state, "normal", `death ${dies}`);
    assert.equal(machine.word(), "normal");
    assert.deepEqual(sessions(agent), []);
    assert.equal(imageLoaded(agent.state.sys), false, `death ${dies}`);
    for (const name of told(before, "prepare")) {
      assert.ok(told(after, "cancel").has(name), `${dies}: ${name}`);
    }
    // The next update begins as if nothing had been.
    await throughKexec(agent.updates.run(machine.options(agent), NEVER));
  }
  assert.ok(deaths > 15, `${deaths} deaths`);
});

Deno.test("the agent dies after the kexec: the next one goes on until everybody is back", async () => {
  let deaths = 0;
  for (let dies = 1;; dies++) {
    using machine = twoParticipants();
    {
      using agent = machine.agent();
      await throughKexec(agent.updates.run(machine.options(agent), NEVER));
    }
    let died: boolean;
    {
      using agent = machine.agent();
      const { update } = agent.state;
      assert.ok(update);
      died = await diesAt(agent, dies, () => agent.updates.resume(update));
    }
    if (died) {
      deaths++;
      using agent = await machine.nextAgent();
      assert.equal(agent.updates.state, "normal", `death ${dies}`);
      assert.equal(agent.updates.record?.outcome, "done");
      assert.deepEqual(sessions(agent), []);
    }
    const seen = machine.seen();
    assert.deepEqual([...told(seen, "updated")].sort(), ["a", "b"]);
    assert.deepEqual([...told(seen, "finish")].sort(), ["a", "b"]);
    assert.ok(!seen.some((line) => line.endsWith("cancel")));
    if (!died) break;
  }
  assert.ok(deaths > 8, `${deaths} deaths`);
});

Deno.test("the machine loses its power: the update is lost, and says so", async () => {
  using machine = twoParticipants();
  {
    using agent = machine.agent();
    await agent.updates.prepare(machine.options(agent), NEVER);
  }
  // The record stays on the disk, and the machine begins anew.
  using other = new UpdateMachine();
  for (const file of ["s.state", "s.update.json"]) {
    Deno.copyFileSync(`${machine.directory}/${file}`, `${other.directory}/${file}`);
  }
  using agent = await other.nextAgent();
  assert.deepEqual([agent.updates.state, agent.updates.record?.outcome], ["normal", "lost"]);
  assert.deepEqual(other.seen(), []);
});

Deno.test("a participant that outlives its agent is killed before the next agent calls it", async () => {
  using machine = new UpdateMachine();
  machine.participant("slow");
  machine.act("slow", "prepare", 'echo $$ >"$0.pid"; exec sleep 30');
  const script = `${machine.directory}/participants/slow.pid`;
  {
    using agent = machine.agent();
    const stopped = new AbortController();
    const end = agent.updates.prepare(machine.options(agent), stopped.signal).catch(() => {});
    while (!exists(script)) await new Promise((resolve) => setTimeout(resolve, 20));
    const record = Deno.readTextFileSync(`${machine.directory}/s.update.json`);
    // The record of this moment is what an agent killed now would leave; the process is as it would be.
    using next = machine.agent();
    assert.ok(next.state.update);
    assert.equal(JSON.parse(record).events.at(-1).event, "prepare");
    await next.updates.resume(next.state.update);
    await end;
    assert.deepEqual([next.updates.state, machine.seen().at(-1)], ["normal", "slow cancel"]);
  }
});

function exists(path: string): boolean {
  try {
    return Deno.readTextFileSync(path).endsWith("\n");
  } catch {
    return false;
  }
}
