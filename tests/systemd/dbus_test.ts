/** D-Bus as luo speaks it: values in messages, and calls to a real bus. */
import assert from "node:assert/strict";
import { LuoError } from "../../lib/error.ts";
import { DbusConnection } from "../../lib/systemd/dbus_connection.ts";
import { decodeAnswer, encodeCall, messageLength } from "../../lib/systemd/dbus_message.ts";
import { DbusError, types, ValueReader } from "../../lib/systemd/dbus_values.ts";
import { missingSessions } from "../../commands/processes/systemd_facts.ts";

const BUS = {
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
  destination: "org.freedesktop.DBus",
};
const PROPERTIES = { ...BUS, interface: "org.freedesktop.DBus.Properties" };

/** A bus of this test's own. */
async function withBus(work: (socket: string) => void): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "luo-dbus-" });
  const socket = `${directory}/bus`;
  const args = ["--session", "--nofork", "--print-address=1", `--address=unix:path=${socket}`];
  const bus = new Deno.Command("dbus-daemon", { args, stdout: "piped", stderr: "null" }).spawn();
  try {
    // It prints its address when it listens.
    await bus.stdout.getReader().read();
    work(socket);
  } finally {
    bus.kill("SIGKILL");
    await bus.status;
    await Deno.remove(directory, { recursive: true });
  }
}

const hasBus = await new Deno.Command("sh", { args: ["-c", "command -v dbus-daemon"] }).output();

Deno.test({
  name: "a real bus answers calls in their order, errors among them",
  ignore: !hasBus.success,
  async fn() {
    await withBus((socket) => {
      using bus = new DbusConnection(socket, 30_000);
      const [hello, names, features, missing, again] = bus.calls([
        { ...BUS, member: "Hello" },
        { ...BUS, member: "ListNames" },
        { ...PROPERTIES, member: "Get", texts: [BUS.interface, "Features"] },
        { ...PROPERTIES, member: "Get", texts: [BUS.interface, "Nothing"] },
        { ...BUS, member: "NameHasOwner", texts: ["org.freedesktop.DBus"] },
      ]);
      assert.match(String(hello?.values[0]), /^:1\./);
      assert.deepEqual(names?.values, [["org.freedesktop.DBus", hello?.values[0]]]);
      assert.ok(Array.isArray(features?.values[0]));
      assert.equal(missing?.error, "org.freedesktop.DBus.Error.UnknownProperty");
      assert.deepEqual(again?.values, [true]);
      const many = bus.calls(Array.from({ length: 200 }, () => ({ ...BUS, member: "GetId" })));
      assert.equal(many.length, 200);
      assert.equal(new Set(many.map(({ values }) => values[0])).size, 1);
    });
  },
});

Deno.test("a program that accepts and says nothing is not waited for", async () => {
  const directory = await Deno.makeTempDir({ prefix: "luo-dbus-" });
  const socket = `${directory}/silent`;
  using _ = Deno.listen({ transport: "unix", path: socket });
  assert.throws(
    () => new DbusConnection(socket, 100),
    (error) => error instanceof LuoError && error.is("ETIMEDOUT"),
  );
  await Deno.remove(directory, { recursive: true });
});

Deno.test("the complete types of a signature", () => {
  assert.deepEqual(types("sa{sv}u(s(ii))aas"), ["s", "a{sv}", "u", "(s(ii))", "aas"]);
  for (const broken of ["a", "(s", "a{s"]) assert.throws(() => types(broken), DbusError);
});

Deno.test("values are aligned from the start of the message", () => {
  const bytes = new Uint8Array([
    7,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0x2a,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0x73,
    0,
    0,
    1,
    0,
    0,
    0,
    0x78,
    0,
  ]);
  assert.deepEqual(new ValueReader(bytes, true).values("ybtv"), [7, true, 42n, "x"]);
  const big = new Uint8Array([0, 0, 0, 2, 0x68, 0x69, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(new ValueReader(big, false).values("sat"), ["hi", []]);
});

Deno.test("a cut or strange message is refused, whatever its bytes", () => {
  const call = encodeCall({ path: "/a", interface: "b.c", member: "d", texts: ["e", "ü"] }, 5);
  assert.equal(messageLength(call), call.length);
  assert.equal(messageLength(call.subarray(0, 15)), undefined);
  assert.equal(decodeAnswer(call), undefined);
  const answer = call.slice();
  answer[1] = 2;
  assert.deepEqual(decodeAnswer(answer)?.values, ["e", "ü"]);
  let seed = 1;
  for (let round = 0; round < 2000; round++) {
    const damaged = answer.slice(0, 16 + (round % (answer.length - 15)));
    for (let count = 0; count < 3; count++) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      damaged[2 + seed % (damaged.length - 2)] = seed >> 8 & 0xff;
    }
    try {
      decodeAnswer(damaged);
    } catch (error) {
      assert.ok(error instanceof DbusError, `round ${round}: ${error}`);
    }
  }
});

Deno.test("the sessions that the agent holds and no store has", () => {
  const at = "2026-11-21T05:00:01.123Z";
  const session = (name: string, state: "outgoing" | "incoming" | "retrieved") => (
    { name, state, createdAt: at, files: [] }
  );
  const status = {
    backend: "linux" as const,
    kernel: { release: "7.3.4", machine: "x86_64", bootId: "x", commandLine: "" },
    device: { path: "/dev/liveupdate", state: "ready" as const },
    agent: { pid: 4, version: "0.1.0", socket: "/s", startedAt: at, store: { room: 2, used: 2 } },
    image: { loaded: false },
    sessions: [
      session("a", "outgoing"),
      session("b:c", "retrieved"),
      session("d", "incoming"),
      session("e", "outgoing"),
    ],
    losses: [],
  };
  const named = { name: "a", kind: "session" as const, session: "a" };
  const nameless = { name: "b%3ac", kind: "session" as const };
  const store = { unit: "luo-agent.service", entries: [named, nameless] };
  assert.deepEqual(missingSessions(status, [store]), ["e"]);
  assert.deepEqual(missingSessions(status, []), ["a", "b:c", "e"]);
  assert.equal(missingSessions(status, [store, { unit: "x.service" }]), undefined);
  const without = { ...status, agent: { ...status.agent, store: undefined } };
  assert.equal(missingSessions(without, [store]), undefined);
});
