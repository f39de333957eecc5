/** `luo update` with real participants on the model: all of it, or none of it. */
import assert from "node:assert/strict";
import { fill, free } from "../agent/state_on_model.ts";
import { luoCommand } from "../luo_under_test.ts";
import { Cli } from "./cli.ts";

const LINE = ["--command-line", "liveupdate=on kho=on"];

/** A `Cli` with participants: shell scripts by name. Each writes `NAME EVENT` to $D/seen. */
class Machine extends Cli {
  readonly participants = this.path("participants");

  constructor(scripts: Readonly<Record<string, string>>) {
    super();
    Deno.mkdirSync(this.participants);
    for (const [name, script] of Object.entries(scripts)) this.participant(name, script);
  }

  override get env(): Record<string, string> {
    return { ...super.env, LUO_PARTICIPANTS: this.participants, D: this.dir };
  }

  participant(name: string, script: string): void {
    const path = `participants/${name}`;
    this.file(
      path,
      name.endsWith(".json") ? script : `#!/bin/sh\necho "${name} $1" >>"$D/seen"\n${script}\n`,
    );
    if (!name.endsWith(".json")) Deno.chmodSync(this.path(path), 0o755);
  }

  /** What participants were called with since the last time. */
  seen(): string[] {
    try {
      return Deno.readTextFileSync(this.path("seen")).trim().split("\n");
    } catch {
      return [];
    } finally {
      this.file("seen", "");
    }
  }

  word(): string {
    return Deno.readTextFileSync(`${this.socket}.update`).trim();
  }
}

const CACHE = `case $1 in
prepare) printf bulk | luo file preserve "$LUO_SESSION" --stdin --token 1; echo "kept by prepare" ;;
freeze) [ "$LUO_ANSWER" != "" ] || exit 9; printf last | luo file preserve "$LUO_SESSION" --stdin --token 2 ;;
updated) [ "$(luo file restore "$LUO_SESSION" 1 --stdout)$(luo file restore "$LUO_SESSION" 2 --stdout)" = bulklast ] ;;
esac`;

Deno.test("update run: prepare, freeze, kexec, updated, finish, with the session and the answers", async () => {
  await using machine = new Machine({ cache: CACHE, store: "exit 0", "store.json": '{"after":["cache"]}' });
  const { state, update } = await machine.json<{ state: string; update: Record<string, unknown> }>(
    ["update", "run", machine.kernel, ...LINE],
  );
  assert.deepEqual([state, update.outcome, machine.word()], ["normal", "done", "normal"]);
  // The one that stopped last goes on first.
  assert.deepEqual(machine.seen(), [
    "cache prepare",
    "store prepare",
    "cache freeze",
    "store freeze",
    "store updated",
    "cache updated",
    "store finish",
    "cache finish",
  ]);
  assert.deepEqual((await machine.json<{ sessions: [] }>(["session", "list"])).sessions, []);
});

Deno.test("update: step by step, and the state as a word", async () => {
  await using machine = new Machine({ cache: CACHE });
  await machine.ok(["update", "prepare", machine.kernel, ...LINE]);
  assert.equal(machine.word(), "prepared");
  await machine.fails(4, /are not frozen/, ["kexec", "exec"]);
  await machine.ok(["update", "freeze"]);
  assert.equal(machine.word(), "frozen");
  await machine.fails(1, /leads from/, ["update", "finish"]);
  await machine.ok(["kexec", "exec"]);
  await machine.ok(["update", "finish"]);
  assert.equal(machine.word(), "normal");
  assert.deepEqual(machine.seen(), ["cache prepare", "cache freeze", "cache updated", "cache finish"]);
});

Deno.test("update: a veto cancels those who were told in reverse order, and the machine is as before", async () => {
  const veto = '[ "$1" != freeze ] || { echo "the disk is busy" >&2; exit 1; }';
  await using machine = new Machine({ cache: CACHE, store: veto, "store.json": '{"after":["cache"]}' });
  await machine.ok(["session", "create", "other"]);
  const error = await machine.luo(["update", "run", machine.kernel, ...LINE, "--json"]);
  assert.equal(error.code, 4, error.err);
  const { kind, reasons, subject } = JSON.parse(error.err).error;
  assert.deepEqual([kind, reasons, subject], ["vetoed", ["the disk is busy"], "store"]);
  assert.deepEqual(machine.seen().slice(-3), ["store freeze", "store cancel", "cache cancel"]);
  assert.match(await machine.ok(["kexec", "show"]), /No kernel loaded/);
  const { sessions } = await machine.json<{ sessions: { name: string }[] }>(["session", "list"]);
  assert.deepEqual(sessions.map(({ name }) => name), ["other"]);
  assert.equal(machine.word(), "normal");
});

Deno.test("update: the image that was loaded before a cancelled update is loaded again", async () => {
  await using machine = new Machine({ veto: "exit 1" });
  await machine.ok(["kexec", "load", machine.kernel, ...LINE]);
  const other = machine.file("other", Deno.readFileSync(machine.kernel));
  await machine.fails(4, /said no at prepare/, ["update", "run", other, ...LINE]);
  assert.match(await machine.ok(["kexec", "show"]), /\/kernel /);
  await machine.ok(["kexec", "exec"]);
});

