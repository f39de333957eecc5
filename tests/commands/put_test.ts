/** luo put, get, keys and drop, as a script uses them. */
import assert from "node:assert/strict";
import type { Status } from "../../lib/agent/protocol.ts";
import { Cli } from "./cli.ts";

Deno.test("values over kexecs, with all their bytes", async () => {
  await using cli = new Cli();
  const all = Uint8Array.from({ length: 65536 }, (_, at) => at);
  cli.file("all", all);
  const { code, err, out } = await cli.shell(
    'luo put all <"$D/all" && luo put -- -x "a word" && luo keys && luo get all >"$D/out"',
  );
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /^Put "all": 64 KiB\nPut "-x": 6 B\n-x\nall\n$/);
  assert.deepEqual(Deno.readFileSync(cli.path("out")), all);
  for (const word of ["one", "two"]) {
    await cli.kexec();
    assert.equal(await cli.ok(["get", "--", "-x"]), word === "one" ? "a word" : "one");
    await cli.ok(["put", "--", "-x", word]);
  }
  const again = await cli.shell('luo get all | cmp - "$D/all" && luo get -- -x');
  assert.deepEqual([again.code, again.out], [0, "two"]);
  // The values are there when the agent was killed, too.
  for (const pid of cli.processes("agent")) Deno.kill(pid, "SIGKILL");
  assert.equal(await cli.ok(["get", "--", "-x"]), "two");
  const { status } = await cli.json<{ status: Status }>(["status"]);
  assert.deepEqual(status.values, { count: 2, bytes: 65536 + 3 + 2 + 3 });
  assert.deepEqual([status.sessions, status.losses], [[], []]);
});

Deno.test("keys that are absent: exit code 7, or --default", async () => {
  await using cli = new Cli();
  await cli.fails(7, /Cannot find a value under "boots"/, ["get", "boots"]);
  await cli.fails(7, /boots/, ["drop", "boots"]);
  assert.equal(await cli.ok(["get", "boots", "--default", "0"]), "0");
  const { code, out } = await cli.shell(
    'for i in 1 2 3; do luo put boots "$(( $(luo get boots --default 0) + 1 ))" >/dev/null; done; luo get boots',
  );
  assert.deepEqual([code, out], [0, "3"]);
  assert.equal(await cli.ok(["keys", "x"]), "");
  await cli.ok(["drop", "boots"]);
  assert.equal(await cli.ok(["keys"]), "");
});

Deno.test("a standard input that cannot be read", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  for (const command of ["put k", "batch", "file preserve vm1 --token 1 --stdin"]) {
    const { code, err } = await cli.shell(`luo ${command} <.`);
    assert.equal(code, 1);
    assert.match(
      err,
      /^luo: Cannot (read standard input \(EISDIR\)|preserve standard input: it is a directory)\n/,
    );
  }
});

Deno.test("a value too long, and what is no key", async () => {
  await using cli = new Cli();
  const stdin = new Uint8Array(65537);
  await cli.ok(["put", "k", "old"]);
  await cli.fails(2, /at most 65536 bytes\n.*session create NAME --keep/, ["put", "k"], { stdin });
  assert.equal(await cli.ok(["get", "k"]), "old");
  await cli.ok(["put", "k"], { stdin: stdin.subarray(1) });
  await cli.fails(2, /standard input is empty\n.*luo put k ''/, ["put", "k"]);
  assert.equal((await cli.ok(["get", "k"])).length, 65536);
  await cli.ok(["put", "k", ""]);
  assert.equal(await cli.ok(["get", "k"]), "");
  for (const key of ["", "a\nb", "x".repeat(256)]) await cli.fails(2, /a key has/, ["put", key, "v"]);
});
