/** An agent, its machine and an emulated machine that nothing asks for anything sleep: they look at nothing at intervals. */
import assert from "node:assert/strict";
import { luoCommand } from "../luo_under_test.ts";
import { Cli } from "./cli.ts";

const SPAN_MS = 2000;
const SPANS = 60;
/** A loop that looks once a second in another thread switches four times in a span. */
const SWITCHES_MAX = 2;

/** How often the threads of a process have gone to sleep; proc_pid_status(5). */
function switches(pid: number): number {
  const tasks = [...Deno.readDirSync(`/proc/${pid}/task`)];
  return tasks.reduce((sum, { name }) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`);
    return sum + Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]);
  }, 0);
}

/** Some spans are busy: V8 compiles and collects garbage after a start, on a loaded host for long. */
async function sleeps(pid: number): Promise<void> {
  const seen: number[] = [];
  for (let span = 0; span < SPANS; span++) {
    const before = switches(pid);
    await new Promise((resolve) => setTimeout(resolve, SPAN_MS));
    seen.push(switches(pid) - before);
    if (Math.abs(seen.at(-1) ?? NaN) <= SWITCHES_MAX) return;
  }
  assert.fail(`process ${pid} does not sleep: ${seen.join(", ")} times in ${SPAN_MS} ms`);
}

for (const what of ["agent", "machine"] as const) {
  Deno.test(`an idle ${what} sleeps`, async () => {
    await using cli = new Cli();
    await cli.ok(["session", "create", "vm1"]);
    const [pid] = cli.processes(what);
    assert.ok(pid !== undefined);
    await sleeps(pid);
  });
}

Deno.test("luo emulate sleeps while its programs do, and a signal still comes at once", async () => {
  const script = "trap 'exit 7' TERM; sleep 1000 & wait";
  const luo = luoCommand(["emulate", "--", "sh", "-c", script], { stdin: "null", stdout: "null" }).spawn();
  await sleeps(luo.pid);
  luo.kill("SIGTERM");
  assert.equal((await luo.status).code, 7);
});
