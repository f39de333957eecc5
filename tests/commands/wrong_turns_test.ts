/** Mistakes of a user before and after the kexec: exit code, message, and nothing lost. */
import assert from "node:assert/strict";
import { pattern } from "../files/scratch.ts";
import { Cli } from "./cli.ts";

Deno.test("mistakes before the kexec: the message says what to do, and nothing changes", async (t) => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const small = cli.file("small", "x");
  await cli.ok(["file", "preserve", "vm1", "--from", small, "--token", "7"]);
  const preserve = ["file", "preserve", "vm1", "--token", "8"];
  const cases: [string, number, RegExp, string[]][] = [
    ["unknown session with another number", 1, /find session "vm2"\n {2}sessions: "vm1"\n$/, [
      "session",
      "show",
      "vm2",
    ]],
    ["unknown session, near", 1, /did you mean "vm1"\?\n {2}sessions: "vm1"\n$/, ["session", "show", "wm1"]],
    ["unknown session, far", 1, /find session "database"\n {2}sessions: "vm1"\n$/, [
      "session",
      "close",
      "database",
    ]],
    ["taken name", 1, /EEXIST/, ["session", "create", "vm1"]],
    ["name too long", 2, /at most 63 bytes/, ["session", "create", "x".repeat(64)]],
    ["taken token", 1, /file 7 .*EEXIST[^]*luo file list/, [
      "file",
      "preserve",
      "vm1",
      "--from",
      small,
      "--token",
      "0x7",
    ]],
    ["no such session to preserve in", 1, /did you mean/, [
      "file",
      "preserve",
      "vm",
      "--from",
      small,
      "--token",
      "8",
    ]],
    ["no such file", 1, /small2.*ENOENT/, [...preserve, "--from", `${small}2`]],
    ["a directory", 1, /it is a directory/, [...preserve, "--from", cli.dir]],
    ["a device", 1, /it is a device/, [...preserve, "--from", "/dev/zero"]],
    ["no such descriptor", 1, /descriptor 77.*EBADF/, [...preserve, "--fd", "77"]],
    ["no such process", 1, /ESRCH/, [...preserve, "--pid", "2147483600", "--fd", "1"]],
    ["retrieve an outgoing session", 1, /handed over no session of that name/, [
      "session",
      "retrieve",
      "vm1",
    ]],
    ["restore before the kexec", 1, /vm1/, ["file", "restore", "vm1", "7", "--to", "out"]],
    ["finish an outgoing session", 1, /vm1/, ["session", "finish", "vm1"]],
    ["close with files", 4, /--force/, ["session", "close", "vm1"]],
    ["kexec without an image", 1, /no image is loaded[^]*luo kexec load/, ["kexec", "exec"]],
    ["kexec without an image, forced", 1, /EINVAL/, ["kexec", "exec", "--force"]],
    ["a kernel that is none", 1, /ENOEXEC/, [
      "kexec",
      "load",
      small,
      "--command-line",
      "liveupdate=on kho=on",
    ]],
    ["a kernel that is not there", 1, /ENOENT/, ["kexec", "load", `${small}2`, "--reuse-cmdline"]],
    ["stop with sessions", 4, /--force/, ["agent", "stop"]],
    ["the agent of another kernel", 3, /its kernel is model, not linux/, ["status", "--backend", "linux"]],
  ];
  for (const [name, code, words, args] of cases) await t.step(name, () => cli.fails(code, words, args));
  assert.match(await cli.ok(["session", "show", "vm1"]), /outgoing: 1 file, 1 B/);
  await cli.ok(["session", "close", "vm1", "--force"]);
});

