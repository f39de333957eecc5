/** The owner of a preserved memfd changes its size: Linux refuses this. On the model, luo reports it before the kexec. */
import assert from "node:assert/strict";
import { ftruncate, pwrite } from "../../ffi/file.ts";
import type { HostFd } from "../../lib/files/host_fd.ts";
import type { Status } from "../../lib/agent/protocol.ts";
import { memfdOf, pattern } from "../files/scratch.ts";
import { Cli } from "./cli.ts";

const SIZE = 8192;

/** Session "vm1" with file 1, another process's memfd of 8,192 bytes. */
async function preserved(ram: HostFd): Promise<Cli> {
  const cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const from = ["--pid", String(Deno.pid), "--fd", String(ram.number)];
  await cli.ok(["file", "preserve", "vm1", ...from, "--token", "1", "--label", "ram"]);
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  return cli;
}

async function sizes(cli: Cli): Promise<(number | undefined)[]> {
  const { status } = await cli.json<{ status: Status }>(["status"]);
  return status.sessions.flatMap(({ files }) => files.flatMap(({ size, sizeNow }) => [size, sizeNow]));
}

for (
  const [name, now, words, after] of [
    ["grows", 12288, /first 8192/, pattern(SIZE)],
    ["shrinks", 4096, /zeros after those, up to 8192/, pattern(4096)],
  ] as const
) {
  Deno.test(`a file that ${name}: status and kexec exec name it, and by force it goes over with its old size`, async () => {
    using ram = memfdOf(pattern(SIZE));
    await using cli = await preserved(ram);
    assert.deepEqual(await sizes(cli), [SIZE, undefined]);
    ftruncate(ram.number, BigInt(now));
    assert.deepEqual(await sizes(cli), [SIZE, now]);
    const status = await cli.ok(["status"]);
    assert.match(status, new RegExp(`^Resized: file 1 of session "vm1", from ${SIZE} to ${now} bytes`, "m"));
    const { code, err } = await cli.luo(["kexec", "exec"]);
    assert.equal(code, 4, err);
    assert.match(err, new RegExp(`file 1 \\(ram\\) of session "vm1" had ${SIZE} bytes.* has ${now} now`));
    assert.match(err, words);
    assert.match(err, /give the file its size back[^]*--force/);
    await cli.ok(["kexec", "exec", "--force"]);
    await cli.ok(["session", "retrieve", "vm1"]);
    await cli.ok(["file", "restore", "vm1", "1", "--to", "out"]);
    const expected = new Uint8Array(SIZE);
    expected.set(after);
    assert.deepEqual(Deno.readFileSync(cli.path("out")), expected);
    assert.deepEqual(await sizes(cli), [SIZE, undefined]);
  });
}

Deno.test("a file that has its size back goes over without force; a session that is closed is not watched", async () => {
  using ram = memfdOf(pattern(SIZE));
  await using cli = await preserved(ram);
  ftruncate(ram.number, 0n);
  ftruncate(ram.number, BigInt(SIZE));
  pwrite(ram.number, pattern(SIZE), 0n);
  await cli.ok(["session", "create", "vm2"]);
  using other = memfdOf(pattern(SIZE));
  const from = ["--pid", String(Deno.pid), "--fd", String(other.number)];
  await cli.ok(["file", "preserve", "vm2", ...from, "--token", "1"]);
  await cli.ok(["session", "close", "vm2", "--force"]);
  ftruncate(other.number, 1n);
  await cli.ok(["session", "create", "vm2"]);
  await cli.ok(["file", "preserve", "vm2", ...from, "--token", "1"]);
  assert.deepEqual(await sizes(cli), [SIZE, undefined, 1, undefined]);
  await cli.ok(["kexec", "exec"]);
  await cli.ok(["session", "retrieve", "vm1"]);
  await cli.ok(["file", "restore", "vm1", "1", "--to", "out"]);
  assert.deepEqual(Deno.readFileSync(cli.path("out")), pattern(SIZE));
});
