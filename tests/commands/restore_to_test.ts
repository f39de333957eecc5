/** `file restore --to`: the mode of the new file, and holes. */
import assert from "node:assert/strict";
import { Cli } from "./cli.ts";

const MiB = 1 << 20;
const RESTORE = ["file", "restore", "vm1", "7", "--to"];

Deno.test("a sparse file goes over a kexec and comes back sparse, private, and the same", async () => {
  await using cli = new Cli();
  const path = cli.file("in", "");
  Deno.truncateSync(path, 64 * MiB);
  {
    using file = Deno.openSync(path, { write: true });
    file.seekSync(40 * MiB + 5, Deno.SeekMode.Start);
    file.writeSync(new TextEncoder().encode("data"));
  }
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--from", "in", "--token", "7", "--digest"]);
  await cli.kexec();
  await cli.ok(["session", "retrieve", "vm1"]);
  await cli.ok([...RESTORE, "out"]);
  const { size, blocks, mode } = Deno.statSync(cli.path("out"));
  assert.deepEqual([size, (mode ?? 0) & 0o7777], [64 * MiB, 0o600]);
  assert.ok((blocks ?? 0) * 512 <= MiB, `${blocks} blocks`);
  assert.equal((await new Deno.Command("cmp", { args: [path, cli.path("out")] }).output()).code, 0);

  Deno.writeTextFileSync(cli.path("old"), "old");
  Deno.chmodSync(cli.path("old"), 0o640);
  await cli.ok([...RESTORE, "old", "--force"]);
  await cli.ok([...RESTORE, "shared", "--mode", "644"]);
  const modes = ["old", "shared"].map((name) => (Deno.statSync(cli.path(name)).mode ?? 0) & 0o7777);
  assert.deepEqual(modes, [0o640, 0o644]);
  await cli.fails(2, /octal digits/, [...RESTORE, "x", "--mode", "rw"]);
  await cli.fails(2, /--mode without --to/, ["file", "restore", "vm1", "7", "--stdout", "--mode", "600"]);
});
