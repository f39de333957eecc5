/** Completion in real shells, with the names of a running agent. A shell that is not installed is left out. */
import assert from "node:assert/strict";
import { has } from "../deb/packages.ts";
import { Cli } from "./cli.ts";
import { fishCompletes, ShellAtTerminal } from "./shell_at_terminal.ts";

/** What is typed, and the words that are offered for the last word. `D` is the directory of the test. */
const CASES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ["luo session cr", ["create"]],
  ["luo session show vm", ["vm1", "vm2"]],
  ["luo session show my", ["my vm"]],
  ["luo session show a", ["a:b"]],
  ["luo session show vm1 --js", ["--json"]],
  ["luo session show --backend model --socket D/s vm", ["vm1", "vm2"]],
  ["luo session show --backend linux vm", []],
  ["luo session create vm", []],
  ["luo session retrieve vm", []],
  ["luo status --backend ", ["linux", "model"]],
  ["luo status --backend=m", ["model"]],
  ["luo file restore vm1 ", ["7", "8"]],
  ["luo file restore --json vm1 ", ["7", "8"]],
  ["luo file restore vm1 --json --timeout 5 ", ["7", "8"]],
  ["luo file restore --timeout=5 vm1 ", ["7", "8"]],
  ["luo file restore a:b ", ["5"]],
  ["luo session show --timeout=5 vm", ["vm1", "vm2"]],
  ["luo file preserve vm1 --token=", ["1"]],
  ["luo file preserve vm1 --label=n", ["note"]],
  ["luo file restore my\\ vm ", ["3"]],
  ["luo file restore vm1 7 --to D/ker", ["D/kernel"]],
  ["luo file restore vm1 7 --exec -- cat D/ker", ["D/kernel"]],
  ["luo file preserve vm1 --token ", ["1"]],
  ["luo file preserve vm1 --label n", ["note"]],
  ["luo file preserve vm1 --from D/ker", ["D/kernel"]],
  ["luo kexec load D/ker", ["D/kernel"]],
  ["luo kexec load --initrd D/ker", ["D/kernel"]],
  ["luo kexec load --initrd=D/ker", ["D/kernel"]],
  ["luo kexec -l D/ker", ["D/kernel"]],
  ["luo kexec -l D/kernel --reu", ["--reuse-cmdline"]],
  ["luo kexec --initrd=D/kernel -l D/ker", ["D/kernel"]],
  ["luo kexec --initrd D/kernel --load D/ker", ["D/kernel"]],
  ["luo kexec -e --js", ["--json"]],
  ["luo kexec --unl", ["--unload"]],
  ["luo emulate --strict cat D/ker", ["D/kernel"]],
  ["luo emulate -- cat D/ker", ["D/kernel"]],
  ["luo get dep", ["deploy/version"]],
  ["luo drop my", ["my key"]],
  ["luo completion b", ["bash"]],
  ["luo man sess", ["session"]],
  ["luo schema Sess", ["Session", "SessionState"]],
];

