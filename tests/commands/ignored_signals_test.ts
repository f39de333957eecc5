/** Signals that luo was started to ignore, as nohup(1) and shells do it, stay ignored, in programs that luo starts too. */
import assert from "node:assert/strict";
import { Cli } from "./cli.ts";

const [HUP, INT, QUIT, USR1, CHLD] = [1, 2, 4, 1 << 9, 1 << 16];
const CASES = [
  ["a program in the foreground ignores nothing", "", 0],
  ["nohup: SIGHUP", "trap '' HUP; ", HUP],
  ["a background job of a script: SIGINT and SIGQUIT", "trap '' INT QUIT; ", INT | QUIT],
  ["a signal that luo forwards", "trap '' USR1; ", USR1],
  ["SIGCHLD, by which luo hears that CMD has ended", "trap '' CHLD; ", CHLD],
] as const;

for (const [name, trap, ignored] of CASES) {
  Deno.test(`luo emulate: ${name}`, async () => {
    await using cli = new Cli();
    const look = "grep SigIgn /proc/self/status";
    // The tests themselves may run as a job in the background.
    const alone = signals((await cli.shell(`${trap}${look}`)).out);
    const { code, out, err } = await cli.shell(`${trap}luo emulate ${look}`);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(alone & ignored, ignored);
    assert.equal(signals(out), alone);
  });
}

/** Bits 0 to 16: the signals up to SIGCHLD. SIGPIPE is left out: Deno does not tell whether it was ignored. */
function signals(line: string): number {
  return Number(BigInt(`0x${line.trim().split("\t")[1]}`) & 0x1_efffn);
}

/** Starts `luo` in the foreground with some signals ignored. */
function start(cli: Cli, ignored: string, args: readonly string[]): Deno.ChildProcess {
  const script = `trap '' ${ignored}; exec "$@" 2>>agent.log`;
  return new Deno.Command("sh", {
    args: ["-c", script, "sh", ...cli.commandLine, ...args],
    cwd: cli.dir,
    env: cli.env,
  }).spawn();
}

async function answers(cli: Cli): Promise<void> {
  while ((await cli.luo(["agent", "status"])).code !== 0);
}

Deno.test("agent run under nohup goes on when the terminal is closed, and as a background job at Ctrl-C", async () => {
  await using cli = new Cli();
  const agent = start(cli, "HUP INT", ["agent", "run"]);
  await answers(cli);
  await cli.ok(["session", "create", "vm1"]);
  agent.kill("SIGHUP");
  agent.kill("SIGINT");
  assert.match(await cli.ok(["session", "list"]), /vm1/);
  agent.kill("SIGTERM");
  assert.equal((await agent.status).code, 0);
  assert.match(await cli.ok(["status"]), /Lost: session "vm1"/);
});

Deno.test("agent run --access under nohup still reads its rules again at SIGHUP", async () => {
  await using cli = new Cli();
  const agent = start(cli, "HUP", ["agent", "run", "--access", cli.file("access.conf", "user root vm-*\n")]);
  await answers(cli);
  agent.kill("SIGHUP");
  await cli.ok(["status"]);
  agent.kill("SIGTERM");
  assert.equal((await agent.status).code, 0);
  assert.match(Deno.readTextFileSync(cli.path("agent.log")), /Read the access rules again/);
});
