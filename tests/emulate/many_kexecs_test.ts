/** Hundreds of kexecs in one emulated machine: nothing grows. */
import assert from "node:assert/strict";
import { manyKexecs } from "./many_kexecs.ts";
import { isInstalled, Lab } from "./run.ts";

const gcc = isInstalled("gcc");

Deno.test({
  name: `300 kexecs leak no fd, thread or process, and the last hundred take no longer${
    gcc ? "" : " (ignored: no gcc)"
  }`,
  ignore: !gcc,
}, async () => {
  using lab = new Lab();
  const [, , second, last] = await Array.fromAsync(manyKexecs(lab, 301, 100));
  assert.ok(second !== undefined && last !== undefined);
  const text = `${JSON.stringify(second)} ${JSON.stringify(last)}`;
  // What every kexec leaked would be there a hundred times.
  for (const kind of ["fds", "threads", "processes"] as const) {
    assert.ok(last[kind] < second[kind] + 20, `${kind}: ${text}`);
  }
  // V8's heap grows and shrinks by itself.
  assert.ok(last.resident_kb < second.resident_kb + 48 * 1024, `memory: ${text}`);
  assert.ok(last.cpu_ms < second.cpu_ms * 2, `time: ${text}`);
});
