/** Closed and full standard streams, and directories that are not ours. */
import assert from "node:assert/strict";
import { Cli } from "./cli.ts";

Deno.test("closed standard input and output: nothing is preserved, nothing counts as restored", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const none = await cli.shell("luo file preserve vm1 --stdin --token 1 <&-");
  assert.equal(none.code, 1);
  assert.match(none.err, /Cannot read standard input \(EBADF\)/);
  await cli.ok(["file", "preserve", "vm1", "--from", cli.file("small", "x"), "--token", "7"]);
  await cli.ok(["kexec", "load", cli.kernel]);
  await cli.ok(["kexec", "exec"]);
  await cli.ok(["session", "retrieve", "vm1"]);
  const lost = await cli.shell("luo file restore vm1 7 --stdout >&-");
  assert.equal(lost.code, 1);
  assert.match(lost.err, /Cannot write standard output \(EBADF\)/);
  assert.match(await cli.ok(["file", "list", "vm1"]), /waiting/);
  // An empty file and a discarded result are allowed.
  await cli.ok(["session", "create", "vm2"]);
  assert.equal((await cli.shell("luo file preserve vm2 --stdin --token 1 </dev/null")).code, 0);
  assert.equal((await cli.shell("luo file restore vm1 7 --stdout >/dev/null")).code, 0);
  await cli.ok(["session", "finish", "vm1"]);
});

Deno.test("a result that cannot be written because the disk is full: exit code 1", async () => {
  await using cli = new Cli();
  const { code, err } = await cli.shell("luo session create vm1 >/dev/full");
  assert.equal(code, 1);
  assert.match(err, /Cannot write the result \(ENOSPC\)/);
});

Deno.test("nothing is written into a directory that others may enter", async () => {
  await using cli = new Cli();
  Deno.mkdirSync(cli.path("open"));
  Deno.chmodSync(cli.path("open"), 0o755);
  const { code, err } = await cli.luo(["status", "--socket", cli.path("open/s")]);
  assert.equal(code, 3);
  assert.match(err, /others may enter it/);
  assert.deepEqual([...Deno.readDirSync(cli.path("open"))], []);
});

const BIG = 8 << 20;

Deno.test("the agent dies while a file is written out: the message says that the file is whole", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok([
    "file",
    "preserve",
    "vm1",
    "--from",
    // Larger than any pipe, so that luo still writes when the agent dies.
    cli.file("big", new Uint8Array(BIG)),
    "--token",
    "7",
  ]);
  await cli.ok(["kexec", "load", cli.kernel]);
  await cli.ok(["kexec", "exec"]);
  await cli.ok(["session", "retrieve", "vm1"]);
  // The reader reads a first part, kills the agent, and reads the rest.
  const script = `{ luo file restore vm1 7 --stdout; echo $? >$D/code; } 2>$D/err | {
    head -c 1000; kill -9 $(cat $LUO_SOCKET.lock); cat; } | wc -c`;
  assert.equal((await cli.shell(script)).out.trim(), String(BIG));
  assert.equal(Deno.readTextFileSync(cli.path("code")).trim(), "1");
  assert.match(Deno.readTextFileSync(cli.path("err")), /restored whole/);
});