Deno.test("mistakes after the kexec: the message says what to do, and nothing is lost", async (t) => {
  await using cli = new Cli();
  const bytes = pattern(100_000);
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--from", cli.file("in", bytes), "--token", "7", "--seal"]);
  await cli.kexec();
  const restore = ["file", "restore", "vm1", "7"];
  const image = ["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"];
  await t.step(
    "restore before retrieve",
    () => cli.fails(1, /luo session retrieve vm1/, [...restore, "--to", "out"]),
  );
  await t.step(
    "retrieve an unknown one",
    () => cli.fails(1, /sessions: "vm1"/, ["session", "retrieve", "vm2"]),
  );
  await cli.ok(image);
  await t.step("kexec with incoming sessions", () => cli.fails(4, /--force/, ["kexec", "exec"]));
  await cli.ok(["session", "retrieve", "vm1"]);
  await t.step("kexec with unfinished sessions", () => cli.fails(4, /--force/, ["kexec", "exec"]));
  const cases: [string, number, RegExp, string[]][] = [
    ["second retrieve", 1, /vm1/, ["session", "retrieve", "vm1"]],
    ["unknown token", 1, /find file 8 in session "vm1"\n {2}tokens: 7\n$/, [
      "file",
      "restore",
      "vm1",
      "8",
      "--to",
      "out",
    ]],
    ["bad token", 2, /whole number/, ["file", "restore", "vm1", "seven", "--to", "out"]],
    ["no such directory", 1, /no directory/, [...restore, "--to", "no/out"]],
    ["a directory", 1, /directory/, [...restore, "--to", cli.dir, "--force"]],
    ["over an existing file", 1, /--force/, [...restore, "--to", "in"]],
    ["preserve in a retrieved session", 1, /retrieved/, [
      "file",
      "preserve",
      "vm1",
      "--from",
      "in",
      "--token",
      "9",
    ]],
    ["finish with files not restored", 4, /--force/, ["session", "finish", "vm1"]],
    ["close with files not restored", 4, /--force/, ["session", "close", "vm1"]],
  ];
  for (const [name, code, words, args] of cases) await t.step(name, () => cli.fails(code, words, args));
  await t.step("a pipe without a reader", async () => {
    const { out, err } = await cli.shell('luo file restore vm1 7 --stdout | true; echo "${PIPESTATUS[0]}"');
    assert.match(out, /^(141|0)\n$/);
    assert.equal(err, "");
  });
  await t.step("a full device", async () => {
    const { code, err } = await cli.shell("luo file restore vm1 7 --stdout > /dev/full");
    assert.equal(code, 1);
    assert.match(err, /standard output.*ENOSPC/);
  });
  await t.step(
    "a command that is not there",
    () => cli.fails(127, /ENOENT/, [...restore, "--exec", "--", "no-such-command"]),
  );
  await t.step(
    "finish after restores that failed",
    () => cli.fails(4, /never restored/, ["session", "finish", "vm1"]),
  );
  await cli.ok([...restore, "--to", "in", "--force"]);
  await cli.ok([...restore, "--to", "out"]);
  assert.deepEqual(Deno.readFileSync(cli.path("out")), bytes);
  await cli.ok(["session", "finish", "vm1"]);
  await t.step("finish twice", () => cli.fails(1, /vm1/, ["session", "finish", "vm1"]));
});

Deno.test({
  name: "a full disk: no part of the file is left",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using cli = new Cli();
    await cli.ok(["session", "create", "vm1"]);
    await cli.ok(["file", "preserve", "vm1", "--from", cli.file("in", pattern(3 << 20)), "--token", "7"]);
    await cli.kexec();
    await cli.ok(["session", "retrieve", "vm1"]);
    Deno.mkdirSync(cli.path("disk"));
    const mount = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=1m", "luo-test", cli.path("disk")],
    });
    assert.equal((await mount.output()).code, 0);
    try {
      await cli.fails(1, /disk\/out.*ENOSPC/, ["file", "restore", "vm1", "7", "--to", "disk/out"]);
      assert.deepEqual([...Deno.readDirSync(cli.path("disk"))], []);
    } finally {
      await new Deno.Command("umount", { args: [cli.path("disk")] }).output();
    }
  },
});

Deno.test("without an agent: exit 3, a hint, and nothing is started", async (t) => {
  await using cli = new Cli();
  const linux = { env: { LUO_BACKEND: "linux" } };
  await t.step("linux", () => cli.fails(3, /luo agent start[^]*--backend model/, ["session", "list"], linux));
  await t.step("linux, JSON", async () => {
    const { code, err } = await cli.luo(["status", "--json"], linux);
    assert.deepEqual([code, JSON.parse(err).error.kind], [3, "unavailable"]);
  });
  await t.step("agent status on the model", () => cli.fails(3, /none is running/, ["agent", "status"]));
  await t.step(
    "agent stop",
    async () => assert.equal(await cli.ok(["agent", "stop"]), "No agent was running\n"),
  );
  await t.step(
    "a wrong backend",
    () => cli.fails(2, /LUO_BACKEND="vax"/, ["status"], { env: { LUO_BACKEND: "vax" } }),
  );
  assert.deepEqual(cli.processes(), []);
});
