/** Programs at the agent's sockets, failing in every way at every event: the machine is as before, or the session is kept. */
import assert from "node:assert/strict";
import { AgentError, ConnectionEnded } from "../../../lib/agent/client_errors.ts";
import { type Act, answer, subscriber } from "./programs.ts";
import { machineOfThree, type SocketMachine } from "./socket_machine.ts";

interface Way {
  readonly name: string;
  readonly act: (event: string) => Act;
  readonly outcome: string;
  readonly reason: RegExp;
  /** Its deadline at the event that fails is one second. */
  readonly late?: true;
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const refused = (work: Promise<void>) => assert.rejects(work, AgentError);
const SILENT = { outcome: "late", reason: /did not answer before its deadline/, late: true } as const;
const GONE = { outcome: "died", reason: /its connection ended/ } as const;

const SUBSCRIBER: readonly Way[] = [
  {
    name: "says no",
    act: (event) => (machine, _, update) =>
      answer(machine, { update, event, answer: "veto", reason: "a guest migrates" }),
    outcome: "veto",
    reason: /^a guest migrates$/,
  },
  {
    name: "says no without a word",
    act: (event) => (machine, _, update) => answer(machine, { update, event, answer: "veto" }),
    outcome: "veto",
    reason: /gave no reason/,
  },
  { name: "says nothing", act: () => () => Promise.resolve(), ...SILENT },
  {
    name: "asks for time and says nothing then",
    // On a loaded host the answer itself can be late, and is refused.
    act: (event) => (machine, _, update) =>
      answer(machine, { update, event, answer: "later", milliseconds: 300 }).catch((error) =>
        assert.ok(error instanceof AgentError)
      ),
    ...SILENT,
  },
  {
    name: "answers for another update, another event and another name",
    act: (event) => async (machine, _, update) => {
      await refused(answer(machine, { update: "x", event }));
      await refused(answer(machine, { update, event: event === "finish" ? "cancel" : "finish" }));
      await refused(answer(machine, { update, event, participant: "a" }));
    },
    ...SILENT,
  },
  {
    name: "answers with more than 64 KiB",
    act: (event) => (machine, _, update) =>
      refused(answer(machine, { update, event, output: "x".repeat(70_000) })),
    ...SILENT,
  },
  { name: "ends its connection", act: () => (_, lines) => Promise.resolve(lines[Symbol.dispose]()), ...GONE },
  { name: "sends what is no message", act: () => (_, lines) => lines.write("rubbish\0"), ...GONE },
  {
    name: "sends a message without end",
    act: () => (_, lines) => lines.write("x".repeat(20 << 20)),
    ...GONE,
  },
];

function request({ late }: Way, event: string): object {
  return { after: ["a"], seconds: late ? { [event]: 1 } : {} };
}

/** The update failed because of v, nothing of it is left, and the next one begins. */
async function asBefore(machine: SocketMachine, outcome: string): Promise<void> {
  const { state, update } = await machine.until("normal");
  assert.deepEqual([state, machine.word(), update?.outcome, update?.by], ["normal", "normal", "failed", "v"]);
  assert.ok(update?.events.some((event) => event.participant === "v" && event.outcome === outcome));
  assert.deepEqual(await machine.sessions(), ["other outgoing"]);
  assert.equal(await machine.loaded(), "before", "the image that was there before");
  assert.deepEqual(left(update?.id ?? ""), []);
}

/** Processes of the update. */
function left(id: string): string[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => {
    try {
      return /^\d+$/.test(name) &&
        Deno.readTextFileSync(`/proc/${name}/environ`).includes(`LUO_UPDATE=${id}`);
    } catch {
      return false;
    }
  });
}

async function fails(work: Promise<void>, who: string, outcome: string, reason: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AgentError && error.is("UpdateFailed"), String(error));
    const { parameters } = error;
    assert.deepEqual([parameters.participant, parameters.outcome], [who, outcome]);
    assert.match(parameters.reason, reason);
    return true;
  });
}

const BEFORE: readonly [event: string, seen: readonly string[]][] = [
  ["prepare", ["a prepare", "v prepare", "v cancel", "a cancel"]],
  ["freeze", [
    ...["a prepare", "v prepare", "c prepare", "a freeze", "v freeze"],
    ...["c cancel", "v cancel", "a cancel"],
  ]],
];

for (const way of SUBSCRIBER) {
  const { name, act, outcome, reason } = way;
  for (const [event, seen] of BEFORE) {
    Deno.test(`a subscriber that ${name} at ${event}: the machine is as before`, async () => {
      await using machine = await machineOfThree();
      using _ = await machine.client.call("CreateSession", { name: "other" });
      await machine.load("before");
      using _lines = await subscriber(machine, request(way, event), { event, act: act(event) });
      await fails(machine.step({ step: "run" }, "next"), "v", outcome, reason);
      await asBefore(machine, outcome);
      const gone = outcome === "died";
      assert.deepEqual(machine.seen(), seen.filter((line) => !gone || line !== "v cancel"));
      if (!gone) return;
      using _again = await subscriber(machine, { after: ["a"] });
      await machine.step({ step: "prepare" });
      await machine.step({ step: "cancel" });
    });
  }

  Deno.test(`a subscriber that ${name} at cancel does not keep the others from it`, async () => {
    await using machine = await machineOfThree();
    machine.act("c", "prepare", "exit 1");
    using _ = await subscriber(machine, request(way, "cancel"), { event: "cancel", act: act("cancel") });
    await fails(machine.step({ step: "prepare" }), "c", "veto", /ended with 1/);
    assert.deepEqual(machine.seen().slice(-3), ["c cancel", "v cancel", "a cancel"]);
    assert.deepEqual([machine.word(), await machine.sessions()], ["normal", []]);
  });

  Deno.test(`a subscriber that ${name} at updated keeps its session until it comes again`, async () => {
    await using machine = await machineOfThree();
    const event = "updated";
    await toNextKernel(machine, request(way, event));
    {
      using _ = await subscriber(machine, {}, { event, act: act(event) });
      await machine.until("updated");
      assert.deepEqual(await machine.sessions(), ["a incoming", "c retrieved", "v retrieved"]);
    }
    // It comes again, so the update goes on by itself.
    using _repaired = await comesAgain(machine);
    const { update } = await machine.until("normal");
    assert.deepEqual([update?.outcome, await machine.sessions()], ["done", []]);
  });

  Deno.test(`a subscriber that ${name} at finish: every session is kept until it finishes`, async () => {
    await using machine = await machineOfThree();
    const event = "finish";
    await toNextKernel(machine, request(way, event));
    {
      using _ = await subscriber(machine, {}, { event, act: act(event) });
      await machine.called("v finish");
      await machine.until("updated");
      assert.deepEqual(await machine.sessions(), ["a retrieved", "c retrieved", "v retrieved"]);
    }
    using _repaired = await comesAgain(machine);
    await machine.step({ step: "finish" });
    const { state, update } = await machine.now();
    assert.deepEqual([state, update?.outcome, await machine.sessions()], ["normal", "done", []]);
  });
}

async function toNextKernel(machine: SocketMachine, request: object): Promise<void> {
  using _ = await subscriber(machine, request);
  await assert.rejects(machine.step({ step: "run" }, "next"), ConnectionEnded);
}

/** Connects as soon as the agent has seen the end of the connection before. */
async function comesAgain(machine: SocketMachine): Promise<Disposable> {
  for (;;) {
    const lines = await subscriber(machine, {}).catch(() => undefined);
    if (lines !== undefined) return lines;
    await later(20);
  }
}
