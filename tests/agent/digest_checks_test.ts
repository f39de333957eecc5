/** The checks of kept files after a kexec: the verdicts, and how often they are told. */
import assert from "node:assert/strict";
import { MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { memfd_create, pwrite } from "../../ffi/file.ts";
import { DigestChecks } from "../../lib/agent/digest_checks.ts";
import type { FileInfo } from "../../lib/agent/protocol.ts";
import { Fd } from "../../lib/fd.ts";
import { digestOf } from "../../lib/files/digest.ts";
import { linux } from "../../lib/linux/system_calls.ts";

async function files(count: number): Promise<{ file: FileInfo; fd: Fd }[]> {
  return await Promise.all(Array.from({ length: count }, async (_, index) => {
    const number = memfd_create("kept", MFD_CLOEXEC);
    pwrite(number, new TextEncoder().encode(`file ${index}`), 0n);
    const digest = await digestOf({ fd: number, name: "kept" });
    const file: FileInfo = { token: `${index}`, size: 6, seals: 0, state: "preserved", digest };
    return { file, fd: new Fd(linux(), number) };
  }));
}

/** Waits for the last verdict. Returns the number of verdicts at each moment at which they were told. */
async function told(all: readonly { file: FileInfo; fd: Fd }[]): Promise<number[]> {
  const log: string[] = [];
  using checks = new DigestChecks((line) => log.push(line));
  const counts: number[] = [];
  const verdicts = () => all.filter(({ file }) => file.verdict !== undefined).length;
  const { promise, resolve } = Promise.withResolvers<void>();
  checks.on_verdict = () => {
    counts.push(verdicts());
    if (verdicts() === all.length) resolve();
  };
  for (const { file, fd } of all) checks.add("vm1", file, fd);
  await promise;
  for (const { fd } of all) fd[Symbol.dispose]();
  return counts;
}

Deno.test("verdicts are told together: subscribers get the whole status each time", async () => {
  const all = await files(200);
  const counts = await told(all);
  assert.equal(counts.at(-1), 200);
  assert.ok(counts.length < 50, `told ${counts.length} times`);
});

Deno.test("a file that has changed is told at once", async () => {
  const all = await files(20);
  const changed = all[7];
  assert.ok(changed);
  pwrite(changed.fd.number, new TextEncoder().encode("other"), 0n);
  const counts = await told(all);
  assert.equal(changed.file.verdict, "changed");
  assert.ok(counts.includes(8), `told at ${counts}`);
});

Deno.test("a file that is given out is not checked any more", async () => {
  const [first, second] = await files(2);
  assert.ok(first && second);
  using checks = new DigestChecks(() => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  checks.on_verdict = () => resolve();
  for (const { file, fd } of [first, second]) checks.add("vm1", file, fd);
  checks.drop(first.file);
  await promise;
  assert.deepEqual([first.file.verdict, second.file.verdict], [undefined, "same"]);
});
