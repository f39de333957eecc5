import assert from "node:assert/strict";
import { PERMISSIONS } from "../../commands/self.ts";
import { image } from "../model/image.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const LUO = ["run", "--quiet", "--cached-only", ...PERMISSIONS, `${ROOT}main.ts`];
const dir = Deno.makeTempDirSync({ prefix: "luo-emulate-" });
addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
const text = new TextDecoder();

async function luo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...LUO, ...args] })
    .output();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

async function compiled(...options: string[]): Promise<string> {
  const path = `${dir}/program${options.join("")}`;
  const args = [...options, "-pthread", "-o", path, `${ROOT}tests/emulate/program.c`];
  const { success, stderr } = await new Deno.Command("gcc", { args }).output();
  assert.ok(success, text.decode(stderr));
  return path;
}

Deno.writeFileSync(`${dir}/kernel`, image());

for (const options of [[], ["-static"]]) {
  Deno.test(`a ${options[0] ?? "dynamic"} C program: threads, dup, fork, SCM_RIGHTS, exec, a signal`, async () => {
    const { code, out } = await luo("emulate", await compiled(...options));
    const checks = [
      "open 1",
      "fault 1",
      "thread 1",
      "dup 1",
      "fork 1",
      "passed 1",
      "spawn 0",
      "exec 1",
      "again 1",
    ];
    assert.deepEqual(out.trim().split("\n"), checks);
    assert.equal(code, 128 + 15);
  });
}

const BEFORE = [
  "boot 1",
  "second open EBUSY",
  "stat 0o20600 True",
  "no such fd EBADF",
  "grow EPERM",
  "shrink EPERM",
  "same size done",
  "fallocate EPERM",
  "write inside done",
];
const AFTER = [
  "restart EPERM",
  "boot 2",
  "position 100 size 8192",
  "name /memfd: (deleted)",
  "contents b'late' b'kept'",
  "finished ENOENT",
];

Deno.test("a Python program keeps a memfd over a kexec, its daemon dies", async () => {
  const { code, out } = await luo("emulate", "python3", `${ROOT}tests/emulate/program.py`, `${dir}/kernel`);
  assert.deepEqual(out.trim().split("\n"), [...BEFORE, ...AFTER]);
  assert.equal(code, 5);
  assert.deepEqual(await running(`${dir}/kernel`), []);
});

Deno.test("--strict refuses writes past the end of a preserved memfd", async () => {
  const program = ["python3", `${ROOT}tests/emulate/program.py`, `${dir}/kernel`, "strict"];
  const { code, out } = await luo("emulate", "--strict", "--", ...program);
  assert.deepEqual(out.trim().split("\n"), [...BEFORE, "write past the end EPERM", ...AFTER]);
  assert.equal(code, 5);
});

Deno.test("a Deno program runs, and a machine in a machine is refused with exit code 3", async () => {
  const { code, err } = await luo("emulate", "--", Deno.execPath(), ...LUO, "emulate", "--", "true");
  assert.equal(code, 3);
  assert.match(err, /^luo: Cannot emulate seccomp notifications \(EBUSY\)/);
});

Deno.test("--trace prints the served calls; standard output is the program's", async () => {
  const { out, err } = await luo("emulate", "--trace", "sh", "-c", "echo mine; exec 3<>/dev/liveupdate");
  assert.equal(out, "mine\n");
  assert.match(err, /^\[\d+\] open(at)?\(.*\) = 3 <\d+ us>\n$/);
});

Deno.test("exit codes: CMD's own, and 1 when there is no such program", async () => {
  assert.equal((await luo("emulate", "sh", "-c", "exit 42")).code, 42);
  const missing = await luo("emulate", "no-such-program");
  assert.equal(missing.code, 1);
  assert.match(missing.err, /Cannot execute "no-such-program" \(ENOENT\)/);
});

Deno.test("killed at any point, the supervisor takes the program along", async () => {
  for (const delay_ms of [30, 60, 90, 120, 200, 400]) {
    const mark = `${dir}/mark-${delay_ms}`;
    const script = "import os\nwhile True: os.close(os.open('/dev/liveupdate', 2))";
    const args = [...LUO, "emulate", "python3", "-c", script, mark];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }).spawn();
    await new Promise((resolve) => setTimeout(resolve, delay_ms));
    child.kill("SIGKILL");
    await child.status;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await running(mark), [], `killed after ${delay_ms} ms`);
  }
});

/** The processes with this among their arguments. */
async function running(argument: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args"] }).output();
  return text.decode(stdout).split("\n").filter((line) => line.includes(argument));
}
