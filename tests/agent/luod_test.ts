/** Clients of luo-agent at luo's socket: a program that knows nothing of luo takes part in an update. */
import assert from "node:assert/strict";
import { commandOf } from "../../lib/agent/luod_connection.ts";
import { isFinished, usedTokens } from "../../lib/agent/seen_tokens.ts";
import { MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { Fd } from "../../lib/fd.ts";
import { Machine } from "../../lib/model/machine.ts";
import { IncomingSession, openDevice } from "../../lib/session.ts";
import { Cli } from "../commands/cli.ts";
import { luoCommand } from "../luo_under_test.ts";
import { kexec } from "./state_on_model.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const CLIENT = new URL("luod/client.py", import.meta.url).pathname;

Deno.test("an unmodified client goes over the kexec, in an emulated machine", async () => {
  await using cli = new Cli();
  const { code, stdout, stderr } = await luoCommand([
    "emulate",
    "--",
    "bash",
    `${ROOT}tests/agent/luod/story.sh`,
  ], {
    env: { ROOT, D: cli.dir },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, `${out}${err}`);
  assert.match(out ?? "", /^made in boot 1\n[^]*No sessions\nNothing is lost\n$/);
  assert.match(Deno.readTextFileSync(cli.path("client.1")), /^subscribed\nready\n/);
});

/** An agent of the model with the socket, and a client of luo-agent. */
async function onModel(
  work: (cli: Cli, socket: string, client: Deno.ChildProcess) => Promise<void>,
): Promise<void> {
  await using cli = new Cli();
  const socket = cli.path("luod/liveupdate.sock");
  const agent = luoCommand(["agent", "run", "--luod-socket", socket], {
    env: cli.env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const client = new Deno.Command("python3", {
    args: [CLIENT, socket, "vm", "subscribe", "state"],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    // Any command would start another agent as long as this one does not listen.
    await until(() => Deno.stat(socket).then(() => true, () => false));
    await work(cli, socket, client);
  } finally {
    for (const child of [client, agent]) {
      try {
        child.kill("SIGKILL");
      } catch { /* It has ended. */ }
    }
    await Promise.all([client.status, agent.status, client.stdout.cancel().catch(() => {})]);
  }
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come");
}

/** What the socket answers to a line. */
async function say(socket: string, line: string): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path: socket });
  const into = new Uint8Array(1000);
  try {
    await connection.write(new TextEncoder().encode(line));
    const got = await connection.read(into);
    return new TextDecoder().decode(into.subarray(0, got ?? 0));
  } catch (error) {
    // It was turned away before it had sent all.
    if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) return "";
    throw error;
  }
}

Deno.test("a session of the model cannot be sent to a process of the host: the update says so and does not happen", () =>
  onModel(async (cli, _socket, client) => {
    const said = client.stdout.getReader();
    // The end of the line may come by itself.
    assert.match(new TextDecoder().decode((await said.read()).value), /^subscribed/);
    said.releaseLock();
    const words = /Cannot preserve session "vm"[^]*luo emulate/;
    await cli.fails(4, words, ["update", "run", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
    assert.match(await cli.ok(["session", "list"]), /No sessions/);
    // The protocol has no word for it: the end of the connection says that nothing is preserved.
    assert.equal((await client.status).code, 1);
  }));

Deno.test("lines that are no commands, ids that are no names, READY and CLAIM out of turn: an error each", () =>
  onModel(async (cli, socket) => {
    const cases: [string, RegExp][] = [
      ["noise\n", /no command/],
      ['{"cmd":"REBOOT"}\n', /no command/],
      ['{"cmd":"SUBSCRIBE"}\n', /no command/],
      [`{"cmd":"SUBSCRIBE","id":"${"x".repeat(64)}"}\n`, /63/],
      ['{"cmd":"READY"}\n', /after SUBSCRIBE/],
      ['{"cmd":"CLAIM","id":"none"}\n', /no session/],
      [`${"x".repeat(10_000)}`, /^$/],
    ];
    for (const [line, answer] of cases) assert.match(await say(socket, line), answer, line.slice(0, 50));
    assert.match(await cli.ok(["update", "state"]), /normal/);
  }));

Deno.test("commands of luo-agent's clients", () => {
  assert.deepEqual(commandOf('{"cmd": "SUBSCRIBE", "id": "vm", "more": 1}'), { cmd: "SUBSCRIBE", id: "vm" });
  assert.deepEqual(commandOf('{"cmd":"READY"}'), { cmd: "READY" });
  for (const line of ["", "null", "7", '{"cmd":"CLAIM","id":7}', '{"cmd":"SUBSCRIBE"}', '{"cmd":"']) {
    assert.equal(commandOf(line), undefined, line);
  }
});

Deno.test("the kernel tells which small tokens are used, and whether a session is finished", () => {
  const machine = new Machine();
  const sys = machine.init();
  using device = openDevice(sys);
  const session = device.create("vm");
  assert.deepEqual(usedTokens(session), []);
  for (const token of [0n, 5n, 4095n, 4096n]) {
    using memory = Fd.of(sys, sys.memfd_create("x", MFD_CLOEXEC | MFD_EXEC), "memfd_create");
    session.preserve(memory, token);
  }
  assert.deepEqual(usedTokens(session), [0n, 5n, 4095n]);
  kexec(machine);
  using next = openDevice(machine.init());
  const incoming = next.retrieve("vm");
  assert.equal(isFinished(incoming, 5n), false);
  const copy = new Fd(incoming.fd.sys, incoming.fd.sys.dup(incoming.fd.number));
  incoming.finish();
  assert.equal(isFinished(new IncomingSession(copy, "vm"), 5n), true);
});
