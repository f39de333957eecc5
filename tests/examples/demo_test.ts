/** The demo leaves nothing behind, whenever it is interrupted. */
import assert from "node:assert/strict";

const ROOT = new URL("../..", import.meta.url).pathname;
const seed = Number(Deno.env.get("LUO_SEED") ?? Date.now() % 100_000);

/** Runs the demo in a session and a temporary directory of its own; `stop` says with which signal it is ended, and when. */
async function demo(stop?: { signal: "INT" | "TERM"; after_ms: number }) {
  const directory = await Deno.makeTempDir({ prefix: "luo-demo-test-" });
  try {
    const child = new Deno.Command("setsid", {
      args: ["--wait", "bash", "examples/demo.sh"],
      cwd: ROOT,
      // Bash and the npm wrapper both find the Deno that runs this test.
      env: { TMPDIR: directory, NO_COLOR: "1", PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}` },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = stop && setTimeout(() => interrupt(directory, stop.signal), stop.after_ms);
    const { stdout, stderr, code } = await child.output();
    clearTimeout(timer);
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name);
    return {
      code,
      out: new TextDecoder().decode(stdout),
      err: new TextDecoder().decode(stderr),
      left,
      processes: processesNaming(directory),
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Ctrl-C reaches the whole process group of the terminal, so this does too. */
function interrupt(directory: string, signal: "INT" | "TERM"): void {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || !environment(name).includes(`TMPDIR=${directory}`)) continue;
    if (!read(`/proc/${name}/cmdline`).startsWith("bash\0examples/demo.sh")) continue;
    new Deno.Command("kill", { args: ["-s", signal, "--", `-${name}`], stderr: "null" }).outputSync();
    return;
  }
}

function environment(pid: string): string[] {
  return read(`/proc/${pid}/environ`).split("\0");
}

function processesNaming(directory: string): string[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/cmdline`)).filter((line) => line.includes(directory));
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // it has ended
  }
}

Deno.test("the demo restores what it preserved, and leaves nothing behind", async () => {
  const { code, out, err, left, processes } = await demo();
  assert.equal(code, 0, err);
  assert.match(out, /^identical$/m);
  assert.match(out, /state of a running program/);
  assert.ok(!out.includes("\x1b"));
  assert.deepEqual([left, processes], [[], []]);
});

let state = seed;
for (const signal of ["INT", "TERM", "INT"] as const) {
  state = (state * 1103515245 + 12345) % 2 ** 31;
  const after_ms = 100 + state % 3000;
  Deno.test(`interrupted by SIG${signal} after ${after_ms} ms (LUO_SEED=${seed}): nothing is left`, async () => {
    const { left, processes, err } = await demo({ signal, after_ms });
    assert.deepEqual([left, processes], [[], []], err);
  });
}
