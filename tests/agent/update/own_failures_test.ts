/** What fails is luo itself, the kernel, the disk or the command, at every moment before the kexec: the machine is as before. */
import assert from "node:assert/strict";
import { Errno } from "../../../ffi/abi/errno.ts";
import { createSession } from "../../../lib/agent/session_methods.ts";
import type { UpdateOptions } from "../../../lib/agent/update/before_kexec.ts";
import { LuoError } from "../../../lib/error.ts";
import { imageLoaded } from "../../../lib/kexec/load.ts";
import { ProcessKilled } from "../../../lib/system_calls.ts";
import { fill, preserve } from "../state_on_model.ts";
import { type Agent, NEVER, sessions, throughKexec, UpdateMachine } from "./host_on_model.ts";

function twoParticipants(): UpdateMachine {
  const machine = new UpdateMachine();
  machine.participant("a");
  machine.participant("b", ["a"]);
  return machine;
}

/** Whom the event was told, in this order. */
function told(seen: readonly string[], event: string): string[] {
  return seen.filter((line) => line.endsWith(` ${event}`)).map((line) => line.slice(0, -event.length - 1));
}

/** Nothing of the update is left, and everybody who was told anything was told to cancel, in reverse order. */
function asBefore(machine: UpdateMachine, agent: Agent, when: string, left: readonly string[] = []): void {
  const seen = machine.seen();
  // One that was stopped at its start may have written nothing.
  const started = new Set(agent.updates.record?.events.flatMap(({ participant }) => participant ?? []));
  assert.deepEqual(told(seen, "cancel"), [...started].toReversed(), `${when}: ${seen}`);
  for (const name of told(seen, "prepare")) assert.ok(started.has(name), `${when}: ${name}`);
  assert.deepEqual([agent.updates.state, machine.word()], ["normal", "normal"], when);
  assert.deepEqual(sessions(agent), left, when);
  assert.equal(imageLoaded(agent.state.sys), false, when);
}

const NO_MEMORY = new LuoError("kexec exec", "the kernel", Errno.ENOMEM, "Cannot go on (ENOMEM)");

function noMemory(): never {
  throw NO_MEMORY;
}

/** Each breaks the agent at one step of luo's own. The options are those of an update without force. */
const STEPS: Readonly<Record<string, (agent: Agent, options: UpdateOptions) => UpdateOptions | void>> = {
  "the image cannot be loaded": (_, options) => ({ ...options, load: () => Promise.reject(NO_MEMORY) }),
  "the check before prepare refuses": ({ host }) => {
    host.readyToExec = noMemory;
  },
  "the second session cannot be made": ({ host }) => {
    const create = host.createSession.bind(host);
    host.createSession = (name) => name === "b" ? Promise.reject(NO_MEMORY) : create(name);
  },
  "the digest of a sealed file cannot be taken": ({ host }) => {
    host.takeDigests = () => Promise.reject(NO_MEMORY);
  },
  "the check before freeze refuses": ({ host }) => {
    let checks = 0;
    host.readyToExec = () => void (++checks === 2 && noMemory());
  },
  "a digest cannot be taken": ({ host }) => {
    host.takeDigests = (_, which) => which === "all" ? Promise.reject(NO_MEMORY) : Promise.resolve();
  },
  "the last look at the files refuses": ({ host }) => {
    host.checkAgain = noMemory;
  },
  "the kernel refuses the kexec": ({ host }) => {
    host.exec = noMemory;
  },
};

for (const [what, breakIt] of Object.entries(STEPS)) {
  Deno.test(`${what}: the machine is as before`, async () => {
    using machine = twoParticipants();
    using agent = machine.agent();
    createSession(agent.state, { name: "other" });
    agent.host.readyToExec = () => {};
    const options = machine.options(agent, { force: false, digest: true });
    const broken = breakIt(agent, options) ?? options;
    await assert.rejects(agent.updates.run(broken, NEVER), NO_MEMORY);
    asBefore(machine, agent, what, ["other outgoing"]);
    assert.deepEqual([agent.updates.record?.outcome, agent.updates.record?.by], ["failed", undefined]);
  });
}

/** Does `strike` after the record was written for the nth time, for each n until the update comes to its kexec. */
async function atEveryWrite(
  strike: (machine: UpdateMachine, command: AbortController) => void,
  left: (machine: UpdateMachine, agent: Agent, when: string) => void,
): Promise<void> {
  for (let at = 1;; at++) {
    using machine = twoParticipants();
    using agent = machine.agent();
    const command = new AbortController();
    let writes = 0;
    const save = agent.host.save.bind(agent.host);
    agent.host.save = (record, how) => {
      save(record, how);
      if (++writes === at) strike(machine, command);
    };
    const options = machine.options(agent, { digest: true });
    try {
      await agent.updates.run(options, command.signal);
    } catch (error) {
      if (error instanceof ProcessKilled) {
        assert.ok(at > 15, `only ${at} moments`);
        return;
      }
      left(machine, agent, `write ${at}`);
      continue;
    }
    assert.fail(`the update came to no end at write ${at}`);
  }
}

Deno.test("the command is killed at any moment: the update is cancelled, or comes to its kexec", () =>
  atEveryWrite((_, command) => command.abort("the command has ended"), (machine, agent, when) => {
    asBefore(machine, agent, when);
    assert.equal(agent.updates.record?.reason, "the command has ended", when);
  }));

Deno.test("the disk is full from any moment on: the update is cancelled, and its sessions and image are gone", () =>
  atEveryWrite((machine) => {
    fill(machine.directory);
    Deno.mkdirSync(`${machine.directory}/s.update.json.new`);
  }, asBefore));

Deno.test("a session that another program makes meanwhile is not the update's: it stays, with its files", async () => {
  for (const fails of [true, false]) {
    using machine = twoParticipants();
    using agent = machine.agent();
    const options = machine.options(agent);
    const load = async () => {
      createSession(agent.state, { name: "b" });
      preserve(agent.state, "b", "1");
      if (fails) throw NO_MEMORY;
      await options.load?.();
    };
    await assert.rejects(agent.updates.run({ ...options, load }, NEVER), fails ? NO_MEMORY : /"b" already/);
    asBefore(machine, agent, "made while the image was loaded", ["b outgoing"]);
    assert.deepEqual(agent.state.outgoing.get("b")?.info.files.map(({ token }) => token), ["1"]);
  }
});

Deno.test("a session that is made while the next agent cancels stays too", async () => {
  using machine = twoParticipants();
  {
    using agent = machine.agent();
    await agent.updates.prepare(machine.options(agent), NEVER);
  }
  machine.act("b", "cancel", "sleep 0.5");
  using next = machine.agent();
  assert.ok(next.state.update);
  const resumed = next.updates.resume(next.state.update);
  await machine.called("b cancel");
  createSession(next.state, { name: "b" });
  await resumed;
  assert.deepEqual([next.updates.state, sessions(next)], ["normal", ["b outgoing"]]);
  await next.updates.prepare(machine.options(next), NEVER).catch(() => {});
  assert.deepEqual(sessions(next), ["b outgoing"]);
});

Deno.test("after every failure the next update goes through", async () => {
  using machine = twoParticipants();
  using agent = machine.agent();
  for (const event of ["prepare", "freeze"]) {
    machine.act("b", event, "exit 1");
    await assert.rejects(agent.updates.run(machine.options(agent), NEVER), { name: "StepFailed" });
    machine.act("b", event, "");
  }
  await throughKexec(agent.updates.run(machine.options(agent), NEVER));
});