Deno.test("update: an image that is loaded and cannot be recorded is unloaded, and the one before is back", async () => {
  for (const before of [true, false]) {
    await using machine = new Machine({ a: "exit 0" });
    if (before) await machine.ok(["kexec", "load", machine.kernel, ...LINE]);
    else await machine.ok(["session", "create", "x"]);
    const other = machine.file("other", Deno.readFileSync(machine.kernel));
    fill(machine.dir);
    await machine.fails(1, /"[^"]*other" is loaded, but it cannot be recorded/, [
      "update",
      "prepare",
      other,
      ...LINE,
    ]);
    free(machine.dir);
    assert.match(await machine.ok(["kexec", "show"]), before ? /\/kernel / : /No kernel loaded/);
    assert.equal(machine.word(), "normal");
    if (before) await machine.ok(["kexec", "exec", "--force"]);
  }
});

Deno.test("update: a participant that does not come back keeps its session, and finish is refused", async () => {
  const broken = `[ "$1" != updated ] || [ -e "$D/repaired" ] || { echo "no device" >&2; exit 1; }\n${CACHE}`;
  await using machine = new Machine({ cache: broken });
  await machine.fails(1, /no device/, ["update", "run", machine.kernel, ...LINE]);
  assert.equal(machine.word(), "updated");
  await machine.fails(4, /participant "cache" is not back: no device/, ["update", "finish"]);
  machine.file("repaired", "");
  await machine.ok(["update", "finish"]);
  assert.equal(machine.word(), "normal");
});

Deno.test("update finish --force tells what is lost", async () => {
  await using machine = new Machine({ cache: `[ "$1" != updated ] || exit 1\n${CACHE}` });
  await machine.fails(1, /is not finished/, ["update", "run", machine.kernel, ...LINE]);
  assert.match(
    await machine.ok(["update", "finish", "--force"]),
    /lost: session "cache": file 1 was never restored/,
  );
});

Deno.test("update: a session of the participant's name is in the way", async () => {
  await using machine = new Machine({ cache: CACHE });
  await machine.ok(["session", "create", "cache"]);
  await machine.fails(1, /there is a session "cache" already/, ["update", "prepare"]);
  assert.deepEqual(machine.seen(), []);
});

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    assert.ok(tries < 2400, "it does not come");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("update: the command is killed in the middle of a step, and the update is cancelled", async () => {
  await using machine = new Machine({ slow: '[ "$1" != freeze ] || { touch "$D/frozen"; exec sleep 60; }' });
  await machine.ok(["agent", "start"]);
  const command = luoCommand(["update", "run", machine.kernel, ...LINE], {
    env: machine.env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => exists(machine.path("frozen")));
  command.kill("SIGKILL");
  await command.status;
  await until(() => machine.word() === "normal");
  assert.deepEqual(machine.seen(), ["slow prepare", "slow freeze", "slow cancel"]);
  assert.match(await machine.ok(["update", "state"]), /the command that asked for it has ended/);
  assert.match(await machine.ok(["session", "list"]), /No sessions/);
});

Deno.test("update: the agent is killed in the middle of a step, and the next agent cancels the update", async () => {
  const script =
    `[ "$1" != freeze ] || { echo $$ >"$D/pid"; exec sleep 60; }\n[ "$1" != prepare ] || ${'printf x | luo file preserve "$LUO_SESSION" --stdin --token 1'}`;
  await using machine = new Machine({ slow: script });
  await machine.ok(["update", "prepare", machine.kernel, ...LINE]);
  const freeze = machine.luo(["update", "freeze"]);
  await until(() => exists(machine.path("pid")));
  for (const pid of machine.processes("agent")) Deno.kill(pid, "SIGKILL");
  assert.notEqual((await freeze).code, 0);
  assert.match(await machine.ok(["status"]), /slow/, "the loss of the session is told");
  await until(() => machine.word() === "normal");
  const { update } = await machine.json<{ update: { reason: string; outcome: string } }>(["update", "state"]);
  assert.deepEqual([update.outcome, update.reason], ["failed", "the agent ended before the kexec"]);
  assert.deepEqual(machine.seen(), ["slow prepare", "slow freeze", "slow cancel"]);
  assert.throws(() =>
    Deno.readTextFileSync(`/proc/${Deno.readTextFileSync(machine.path("pid")).trim()}/environ`)
  );
});

Deno.test("update run: it says why the update waits in the next kernel", async (t) => {
  const preserve = 'printf x | luo file preserve "$LUO_SESSION" --stdin --token 1';
  const restore = 'luo file restore "$LUO_SESSION" 1 --stdout';
  const cases: [what: string, script: string, reason: RegExp][] = [
    ["restored nothing", `freeze) ${preserve} ;;`, /file 1 was never restored/],
    [
      "does not want to finish",
      `freeze) ${preserve} ;; updated) ${restore} ;; finish) echo "not yet" >&2; exit 1 ;;`,
      /participant "p": not yet/,
    ],
  ];
  for (const [what, script, reason] of cases) {
    await t.step(what, async () => {
      await using machine = new Machine({ p: `case $1 in ${script} esac` });
      await machine.fails(1, reason, ["update", "run", machine.kernel, ...LINE]);
      assert.match(await machine.ok(["update", "state"]), reason);
      if (what === "restored nothing") await machine.ok(["file", "restore", "p", "1", "--stdout"]);
      else machine.participant("p", "exit 0");
      assert.doesNotMatch(await machine.ok(["update", "finish"]), reason);
    });
  }
});

Deno.test("update run: a kernel that is refused at the end is a reason of one line", async () => {
  await using machine = new Machine({ p: '[ "$1" != freeze ] || luo kexec unload' });
  await machine.fails(1, /Cannot execute the loaded kernel/, ["update", "run", machine.kernel, ...LINE]);
  assert.match(await machine.ok(["update", "state"]), /^ {2}Cannot execute the loaded kernel \(EINVAL\)$/m);
});
