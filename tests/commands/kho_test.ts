/** `luo kho show`, of the model and of captures. */
import assert from "node:assert/strict";
import type { KhoReport } from "../../lib/kho/report.ts";
import { Cli } from "./cli.ts";

const FIXTURES = new URL("../kho/fixtures/", import.meta.url).pathname;

Deno.test("luo kho show: the next handover of the model's kernel, and after a kexec the handover it received", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  await cli.ok(["file", "preserve", "vm1", "--from", cli.file("in", "hello"), "--token", "1"]);
  assert.match(
    await cli.ok(["kho", "show"]),
    /^KHO +kho-v4, map at 0x\w+\nFrom +7\.3\.4, kexec 1\nScratch +64 MiB at 0x\w+\nLUO +luo-v5, live update 1\n/,
  );
  await cli.fails(3, /Cannot show what was handed over \(ENOENT\)/, ["kho", "show", "--in"]);
  await cli.kexec();
  const { handover } = await cli.json<{ handover: KhoReport }>(["kho", "show", "--in"]);
  assert.deepEqual(handover.kho?.blobs.map(({ name }) => name), ["LUO", "kexec-metadata"]);
  assert.equal(handover.metadata?.previousRelease, "7.3.4");
  assert.equal((await cli.json<{ handover: KhoReport }>(["kho", "show"])).handover.metadata?.kexecCount, 2);
});

Deno.test("luo kho show FILE: a captured handover, and files that are no handover", async () => {
  await using cli = new Cli();
  const told = await cli.ok(["kho", "show", `${FIXTURES}files.json.gz`]);
  assert.match(told, /^vm0 +7 +memfd-v2 +1\.17 MiB +1228800 +0x0 +300 +0x[0-9a-f]+$/m);
  assert.match(told, /^liveupdate-test-flb-v0 +4 +0xfeedf00dcafebee0$/m);
  await cli.fails(1, /Cannot read "bad" as a handover: the file: not a capture/, [
    "kho",
    "show",
    cli.file("bad", "x").replace(/.*\//, ""),
  ]);
  await cli.fails(1, /Cannot open "missing" \(ENOENT\)/, ["kho", "show", "missing"]);
  await cli.fails(2, /more than one of/, ["kho", "show", "--in", "--out"]);
});
