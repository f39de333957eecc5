/** Programs that listen for the events of an update: they answer, ask for time, say no, and die. */
import assert from "node:assert/strict";
import { type AgentClient, AgentError, ConnectionEnded } from "../../../lib/agent/client.ts";
import type { Methods } from "../../../lib/agent/protocol.ts";
import { Program } from "./program.ts";
import { TestAgent } from "../start.ts";

/** Lets the agent have its turn: these clients wait in this thread. */
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The update once it has ended: the agent goes on after the last answer of a program. */
async function ended(client: AgentClient): Promise<Methods["GetUpdate"]["reply"]> {
  for (;;) {
    const { reply } = client.call("GetUpdate", {});
    if (reply.state === "normal") return reply;
    await later(20);
  }
}

/** Asks for a step, whose answers are read by the caller. */
function step(agent: TestAgent, request: Methods["StepUpdate"]["request"]) {
  const client = agent.connect();
  const replies = client.more("StepUpdate", request);
  return {
    last(): Methods["StepUpdate"]["reply"] {
      let last: Methods["StepUpdate"]["reply"] | undefined;
      for (const { reply } of replies) last = reply;
      assert.ok(last);
      return last;
    },
    begin: () => replies.next(),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

Deno.test("subscribers: events with session and answer, over the kexec, to the end", async () => {
  await using agent = await TestAgent.start();
  agent.loadNext();
  {
    using vm = new Program(agent, "vm");
    using run = step(agent, { step: "run" });
    run.begin();
    const prepare = vm.next();
    assert.deepEqual([prepare.event, prepare.session, prepare.kernel.to], ["prepare", "vm", "7.3.4-next"]);
    vm.answer(prepare, "ready", { output: "where the memory is" });
    const freeze = vm.next();
    assert.deepEqual([freeze.event, freeze.answer], ["freeze", "where the memory is"]);
    vm.answer(freeze, "ready");
    // The kernel ends, and with it the connection.
    assert.throws(() => run.last(), ConnectionEnded);
  }
  using vm = new Program(agent, "vm");
  const updated = vm.next();
  assert.deepEqual([updated.event, updated.answer], ["updated", "where the memory is"]);
  vm.answer(updated, "ready");
  const finish = vm.next();
  vm.answer(finish, "ready");
  using client = agent.connect();
  const { state, update } = await ended(client);
  assert.deepEqual([state, update?.outcome], ["normal", "done"]);
});

Deno.test("subscribers: a veto with its reason cancels", async () => {
  await using agent = await TestAgent.start();
  using vm = new Program(agent, "vm");
  using other = new Program(agent, "other", { after: ["vm"] });
  using prepare = step(agent, { step: "prepare" });
  prepare.begin();
  vm.answer(vm.next(), "ready");
  other.answer(other.next(), "veto", { reason: "a guest migrates" });
  const cancelled = other.next();
  assert.equal(cancelled.event, "cancel");
  other.answer(cancelled, "ready");
  vm.answer(vm.next(), "ready");
  assert.throws(() => prepare.last(), (error) => {
    assert.ok(error instanceof AgentError && error.is("UpdateFailed"));
    const { outcome, participant, reason, state } = error.parameters;
    assert.deepEqual([outcome, participant, reason, state], ["veto", "other", "a guest migrates", "normal"]);
    return true;
  });
});

Deno.test("subscribers: later moves the deadline, silence is late", async () => {
  await using agent = await TestAgent.start();
  using vm = new Program(agent, "vm", { seconds: { prepare: 6, cancel: 1 } });
  using prepare = step(agent, { step: "prepare" });
  prepare.begin();
  const event = vm.next();
  vm.answer(event, "later", { milliseconds: 60_000 });
  // Until its first deadline is over.
  await later(Date.parse(event.deadline) + 300 - Date.now());
  vm.answer(event, "ready");
  assert.equal(prepare.last().state, "prepared");
  using freeze = step(agent, { step: "cancel" });
  freeze.begin();
  vm.next();
  // It does not answer: the others are not kept waiting for ever.
  assert.equal(freeze.last().state, "normal");
});

Deno.test("subscribers: one that dies while the update is prepared ends it", async () => {
  await using agent = await TestAgent.start();
  using other = new Program(agent, "other");
  {
    using vm = new Program(agent, "vm");
    using prepare = step(agent, { step: "prepare" });
    prepare.begin();
    vm.answer(vm.next(), "ready");
    other.answer(other.next(), "ready");
    assert.equal(prepare.last().state, "prepared");
  }
  const cancel = other.next();
  assert.equal(cancel.event, "cancel");
  other.answer(cancel, "ready");
  using client = agent.connect();
  const { state, update } = await ended(client);
  assert.deepEqual([state, update?.outcome, update?.by], ["normal", "failed", "vm"]);
  assert.deepEqual(client.call("ListSessions", {}).reply.sessions, []);
});

Deno.test("subscribers: what cannot be right is refused", async () => {
  await using agent = await TestAgent.start();
  using _ = new Program(agent, "vm");
  using client = agent.connect();
  const bad = (error: unknown) => error instanceof AgentError && error.is("BadRequest");
  assert.throws(() => {
    using second = agent.connect();
    for (const _ of second.more("Participate", { name: "vm" })) break;
  }, bad);
  const answer = { update: "x", event: "prepare", participant: "vm", answer: "ready" } as const;
  assert.throws(() => client.call("AnswerEvent", answer), bad);
  assert.throws(() => client.call("Participate", { name: "other" }), /ExpectedMore/);
});

Deno.test("subscribers: the model cannot send the session, and says so by leaving it out", async () => {
  await using agent = await TestAgent.start();
  using vm = new Program(agent, "vm", { wantsSession: true });
  using prepare = step(agent, { step: "prepare" });
  prepare.begin();
  // `next` takes the reply with the event, which has no descriptor.
  vm.answer(vm.next(), "ready");
  const { state, update } = prepare.last();
  assert.deepEqual([state, update?.participants[0]?.holdsSession], ["prepared", true]);
  using client = agent.connect();
  assert.equal(client.call("ListSessions", {}).reply.sessions[0]?.filesKnown, undefined);
});
