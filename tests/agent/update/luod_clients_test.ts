/** Clients of luo-agent's socket, failing in every way, and speaking the protocol in every way that luod understands. */
import assert from "node:assert/strict";
import { AgentError, ConnectionEnded } from "../../../lib/agent/client_errors.ts";
import { Lines } from "./lines.ts";
import { type Act, claim, finishAsClient, luodClient } from "./programs.ts";
import { machineOfThree, SocketMachine } from "./socket_machine.ts";

const READY = '{"cmd":"READY"}';

async function subscribed(machine: SocketMachine, act?: Act): Promise<Lines> {
  const lines = await luodClient(machine, act);
  // An answer means that the line before was read, too.
  using other = await Lines.connect(machine.luodSocket, "\n");
  await other.say({ cmd: "CLAIM", id: "none" });
  await other.hear();
  return lines;
}

const WAYS: readonly { name: string; act: Act; outcome: string; reason: RegExp }[] = [
  { name: "says nothing", act: () => Promise.resolve(), outcome: "late", reason: /blackout of 2 seconds/ },
  {
    name: "says what is no command",
    act: (_, lines) => lines.write("ready\n{}\n"),
    outcome: "late",
    reason: /blackout of 2 seconds/,
  },
  {
    name: "ends its connection",
    act: (_, lines) => Promise.resolve(lines[Symbol.dispose]()),
    outcome: "died",
    reason: /connection ended/,
  },
  {
    name: "sends a line without end",
    act: (_, lines) => lines.write("x".repeat(1 << 20)),
    outcome: "died",
    reason: /connection ended/,
  },
];

for (const { name, act, outcome, reason } of WAYS) {
  Deno.test(`a client of luo-agent that ${name} at freeze: the machine is as before`, async () => {
    await using machine = await machineOfThree();
    await machine.load("before");
    using _ = await subscribed(machine, act);
    await assert.rejects(machine.step({ step: "run", blackoutSeconds: 2 }, "next"), (error) => {
      assert.ok(error instanceof AgentError && error.is("UpdateFailed"), String(error));
      assert.deepEqual([error.parameters.participant, error.parameters.outcome], ["v", outcome]);
      assert.match(error.parameters.reason, reason);
      return true;
    });
    await machine.called("v gone");
    // v and a do not know of each other.
    assert.deepEqual(machine.seen().filter((line) => !/^v|^a cancel/.test(line)), [
      ...["a prepare", "c prepare", "a freeze", "c cancel"],
    ]);
    assert.deepEqual([machine.word(), await machine.sessions(), await machine.loaded()], [
      "normal",
      [],
      "before",
    ]);
    // The same name can take part again.
    using _again = await subscribed(machine);
    await assert.rejects(machine.step({ step: "run" }, "next"), ConnectionEnded);
  });
}

Deno.test("a client of luo-agent that goes while others prepare: the machine is as before", async () => {
  await using machine = await machineOfThree();
  machine.act("a", "prepare", "sleep 20");
  const client = await subscribed(machine);
  const run = assert.rejects(machine.step({ step: "run" }, "next"), AgentError);
  await machine.called("a prepare");
  client[Symbol.dispose]();
  await run;
  const { update } = await machine.now();
  assert.deepEqual([update?.by, machine.word(), await machine.sessions()], ["v", "normal", []]);
  assert.equal(await machine.loaded(), "none");
});

/** To the next kernel with a client that answers in this way. */
async function toNextKernel(machine: SocketMachine, act?: Act): Promise<void> {
  using _ = await subscribed(machine, act);
  await assert.rejects(machine.step({ step: "run" }, "next"), ConnectionEnded);
}