/** An agent with sessions, and a command `luo` in PATH. */
async function host(cli: Cli): Promise<Record<string, string>> {
  for (const name of ["vm1", "vm2", "my vm", "a:b"]) await cli.ok(["session", "create", name]);
  const stdin = new TextEncoder().encode("some bytes");
  await cli.ok(["file", "preserve", "vm1", "--stdin", "--token", "7", "--label", "state"], { stdin });
  await cli.ok(["file", "preserve", "vm1", "--stdin", "--token", "8", "--label", "note"], { stdin });
  await cli.ok(["file", "preserve", "my vm", "--stdin", "--token", "3"], { stdin });
  await cli.ok(["file", "preserve", "a:b", "--stdin", "--token", "5"], { stdin });
  for (const key of ["deploy/version", "my key"]) await cli.ok(["put", key, "1"]);
  Deno.mkdirSync(cli.path("bin"));
  const words = cli.commandLine.map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(cli.path("bin/luo"), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return { ...cli.env, PATH: `${cli.path("bin")}:${Deno.env.get("PATH")}` };
}

async function script(cli: Cli, shell: string): Promise<string> {
  // zsh loads a function from the file of its name, as it does from the package.
  return cli.file(shell === "zsh" ? "_luo" : `luo.${shell}`, await cli.ok(["completion", shell]));
}

/** The words that were inserted after the words before the last one, without quotes. */
function inserted(before: string, after: string): string[] {
  assert.ok(after.startsWith(before), `${before} became ${after}`);
  return after.slice(before.length).trim().split(/(?<!\\) +/).filter(Boolean)
    .map((word) => word.replaceAll("\\", "").replaceAll("'", "")).sort();
}

for (
  const [shell, name, setup] of [
    ["bash", "bash with bash-completion", ". /usr/share/bash-completion/bash_completion; . luo.bash"],
    ["bash", "bash alone", ". ./luo.bash"],
    ["zsh", "zsh", "fpath=($PWD $fpath); autoload -Uz _luo; compdef _luo luo"],
  ] as const
) {
  const ignore = !has(shell) || !has("script") ||
    name.includes("with") && !has("test -e /usr/share/bash-completion/bash_completion && echo");
  Deno.test(`completion in ${name}`, { ignore }, async (t) => {
    await using cli = new Cli();
    const env = await host(cli);
    await script(cli, shell);
    await using terminal = new ShellAtTerminal(shell, setup, cli.dir, env);
    for (const [typed, words] of CASES) {
      const line = typed.replaceAll("D/", `${cli.dir}/`);
      const before = line.slice(0, /(?:\\ |[^ =])*$/.exec(line)?.index);
      await t.step(typed, async () => {
        const after = await terminal.complete(line);
        // A shell that offers nothing leaves the word as it is.
        const expected = words.length > 0 ? words : [line.slice(before.length)].filter(Boolean);
        assert.deepEqual(
          inserted(before, after),
          expected.map((word) => word.replaceAll("D/", `${cli.dir}/`)),
        );
      });
    }
  });
}

Deno.test("completion in fish", { ignore: !has("fish") }, async (t) => {
  await using cli = new Cli();
  const env = await host(cli);
  const path = await script(cli, "fish");
  for (const [typed, words] of CASES) {
    const line = typed.replaceAll("D/", `${cli.dir}/`);
    await t.step(typed, () => {
      const found = fishCompletes(path, line, cli.dir, env).map((word) => word.replace(/^--\w+=/, "")).sort();
      assert.deepEqual(found, words.map((word) => word.replaceAll("D/", `${cli.dir}/`)));
    });
  }
});

Deno.test("completion in fish is silent when luo is not there", { ignore: !has("fish") }, async () => {
  await using cli = new Cli();
  const path = await script(cli, "fish");
  const { stdout, stderr } = await new Deno.Command("fish", {
    args: ["-c", `source ${path}; complete -C "luo session show "`],
    env: { PATH: "/usr/bin:/bin", HOME: cli.dir },
  }).output();
  assert.deepEqual([stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)), ["", ""]);
});

Deno.test("after the kexec, session retrieve is offered what waits", async () => {
  await using cli = new Cli();
  await host(cli);
  await cli.kexec();
  const complete = async (...words: string[]) => await cli.ok(["complete", "--", ...words]);
  assert.equal(await complete("session", "retrieve", "vm"), "vm1\tincoming\nvm2\tincoming\n");
  assert.equal(await complete("file", "preserve", "vm"), "");
});

Deno.test("completion starts no agent, waits for none and prints no errors", async () => {
  await using cli = new Cli();
  const lines = [
    ["session", "show", ""],
    ["session", "show", "--socket", "relative", ""],
    ["session", "show", "--backend", "nonsense", ""],
    ["file", "preserve", "vm1", "--fd", ""],
    ["nonsense", ""],
    ["session"],
    [],
  ];
  for (const line of lines) {
    assert.deepEqual(
      await cli.luo(["complete", "--", ...line]),
      { code: 0, out: "", err: "" },
      line.join(" "),
    );
  }
  assert.deepEqual(cli.processes(), []);
});

Deno.test("--fd offers the memfds of the process that --pid names", async () => {
  await using cli = new Cli();
  const code = "import os,sys; fd=os.memfd_create('guest'); print(fd, flush=True); sys.stdin.read()";
  const child = new Deno.Command("python3", { args: ["-c", code], stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  const fd = new TextDecoder().decode((await reader.read()).value).trim();
  assert.equal(
    await cli.ok(["complete", "--", "file", "preserve", "vm1", "--pid", `${child.pid}`, "--fd", ""]),
    `${fd}\tmemfd:guest (deleted)\n`,
  );
  await reader.cancel();
  await child.stdin.close();
  await child.status;
});
