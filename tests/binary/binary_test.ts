/** The single file `luo`: it runs from an empty directory, and behaves as luo on Deno does. */
import assert from "node:assert/strict";
import { build } from "../../tools/binary/build.ts";
import { chunks, disposals } from "../../tools/binary/chunks.ts";
import { runLine } from "../../commands/program/application.ts";
import { plain } from "../../commands/base/text.ts";
import { asFunction, LINKER } from "../../tools/binary/loader.ts";
import { VERSION } from "../../lib/version.ts";
import { hostTarget } from "../../tools/binary/deno_program.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** A directory with only `luo` in it. It is made once, because a build takes two seconds. */
const directory = Deno.makeTempDirSync({ prefix: "luo-binary-" });
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
const LUO = `${directory}/luo`;
const CHUNKS = await chunks(ROOT, `${directory}/chunks`);
Deno.writeFileSync(LUO, await build(hostTarget()), { mode: 0o755 });

interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** Runs a shell script. Its environment has only $LUO, the executable, and `env`. */
function sh(script: string, env: Record<string, string> = {}): Outcome {
  const { code, stdout, stderr } = new Deno.Command("/bin/sh", {
    args: ["-c", script],
    clearEnv: true,
    env: { LUO, ...env },
    cwd: directory,
    stdin: "null",
  }).outputSync();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("--version --json has the version, the commit, Deno and the architecture", () => {
  const { code, out } = sh("$LUO --version --json");
  assert.equal(code, 0);
  // Outside a git checkout there is no commit.
  const { commit = "", dependencies: _, ...rest } = JSON.parse(out);
  assert.match(commit, /^([0-9a-f]{40}\+?)?$/);
  const { version: { deno, v8 }, build: { arch } } = Deno;
  assert.deepEqual(rest, { version: VERSION, deno, v8, arch });
});

/** The files and packages that main.ts imports. */
function info(): { npmPackage?: string; local?: string }[] {
  const args = ["info", "--json", `${ROOT}main.ts`];
  const { stdout } = new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

function modules(): string[] {
  return info().flatMap(({ local }) => local ?? []);
}

Deno.test("--version --json has the packages that are in the program", () => {
  const packages = new Set(info().flatMap(({ npmPackage }) => npmPackage ?? []));
  const { dependencies } = JSON.parse(sh("$LUO --version --json").out);
  const named = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
  assert.deepEqual(Array.from(packages).sort(), named.sort());
});

const starts: readonly [name: string, script: string][] = [
  ["with one argument", "$LUO -v"],
  ["with two arguments", "$LUO -v --json"],
  ["with a variable", "A=1 $LUO -v"],
  ["with two variables", "A=1 B=2 $LUO -v"],
  ["with many variables", "for i in $(seq 200); do export v$i=$i; done; $LUO -v"],
  ["without standard input", "$LUO -v <&-"],
  ["without standard error", "$LUO -v 2>&-"],
  ["without standard input and standard error", "$LUO -v <&- 2>&-"],
  ["under another name", 'ln -s "$LUO" luo-link; ./luo-link -v'],
  ["from a removed file", 'cp "$LUO" gone; exec 7<gone; rm gone; /proc/self/fd/7 -v'],
  ["on a terminal, on which Deno would print more", 'script -qec "$LUO -v" /dev/null | cat'],
];
for (const [name, script] of starts) {
  Deno.test(`luo starts ${name}`, () => {
    const { code, out, err } = sh(script);
    assert.equal(`${code} ${err}`, "0 ");
    assert.match(out, /^(\d+\.\d+\.\d+|\{.*\})\r?\n$/);
  });
}

/** Whether this user can make a mount namespace. */
const namespaces = sh("unshare --user --map-root-user --mount mount -t tmpfs none /mnt").code === 0;

Deno.test(
  "without /proc luo says so, and names no file that the user did not type",
  { ignore: !namespaces },
  () => {
    const { code, out, err } = sh(
      `unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /proc && exec "$LUO" -v'`,
    );
    assert.equal(
      `${code} ${out}${err}`,
      '3 luo: Cannot read "/proc/self/fd": /proc is not mounted\n  mount it: mount -t proc proc /proc\n',
    );
  },
);

Deno.test("in a removed directory luo says so, whatever it is asked, and the way out", () => {
  for (const line of ["-v", "status --json", "agent stop"]) {
    const { code, out, err } = sh(`mkdir gone && cd gone && rmdir ../gone && exec "$LUO" ${line}`);
    assert.equal(
      `${code} ${out}${err}`,
      "3 luo: Cannot start luo: the working directory was removed\n  go to another one first: cd /\n",
    );
  }
});

Deno.test("with too few files to open luo says so; 24 are enough for a session", () => {
  const { code, out, err } = sh("ulimit -n 23; exec $LUO -v");
  assert.equal(
    `${code} ${out}${err}`,
    "3 luo: Cannot start luo: the limit of open files is below 24\n  raise it (see: ulimit -Hn), 1024 is usual\n",
  );
  const enough = sh(`export LUO_BACKEND=model LUO_SOCKET=$PWD/s; chmod 700 .; ulimit -n 24
    echo hi >f; $LUO session create vm1 && $LUO file preserve vm1 --from f --token 1; $LUO agent stop --force`);
  assert.match(`${enough.out}${enough.err}`, /^Session "vm1" created\nFile 1 preserved .*\nAgent stopped/);
});

Deno.test("a working directory with a path longer than a page is no reason not to start", () => {
  const deep = "d".repeat(250);
  const { code, out } = sh(`for i in $(seq 20); do mkdir ${deep} && cd ${deep}; done; exec "$LUO" -v`);
  assert.equal(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+/);
});

const helps: readonly [line: string, env?: Record<string, string>][] = [
  [""],
  ["--help"],
  ["-h"],
  ["session"],
  ["session --help"],
  ["session list --help"],
  ["file restore -h"],
  ["emulate --help"],
  // The executable finds its texts by a variable of its own, which lies before the one of the user.
  ["kexec exec --help", { DENO_NO_UPDATE_CHECK: "1" }],
];
for (const [line, env = {}] of helps) {
  Deno.test(`luo ${line} writes the help of the checkout${"DENO_NO_UPDATE_CHECK" in env ? ", with a variable of Deno" : ""}`, () => {
    const args = [
      "run",
      "--quiet",
      "--allow-ffi",
      "--allow-env",
      `${ROOT}main.ts`,
      ...line.split(" ").filter(Boolean),
    ];
    const { stdout } = new Deno.Command(Deno.execPath(), { args }).outputSync();
    const { code, out, err } = sh(`$LUO ${line}`, env);
    assert.equal(`${code} ${err}`, "0 ");
    assert.ok(out.length > 100);
    assert.equal(out, new TextDecoder().decode(stdout));
  });
}

const mistakes = [
  "session show",
  "session show a b",
  "status --timeout soon",
  "status --backend vax",
  "status --socket",
  "status --jsn",
  "status -x",
  "status --watch=x",
  "status --watch=",
];
for (const line of mistakes) {
  Deno.test(`luo ${line} has the message of the checkout`, async () => {
    let expected = "";
    const process = { stdout: { write() {} }, stderr: { write: (text: string) => void (expected += text) } };
    const outside = {
      process,
      settings: {},
      mainModule: "",
      stdoutIsTerminal: false,
      stderrIsTerminal: false,
      paint: plain,
    };
    assert.equal(await runLine(line.split(" "), outside), 2);
    const { code, err } = sh(`$LUO ${line}`);
    assert.equal(`${code} ${err}`, `2 ${expected}`);
  });
}

Deno.test("the help that cannot be written is an error", () => {
  const { code, err } = sh("$LUO --help >/dev/full");
  assert.equal(code, 1);
  assert.match(err, /Cannot write the result \(ENOSPC\)/);
});

Deno.test("luo reads and writes no file of its directory", () => {
  const home = `${directory}/home`;
  Deno.mkdirSync(home);
  for (const name of ["deno.json", "package.json", "deno.lock"]) {
    Deno.writeTextFileSync(`${home}/${name}`, "{");
  }
  const { code, err } = sh("cd $HOME && $LUO status", { HOME: home });
  assert.equal(code, 3, err);
  assert.deepEqual(Array.from(Deno.readDirSync(home), ({ name }) => name).sort(), [
    "deno.json",
    "deno.lock",
    "package.json",
  ]);
});

Deno.test("the agent is the same executable, also when its file was removed, and ps shows the user's arguments", () => {
  const env = { LUO_BACKEND: "model", LUO_SOCKET: `${directory}/s` };
  const { out, err } = sh(
    'cp "$LUO" gone; exec 7<gone; rm gone; /proc/self/fd/7 agent start >&2; $LUO agent status --json',
    env,
  );
  const pid = out.match(/"pid":(\d+)/)?.[1];
  assert.ok(pid !== undefined, err);
  try {
    const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").slice(1, 3);
    assert.deepEqual(words, ["agent", "run"]);
    const own = Deno.statSync(`/proc/${pid}/exe`);
    assert.equal(own.size, Deno.statSync(LUO).size);
    assert.doesNotMatch(Deno.readTextFileSync(`/proc/${pid}/environ`), /DENO_/);
  } finally {
    assert.equal(sh("$LUO agent stop", env).code, 0);
  }
});

Deno.test("a converted chunk disposes of a variable that is used once", async () => {
  const scratch = `${directory}/disposals`;
  Deno.mkdirSync(`${scratch}/source`, { recursive: true });
  Deno.writeTextFileSync(
    `${scratch}/source/main.ts`,
    `class R { [Symbol.dispose]() { console.log("disposed"); } x() { return 1; } }
     function g() { using r = new R(); return r.x(); }
     console.log(g());`,
  );
  const { "luo:main": script = "" } = await chunks(`${scratch}/source`, scratch);
  assert.equal(disposals(script), 1);
  Deno.writeTextFileSync(`${scratch}/main.cjs`, script);
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["run", `${scratch}/main.cjs`] }).outputSync();
  assert.equal(new TextDecoder().decode(stdout), "disposed\n1\n");
});