const ANSWERS: readonly [what: string, act: Act][] = [
  ["in one piece, without a newline", (_, lines) => lines.write(READY)],
  ["byte by byte", async (_, lines) => {
    for (const byte of `${READY}\n`) {
      await lines.write(byte);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }],
  ["twice in one packet", (_, lines) => lines.write(`${READY}\n${READY}\n`)],
  [
    "with spaces, other fields and the NUL of a C string",
    (_, lines) => lines.write(' { "id" : "v", "cmd" : "READY" }\n\0'),
  ],
  ["with carriage returns, after an empty line", (_, lines) => lines.write(`\r\n${READY}\r\n`)],
  ["after SUBSCRIBE once more, for the same id and another", async (_, lines) => {
    await lines.say({ cmd: "SUBSCRIBE", id: "v" });
    await lines.say({ cmd: "SUBSCRIBE", id: "w" });
    await lines.say({ cmd: "READY" });
  }],
];

for (const [what, act] of ANSWERS) {
  Deno.test(`READY ${what}: the update goes on`, async () => {
    await using machine = await machineOfThree();
    await toNextKernel(machine, act);
    using _ = await claim(machine);
    finishAsClient(machine);
    const { update } = await machine.until("normal");
    assert.deepEqual([update?.outcome, await machine.sessions()], ["done", []]);
  });
}

Deno.test("one connection takes part once, and READY before it is asked answers nothing", async () => {
  await using machine = await machineOfThree();
  using lines = await Lines.connect(machine.luodSocket, "\n");
  await lines.write('{"cmd":"SUBSCRIBE","id":"v"}\n{"cmd":"READY"}\n{"cmd":"SUBSCRIBE","id":"w"}\n');
  assert.match(String((await lines.hear())?.error), /takes part as "v" already/);
  using other = await Lines.connect(machine.luodSocket, "\n");
  await other.say({ cmd: "SUBSCRIBE", id: "v" });
  assert.match(String((await other.hear())?.error), /takes part as "v" already/);
  await machine.step({ step: "prepare" });
  const { update } = await machine.now();
  assert.deepEqual(update?.participants.map(({ name }) => name).sort(), ["a", "c", "v"]);
});

/** What comes after the kexec, until the client is back. */
const RETURNS: readonly [what: string, come: (machine: SocketMachine) => Promise<Disposable>][] = [
  ["claims and dies before it has finished, and claims again", async (machine) => {
    (await claim(machine))[Symbol.dispose]();
    await machine.until("updated");
    assert.ok((await machine.sessions()).includes("v retrieved"));
    await assert.rejects(machine.step({ step: "finish" }), (error) => {
      return error instanceof AgentError && error.is("Refused") && /not connected/.test(error.message);
    });
    return await claim(machine);
  }],
  ["claims twice at one connection", async (machine) => {
    const lines = await claim(machine);
    await lines.say({ cmd: "CLAIM", id: "v" });
    assert.equal((await lines.hear())?.event, "SESSION");
    return lines;
  }],
  ["claims at two connections, of which one ends", async (machine) => {
    const first = await claim(machine);
    const second = await claim(machine);
    first[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve, 200));
    return second;
  }],
  ["claims another id first", async (machine) => {
    using lines = await Lines.connect(machine.luodSocket, "\n");
    await lines.say({ cmd: "CLAIM", id: "w" });
    assert.match(String((await lines.hear())?.error), /no session "w"/);
    return await claim(machine);
  }],
  ["subscribes for the next update before it claims", async (machine) => {
    const lines = await Lines.connect(machine.luodSocket, "\n");
    await lines.write('{"cmd":"SUBSCRIBE","id":"v"}\n');
    await machine.until("updating");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { state, update } = await machine.now();
    // SUBSCRIBE alone brings nothing back.
    assert.equal(
      update?.participants.find(({ name }) => name === "v")?.done.includes("updated"),
      false,
      state,
    );
    await lines.write('{"cmd":"CLAIM","id":"v"}\n');
    assert.equal((await lines.hear())?.event, "SESSION");
    return lines;
  }],
];

for (const [what, come] of RETURNS) {
  Deno.test(`a client of luo-agent that ${what}: it is back when it has finished its session`, async () => {
    await using machine = await machineOfThree();
    await toNextKernel(machine);
    using _ = await come(machine);
    assert.notEqual((await machine.now()).state, "normal");
    finishAsClient(machine);
    const { update } = await machine.until("normal");
    assert.deepEqual([update?.outcome, await machine.sessions()], ["done", []]);
  });
}

Deno.test("a hundred cancelled updates leave room for the next client", async () => {
  await using machine = new SocketMachine();
  await machine.until("normal");
  for (let count = 0; count < 100; count++) {
    const lines = await subscribed(machine);
    await machine.step({ step: "prepare" });
    await machine.step({ step: "cancel" });
    await machine.called("v gone");
    machine.seen();
    lines[Symbol.dispose]();
  }
});
