/** `file restore --exec`: the command gets the file as it was at the kexec, and luo ends as the command ended. */
import assert from "node:assert/strict";
import type { FileInfo } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";

const EXEC = ["file", "restore", "vm1", "7", "--exec"];

/** A session "vm1" with file 7, "0123456789", whose position is 4, after the kexec. */
async function afterKexec(): Promise<Cli> {
  const cli = new Cli();
  cli.file("ten", "0123456789");
  await cli.ok(["session", "create", "vm1"]);
  // An unlinked tmpfs file, read up to the fourth byte.
  const { code, err } = await cli.shell(`
    file=$(mktemp -p /dev/shm); exec 5<>$file; rm $file
    cat $D/ten >&5; exec 6</proc/self/fd/5
    dd bs=1 count=4 <&6 >$D/skipped 2>&1
    luo file preserve vm1 --fd 6 --token 7 --force`);
  assert.equal(code, 0, err);
  await cli.kexec();
  await cli.ok(["session", "retrieve", "vm1"]);
  return cli;
}

async function state(cli: Cli): Promise<string | undefined> {
  const { files } = await cli.json<{ files: FileInfo[] }>(["file", "list", "vm1"]);
  return files[0]?.state;
}

Deno.test("every command finds the position that the file had at the kexec; --to and --stdout give it whole", async () => {
  await using cli = await afterKexec();
  for (let again = 0; again < 2; again++) {
    assert.equal(await cli.ok([...EXEC, "--", "sh", "-c", "cat <&3"]), "456789");
    assert.equal(await cli.ok([...EXEC, "--become", "--", "sh", "-c", "cat <&3"]), "456789");
    assert.equal(await cli.ok(["file", "restore", "vm1", "7", "--stdout"]), "0123456789");
    await cli.ok(["file", "restore", "vm1", "7", "--to", `out${again}`]);
    assert.equal(Deno.readTextFileSync(cli.path(`out${again}`)), "0123456789");
  }
  const { files } = await cli.json<{ files: FileInfo[] }>(["file", "list", "vm1"]);
  assert.equal(files[0]?.position, 4);
});

Deno.test("a command that fails restores nothing, and its exit code comes through", async (t) => {
  await using cli = await afterKexec();
  cli.file("plain", "no program");
  Deno.chmodSync(cli.file("script", "exit 6"), 0o755);
  const cases: [name: string, code: number, words: RegExp, command: string[]][] = [
    ["false", 1, /^$/, ["false"]],
    ["an exit code", 42, /^$/, ["sh", "-c", "exit 42"]],
    ["a signal", 143, /^$/, ["sh", "-c", "kill $$"]],
    ["no such command", 127, /no-such-program.*ENOENT/, ["no-such-program"]],
    ["not executable", 126, /plain.*EACCES/, ["./plain"]],
    ["a directory", 126, /EACCES/, [cli.dir]],
    ["a script without a first line", 6, /^$/, ["./script"]],
  ];
  for (const [name, code, words, command] of cases) {
    await t.step(name, () => cli.fails(code, words, [...EXEC, "--", ...command]));
  }
  for (const command of ["no-such-program", "./plain"]) {
    const code = command === "./plain" ? 126 : 127;
    await t.step(
      `--become ${command}`,
      () => cli.fails(code, /Cannot execute/, [...EXEC, "--become", "--", command]),
    );
  }
  assert.equal(await state(cli), "waiting");
  await cli.fails(4, /7/, ["session", "finish", "vm1"]);
});

Deno.test("a command that ends with 0 restores the file, and a later failure does not take that back", async () => {
  await using cli = await afterKexec();
  await cli.ok([...EXEC, "--", "true"]);
  assert.notEqual(await state(cli), "waiting");
  await cli.fails(1, /^$/, [...EXEC, "--", "false"]);
  await cli.fails(127, /Cannot execute/, [...EXEC, "--become", "--", "no-such-program"]);
  await cli.ok(["session", "finish", "vm1"]);
});

Deno.test("with --become the command has the process number of luo, and the file counts as restored at once", async () => {
  await using cli = await afterKexec();
  const { out } = await cli.shell(
    `luo() { exec ${cli.commandLine.map((word) => `'${word}'`).join(" ")} "$@"; }
    (echo $BASHPID; luo file restore vm1 7 --exec --become -- sh -c 'echo $$; exit 3'); echo $?`,
  );
  const [before, after, code] = out.trim().split("\n");
  assert.equal(after, before);
  assert.equal(code, "3");
  assert.notEqual(await state(cli), "waiting");
});

for (const [signal, number] of [["SIGTERM", 15], ["SIGINT", 2], ["SIGHUP", 1]] as const) {
  Deno.test(`${signal} goes on to the command, which decides`, async () => {
    await using cli = await afterKexec();
    const [program = "", ...before] = cli.commandLine;
    const script = `trap 'echo got it; exit 5' ${number}; echo ready; while :; do sleep 0.05; done`;
    const luo = new Deno.Command(program, {
      args: [...before, ...EXEC, "--", "sh", "-c", script],
      cwd: cli.dir,
      env: cli.env,
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = luo.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    for (let more = await reader.read(); !more.done; more = await reader.read()) {
      said += more.value;
      if (said === "ready\n") luo.kill(signal);
    }
    assert.equal(said, "ready\ngot it\n");
    assert.equal((await luo.status).code, 5);
    assert.equal(await state(cli), "waiting");
  });
}

Deno.test("a signal that is ignored when luo starts (nohup) is ignored in the command too", async () => {
  await using cli = await afterKexec();
  const { code, out } = await cli.shell(
    `trap '' HUP; luo file restore vm1 7 --exec -- sh -c 'kill -HUP $$; kill -HUP $PPID; sleep 0.2; echo alive'`,
  );
  assert.deepEqual([code, out], [0, "alive\n"]);
});

Deno.test("luo that is started with SIGCHLD ignored still waits for the command", async () => {
  await using cli = await afterKexec();
  const { out } = await cli.shell(`trap '' CHLD; luo file restore vm1 7 --exec -- sh -c 'exit 3'; echo $?`);
  assert.equal(out, "3\n");
  assert.equal(await state(cli), "waiting");
});

Deno.test("a command that is killed gives 128 and the signal as exit code", async () => {
  await using cli = await afterKexec();
  const { code } = await cli.luo([...EXEC, "--", "sh", "-c", "kill -KILL $$"]);
  assert.equal(code, 137);
  assert.equal(await state(cli), "waiting");
});