Deno.test("the chunks have every disposal of the sources", () => {
  const texts = Object.values(CHUNKS);
  const inside = texts.reduce((sum, text) => sum + disposals(text), 0);
  const code = (path: string) => Deno.readTextFileSync(path).replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
  const sources = modules().filter((path) => path.startsWith(ROOT) && path.endsWith(".ts"));
  assert.ok(inside > 20);
  assert.equal(inside, sources.reduce((sum, path) => sum + disposals(code(path)), 0));
});

Deno.test("every chunk loads when it is the first one", () => {
  const all = CHUNKS;
  const functions = new Map(
    Object.entries(all).map(([name, text]) => [name, new Function(`return ${asFunction(text)}`)()]),
  );
  const linker = new Function("define", `${LINKER}\nreturn require;`);
  assert.ok(functions.size > 100);
  for (const name of functions.keys()) {
    // main runs a command.
    if (name === "luo:main") continue;
    const loaded = linker((wanted: string) => functions.get(wanted))(name);
    assert.equal(loaded.noSuchExport, undefined, name);
  }
});

Deno.test("a variable that is assigned to is seen by all chunks", async () => {
  const scratch = `${directory}/variables`;
  Deno.mkdirSync(`${scratch}/source`, { recursive: true });
  Deno.writeTextFileSync(
    `${scratch}/source/one.ts`,
    `export let value = 1;
     export function set(to: number): void { value = to; }`,
  );
  Deno.writeTextFileSync(
    `${scratch}/source/main.ts`,
    `import { set, value } from "./one.ts";
     const before = value;
     set(7);
     globalThis.name = [before, value].join();`,
  );
  const all = await chunks(`${scratch}/source`, scratch);
  const define = (name: string) => new Function(`return ${asFunction(all[name] ?? "")}`)();
  new Function("define", `${LINKER}\nload("luo:main");`)(define);
  assert.equal(globalThis.name, "1,7");
});

