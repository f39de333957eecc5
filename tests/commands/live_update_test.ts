import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { pattern } from "../files/scratch.ts";
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
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.deepEqual(cli.processes(), []);
});

Deno.test("a command gets the file as descriptor 3 and what to know of it", async () => {
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
  await cli.fails(1, /no-such-program.*ENOENT/, [...restore, "no-such-program"]);
});

Deno.test("another process's memfd goes over without a copy", async () => {
  await using cli = new Cli();
  const { code, out, err } = await cli.shell(`
    set -e
    python3 -c '
import os, time
fd = os.memfd_create("ram", os.MFD_ALLOW_SEALING)
os.write(fd, b"contents")
print(fd, flush=True)
time.sleep(60)' > $D/fd & pid=$!
    until test -s $D/fd; do sleep 0.05; done
    luo session create vm1 >&2
    luo file preserve vm1 --pid $pid --fd $(cat $D/fd) --token 1 >&2
    luo file preserve vm1 --fd 9 --token 2 9< $D/fd >&2 || echo "disk: $?"
    luo kexec load $IMAGE --command-line liveupdate=on >&2
    luo kexec exec >&2
    kill $pid
    luo session retrieve vm1 >&2
    luo file restore vm1 1 --stdout`);
  assert.equal(code, 0, err);
  assert.equal(out, "disk: 1\ncontents");
  assert.match(err, /copy the file with --from/);
});

Deno.test("two commands at once start one agent", async () => {
  await using cli = new Cli();
  await Promise.all(["a", "b", "c"].map((name) => cli.ok(["session", "create", name])));
  assert.equal((await cli.json<{ sessions: SessionInfo[] }>(["session", "list"])).sessions.length, 3);
  assert.equal(cli.processes().length, 2);
});

Deno.test("killing the agent loses what the kernel's rules say, and status says so", async () => {
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
