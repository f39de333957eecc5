/** `luo emulate` as a command: exit codes, signals, the trace, and the end of the machine's processes. */
import assert from "node:assert/strict";
import { LUO } from "../luo_under_test.ts";
import { Lab, marked } from "./run.ts";

Deno.test("exit codes, standard output and standard error are CMD's", async () => {
  using lab = new Lab();
  const { code, out, err } = await lab.emulate("sh", "-c", "echo out $LUO_BOOT; echo err >&2; exit 5");
  assert.deepEqual([code, out, err], [5, "out 1\n", "err\n"]);
});

Deno.test("a signal that ends CMD gives exit code 128 + its number", async () => {
  using lab = new Lab();
  assert.equal((await lab.emulate("sh", "-c", "kill -9 $$")).code, 128 + 9);
});

Deno.test("options after CMD belong to CMD", async () => {
  using lab = new Lab();
  assert.equal((await lab.emulate("echo", "--trace", "-x", "--json")).out, "--trace -x --json\n");
  assert.equal((await lab.emulate("--", "echo", "--strict")).out, "--strict\n");
});

Deno.test("signals that are sent to luo reach CMD", async () => {
  using lab = new Lab();
  const script = 'trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.05; done';
  const child = lab.command(["sh", "-c", script]).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGTERM");
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), "got it\n");
  assert.equal((await child.status).code, 9);
  await reader.cancel();
  await child.stderr.cancel();
});

Deno.test("a program that is not there: exit 127; one that cannot be executed: 126; none: exit 2", async () => {
  using lab = new Lab();
  const missing = await lab.emulate("no-such-program");
  assert.deepEqual([missing.code, missing.out], [127, ""]);
  assert.match(missing.err, /Cannot execute "no-such-program" \(ENOENT\)/);
  assert.equal((await lab.emulate("")).code, 127);
  assert.equal((await lab.emulate("/etc/passwd")).code, 126);
  assert.equal((await lab.emulate("main.ts")).code, 127, "a file in the working directory is not in PATH");
  assert.equal((await lab.emulate()).code, 2);
});

Deno.test("luo emulate inside luo emulate: exit 3, a process has one listener", async () => {
  using lab = new Lab();
  const { code, err } = await lab.emulate(...LUO, "emulate", "true");
  assert.equal(code, 3);
  assert.match(err, /EBUSY/);
});

Deno.test("reboot: other commands give EPERM, a kexec without an image EINVAL", async () => {
  using lab = new Lab();
  const libc = `Deno.dlopen("libc.so.6", {
    reboot: { parameters: ["i32"], result: "i32" }, __errno_location: { parameters: [], result: "pointer" } }).symbols`;
  const script = `const c = ${libc}; for (const command of [0x1234567, 0x4321fedc, 0x45584543]) {
    const answer = c.reboot(command);
    console.log(answer, new Deno.UnsafePointerView(c.__errno_location()).getInt32()); }`;
  const { out } = await lab.emulate(Deno.execPath(), "eval", script);
  assert.equal(out, "-1 1\n-1 1\n-1 22\n");
});

Deno.test("--trace prints each served call with its arguments on standard error", async () => {
  using lab = new Lab();
  const { out, err } = await lab.emulate("--trace", "sh", "-c", "test -c /dev/liveupdate && echo there");
  assert.equal(out, "there\n");
  assert.match(err, /^\[pid \d+\] (newfstatat|stat|statx)\(.*"\/dev\/liveupdate".*\) = 0 <\d+ us>$/m);
});

Deno.test("when luo is killed, all processes of the machine end", async () => {
  using lab = new Lab();
  const script =
    "(setsid sleep 1000 &) ; while :; do sleep 0.01; ls -l /dev/liveupdate >/dev/null 2>&1; done";
  for (let round = 0; round < 12; round++) {
    const mark = `LUO_TEST_MARK=${crypto.randomUUID()}`;
    const child = lab.command(["env", mark, "sh", "-c", script]).spawn();
    const after_ms = Math.floor(Math.random() * 300);
    await new Promise((resolve) => setTimeout(resolve, after_ms));
    child.kill("SIGKILL");
    await Promise.all([child.status, child.stdout.cancel(), child.stderr.cancel()]);
    for (let tries = 0; marked(mark).length > 0 && tries < 2000; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(marked(mark), [], `killed after ${after_ms} ms`);
  }
});

Deno.test("background processes end with the machine", async () => {
  using lab = new Lab();
  const mark = `LUO_TEST_MARK=${crypto.randomUUID()}`;
  await lab.emulate("env", mark, "sh", "-c", "sleep 1000 & (setsid sleep 1000 &) ; exit 0");
  assert.deepEqual(marked(mark), []);
});
