/** Whole live updates with the real command line. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as abi from "../../ffi/abi/fcntl.ts";
import { memfd_create, pwrite } from "../../ffi/file.ts";
import { HostFd } from "../../lib/files/host_fd.ts";
import { memfdOf, pattern } from "../files/scratch.ts";
import type { SessionInfo, Status } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("a whole live update by hand", async () => {
  await using cli = new Cli();
  const bytes = pattern(20_000_001);
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--stdin", "--token", "7", "--digest"], { stdin: bytes });
  await cli.ok([
    "file",
    "preserve",
    "vm1",
    "--from",
    cli.file("in", "hello"),
    "--token",
    "0xffffffffffffffff",
    "--label",
    "greeting",
  ]);
  const { session } = await cli.json<{ session: SessionInfo }>(["session", "show", "vm1"]);
  assert.equal(session.state, "outgoing");
  assert.deepEqual(session.files.map((file) => file.token), ["7", "18446744073709551615"]);
  assert.equal(session.files[0]?.digest, `sha256:${sha256(bytes)}`);

  await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  assert.match(await cli.ok(["kexec", "show"]), /7\.3\.4-standin/);
  assert.match(await cli.ok(["kexec", "exec"]), /1 session handed over/);

  const { sessions } = await cli.json<{ sessions: SessionInfo[] }>(["session", "list"]);
  assert.deepEqual(sessions.map((one) => [one.name, one.state]), [[
    "vm1",
    "incoming",
  ]]);
  await cli.fails(1, /session retrieve vm1/, ["file", "restore", "vm1", "7", "--to", "out"]);
  await cli.ok(["session", "retrieve", "vm1"]);
  await cli.ok(["file", "restore", "vm1", "7", "--to", "out"]);
  assert.equal(sha256(Deno.readFileSync(cli.path("out"))), sha256(bytes));
  assert.equal(await cli.ok(["file", "restore", "vm1", "0xffffffffffffffff", "--stdout"]), "hello");
  await cli.ok(["session", "finish", "vm1"]);
  assert.equal(await cli.ok(["session", "list"]), "No sessions\n");
  await cli.ok(["agent", "stop"]);
  await cli.ended();
});

Deno.test("--exec: the command gets the file as descriptor 3, and its token and size in the environment", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--from", cli.file("in", "hello"), "--token", "0x10"]);
  await cli.kexec();
  await cli.ok(["session", "retrieve", "vm1"]);
  const restore = ["file", "restore", "vm1", "16", "--exec", "--"];
  assert.equal(
    await cli.ok([...restore, "sh", "-c", 'cat <&3; echo " $LUO_FD $LUO_TOKEN $LUO_SIZE $HOME"'], {
      env: { HOME: "/h" },
    }),
    "hello 3 16 5 /h\n",
  );
  assert.equal((await cli.luo([...restore, "sh", "-c", "exit 9"])).code, 9);
  await cli.fails(127, /no-such-program.*ENOENT/, [...restore, "no-such-program"]);
});

Deno.test("the memfd of another process is preserved without a copy, with the contents it has at the kexec", async () => {
  await using cli = new Cli();
  using ram = memfdOf(new TextEncoder().encode("contents"));
  const preserve = ["file", "preserve", "vm1", "--pid", String(Deno.pid), "--fd", String(ram.number)];
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok([...preserve, "--token", "1"]);
  await cli.fails(1, /EBUSY/, [...preserve, "--token", "2"]);
  const { err } = await cli.shell("luo file preserve vm1 --fd 9 --token 2 9< $IMAGE");
  assert.match(err, /no handler takes this file.*ENOENT[^]*--from/);
  pwrite(ram.number, new TextEncoder().encode("C"), 0n);
  await cli.kexec();
  pwrite(ram.number, new TextEncoder().encode("X"), 0n);
  await cli.ok(["session", "retrieve", "vm1"]);
  assert.equal(await cli.ok(["file", "restore", "vm1", "1", "--stdout"]), "Contents");
});

Deno.test("contents that differ from their digest are not written", async () => {
  await using cli = new Cli();
  using ram = memfdOf(new TextEncoder().encode("contents"));
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok([
    "file",
    "preserve",
    "vm1",
    "--pid",
    String(Deno.pid),
    "--fd",
    String(ram.number),
    "--token",
    "1",
    "--digest",
  ]);
  pwrite(ram.number, new TextEncoder().encode("C"), 0n);
  await cli.kexec();
  await cli.ok(["session", "retrieve", "vm1"]);
  const restore = ["file", "restore", "vm1", "1"];
  await cli.fails(1, /not what was preserved/, [...restore, "--to", "out"]);
  await cli.fails(1, /not what was preserved/, [...restore, "--stdout"]);
  await cli.fails(1, /not what was preserved[^]*the file was not given out/, [
    ...restore,
    "--exec",
    "--",
    "true",
  ]);
  assert.throws(() => Deno.statSync(cli.path("out")), Deno.errors.NotFound);
  assert.equal(await cli.ok([...restore, "--stdout", "--no-verify"]), "Contents");
  Deno.writeTextFileSync(cli.path("old"), "old");
  await cli.fails(1, /not what was preserved[^]*--no-verify/, [...restore, "--to", "old", "--force"]);
  assert.equal(
    Deno.readTextFileSync(cli.path("old")),
    "old",
    "to replace a file is not to trust the contents",
  );
  await cli.ok([...restore, "--to", "old", "--force", "--no-verify"]);
  assert.equal(Deno.readTextFileSync(cli.path("old")), "Contents");
});

Deno.test("a file that would come back different is refused, and preserved with --force", async () => {
  await using cli = new Cli();
  using careful = new HostFd(memfd_create("careful", abi.MFD_CLOEXEC | abi.MFD_NOEXEC_SEAL));
  pwrite(careful.number, new Uint8Array(5), 0n);
  const preserve = [
    "file",
    "preserve",
    "vm1",
    "--token",
    "1",
    "--pid",
    String(Deno.pid),
    "--fd",
    String(careful.number),
  ];
  await cli.ok(["session", "create", "vm1"]);
  await cli.fails(4, /F_SEAL_EXEC[^]*--force/, preserve);
  await cli.ok([...preserve, "--force"]);
});

Deno.test("Ctrl-C while standard input is copied: exit code 130, and nothing is preserved", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const { out } = await cli.shell(`
    mkfifo $D/pipe; exec 8<>$D/pipe; echo data >&8
    set -m
    luo file preserve vm1 --stdin --token 1 < $D/pipe & pid=$!
    sleep 0.7; kill -INT -- -$pid; wait $pid; echo $?`);
  assert.equal(out, "130\n");
  assert.match(await cli.ok(["session", "show", "vm1"]), /no files/);
});

Deno.test("status --watch --json prints a line for every change", async () => {
  await using cli = new Cli();
  await cli.ok(["agent", "start"]);
  const { out } = await cli.shell(`
    luo status --watch --json > $D/watched & pid=$!
    until test -s $D/watched; do sleep 0.05; done
    luo session create vm1 > /dev/null
    until test $(wc -l < $D/watched) -ge 2; do sleep 0.05; done
    kill $(pgrep -P $pid) $pid 2>/dev/null; cat $D/watched`);
  const names = out.trim().split("\n").map((line) => {
    const { status }: { status: Status } = JSON.parse(line);
    return status.sessions.map(({ name }) => name).join();
  });
  assert.deepEqual(names.slice(0, 2), ["", "vm1"]);
});

Deno.test("two commands at once start one agent", async () => {
  await using cli = new Cli();
  await Promise.all(["a", "b", "c"].map((name) => cli.ok(["session", "create", name])));
  assert.equal((await cli.json<{ sessions: SessionInfo[] }>(["session", "list"])).sessions.length, 3);
  assert.equal(cli.processes().length, 2);
});

Deno.test("a killed agent loses its sessions by the kernel's rules, and status reports the loss", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "gone"]);
  await cli.ok(["file", "preserve", "gone", "--from", cli.kernel, "--token", "1"]);
  const { agent } = await cli.json<{ agent: Status["agent"] }>(["agent", "status"]);
  Deno.kill(agent.pid, "SIGKILL");
  const { status } = await cli.json<{ status: Status }>(["status"]);
  assert.deepEqual(status.sessions, []);
  assert.equal(status.losses[0]?.session, "gone");
  assert.match(await cli.ok(["status"]), /Lost: session "gone" \(outgoing\), 1 file, 5 KiB/);
});