Deno.test("a chunk that needs itself while it loads says so", () => {
  const sources: Record<string, string> = {
    "luo:1": 'const other = require("luo:2"); provide({ a: other.b });',
    "luo:2": 'const other = require("luo:1"); provide({ b: other.a });',
  };
  const define = (name: string) => new Function("provide", "require", sources[name] ?? "");
  const require = new Function("define", `${LINKER}\nreturn require;`)(define);
  assert.throws(() => require("luo:1").a, /luo:1 is used before it is loaded/);
});

Deno.test("the same source gives the same script in any directory and with any cache of Deno", () => {
  const deno = (args: string[], env: Record<string, string> = {}) => {
    const { stdout } = new Deno.Command(Deno.execPath(), { args, env, cwd: "/" }).outputSync();
    return new TextDecoder().decode(stdout);
  };
  const { denoDir } = JSON.parse(deno(["info", "--json"]));
  const sources = ["main.ts", "commands", "lib", "ffi", "deno.json", "deno.lock"].map((name) => ROOT + name);
  const copy = ["mkdir -p far/away/cache", `cp -r ${sources.join(" ")} far/away`].join(" && ");
  const { code, err } = sh(`${copy} && cp -r ${denoDir}/npm ${denoDir}/dl far/away/cache`);
  assert.equal(code, 0, err);

  const main = new URL("chunks_main.ts", import.meta.url).pathname;
  const here = deno(["run", "-A", main, ROOT]);
  const there = deno(["run", "-A", main, `${directory}/far/away/`], {
    DENO_DIR: `${directory}/far/away/cache`,
  });
  assert.ok(Object.keys(JSON.parse(here)).length > 10);
  assert.equal(there, here);
});
