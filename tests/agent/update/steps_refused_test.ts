/** Requests that an update refuses in the state in which they come. */
import assert from "node:assert/strict";
import { loadForClient } from "../../../lib/agent/image_methods.ts";
import { NEVER, throughKexec, UpdateMachine } from "./host_on_model.ts";

Deno.test("a kernel for an update that is prepared already is refused, and the update stays prepared", async () => {
  using machine = new UpdateMachine();
  machine.participant("a");
  using agent = machine.agent();
  await agent.updates.prepare(machine.options(agent), NEVER);
  await assert.rejects(agent.updates.run(machine.options(agent), NEVER), { name: "WrongState" });
  assert.deepEqual([agent.updates.state, machine.seen()], ["prepared", ["a prepare"]]);
  await agent.updates.freeze(machine.options(agent), NEVER);
  await throughKexec(agent.updates.run(machine.options(agent, { load: undefined }), NEVER));
});

Deno.test("run without a loaded kernel is refused before anybody is told", async () => {
  using machine = new UpdateMachine();
  machine.participant("a");
  using agent = machine.agent();
  await assert.rejects(
    agent.updates.run(machine.options(agent, { load: undefined, force: false }), NEVER),
    /no image is loaded/,
  );
  assert.deepEqual([agent.updates.state, machine.seen()], ["normal", []]);
});

Deno.test("while an update is prepared or frozen, no other image is loaded in place of the update's", async () => {
  using machine = new UpdateMachine();
  machine.participant("a");
  using agent = machine.agent();
  const load = () => loadForClient(agent.state, { kernelFd: 0, kernel: "/boot/other" }, []);

  await agent.updates.prepare(machine.options(agent), NEVER);
  await assert.rejects(async () => await load(), /Refused/);
  await agent.updates.freeze(machine.options(agent), NEVER);
  await assert.rejects(async () => await load(), /Refused/);
  await agent.updates.cancel();
  // Nothing is under way: the request is read, and it has no file.
  await assert.rejects(async () => await load(), /InvalidParameter/);
});
