/** The table of docs/update.md that says what is lost if what dies when: each of its rows is tried. */
import assert from "node:assert/strict";
import { NotFinished } from "../../../lib/agent/update/coordinator.ts";
import { type Agent, AgentKilled, NEVER, sessions, throughKexec, UpdateMachine } from "./host_on_model.ts";
import { preserve, restore } from "../state_on_model.ts";

/** What the last agent of the story lists as lost, and what participants were told last. */
interface Story {
  readonly lost: readonly string[];
  readonly state: string;
  readonly last: readonly string[];
}

const lostOf = ({ state }: Agent) => state.losses.map(({ session, files }) => `${session}: ${files.length}`);

function end(machine: UpdateMachine, agent: Agent): Story {
  return { lost: lostOf(agent), state: agent.updates.state, last: machine.seen().slice(-1) };
}

/** A machine with one participant, which preserves a file at the event (the test does that in its place). */
function withCache(): UpdateMachine {
  const machine = new UpdateMachine();
  machine.participant("cache");
  return machine;
}

async function prepared(machine: UpdateMachine): Promise<Agent> {
  const agent = machine.agent();
  await agent.updates.prepare(machine.options(agent), NEVER);
  preserve(agent.state, "cache", "1");
  return agent;
}

/** To the next kernel, with the file in the session. */
async function inNextKernel(machine: UpdateMachine): Promise<void> {
  using agent = await prepared(machine);
  await throughKexec(agent.updates.run(machine.options(agent, { load: undefined }), NEVER));
}

/** The stories by the first cell of their row. */
const STORIES: Readonly<Record<string, () => Promise<Story>>> = {
  async "a participant, before the kexec"() {
    using machine = withCache();
    machine.act("cache", "freeze", "kill -9 $$");
    using agent = await prepared(machine);
    await assert.rejects(agent.updates.freeze(machine.options(agent), NEVER), /killed by signal 9/);
    return end(machine, agent);
  },
  async "the command, while a step is under way"() {
    using machine = withCache();
    machine.act("cache", "prepare", "sleep 100");
    using agent = machine.agent();
    const command = new AbortController();
    const rejected = assert.rejects(agent.updates.prepare(machine.options(agent), command.signal));
    await machine.called("cache prepare");
    command.abort("the command has ended");
    await rejected;
    return end(machine, agent);
  },
  async "the command, between two steps"() {
    using machine = withCache();
    const command = new AbortController();
    using agent = machine.agent();
    await agent.updates.prepare(machine.options(agent), command.signal);
    command.abort("the command has ended");
    return end(machine, agent);
  },
  async "the agent, before the kexec"() {
    using machine = withCache();
    // Its fds close, as with every process that ends.
    (await prepared(machine))[Symbol.dispose]();
    using next = await machine.nextAgent();
    assert.deepEqual(sessions(next), []);
    return end(machine, next);
  },
  async "a participant, in the next kernel"() {
    using machine = withCache();
    await inNextKernel(machine);
    machine.act("cache", "updated", "kill -9 $$");
    using agent = await machine.nextAgent();
    await assert.rejects(agent.updates.finish(false), NotFinished);
    assert.deepEqual(sessions(agent), ["cache retrieved"]);
    return end(machine, agent);
  },
  async "the agent, before it calls `updated`"() {
    using machine = withCache();
    await inNextKernel(machine);
    {
      using agent = machine.agent();
      agent.host.dies = 1;
      const { update } = agent.state;
      assert.ok(update);
      await assert.rejects(agent.updates.resume(update), AgentKilled);
    }
    machine.act("cache", "updated", "exit 0");
    using next = await machine.nextAgent();
    assert.deepEqual(sessions(next), ["cache retrieved"]);
    return end(machine, next);
  },
  async "the agent, after that, files not restored"() {
    using machine = withCache();
    await inNextKernel(machine);
    machine.act("cache", "updated", "exit 1");
    (await machine.nextAgent())[Symbol.dispose]();
    machine.act("cache", "updated", "exit 0");
    using next = await machine.nextAgent();
    return end(machine, next);
  },
  async "the agent, after that, files restored"() {
    using machine = withCache();
    await inNextKernel(machine);
    machine.act("cache", "updated", "exit 1");
    {
      using agent = await machine.nextAgent();
      restore(agent.state, "cache", "1");
    }
    machine.act("cache", "updated", "exit 0");
    using next = await machine.nextAgent();
    return { ...end(machine, next), lost: lostOf(next).filter((loss) => !loss.endsWith(": 0")) };
  },
  async "the machine, before the kexec"() {
    using machine = withCache();
    (await prepared(machine))[Symbol.dispose]();
    using other = withCache();
    for (const file of ["s.state", "s.update.json"]) {
      Deno.copyFileSync(`${machine.directory}/${file}`, `${other.directory}/${file}`);
    }
    using agent = await other.nextAgent();
    assert.equal(agent.updates.record?.outcome, "lost");
    return end(other, agent);
  },
};

/** Row by row: who dies, what is lost, what the agent says, what participants are told. */
function rows(): string[][] {
  const text = Deno.readTextFileSync(new URL("../../../docs/update.md", import.meta.url));
  const [, part = ""] = text.split("## What is lost if what dies when");
  return part.split("\n## ")[0]?.split("\n").filter((line) => line.startsWith("| ")).slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim())) ?? [];
}

Deno.test("the table has a story for each row, and a row for each story", () => {
  assert.deepEqual(rows().map(([who]) => who), Object.keys(STORIES));
});

for (const [who = "", lost = "", state = "", last = ""] of rows()) {
  Deno.test(`what is lost: ${who} dies`, async () => {
    const story = await STORIES[who]?.();
    assert.ok(story, who);
    assert.deepEqual(story.lost, lost === "nothing" ? [] : ["cache: 1"]);
    assert.equal(story.state, state);
    assert.deepEqual(story.last, last === "nothing" ? [] : [`cache ${last.replaceAll("`", "")}`]);
  });
}
