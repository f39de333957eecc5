/** `liveUpdateTest` on the model; tests/library/on_linux/kernel_main.ts runs the same file on a real kernel. */
import assert from "node:assert/strict";
import { check, Fd, openDevice, type SystemCalls } from "../../lib/luo.ts";
import { liveUpdateTest } from "../../lib/testing.ts";

function save(sys: SystemCalls, session: string, text: string): void {
  using device = openDevice(sys);
  using state = Fd.of(sys, sys.memfd_create("state", 0), "memfd_create");
  check(sys.write(state.number, new TextEncoder().encode(text)), "write", "the state");
  device.create(session).preserve(state, 1n);
}

function load(sys: SystemCalls, name: string): string {
  using device = openDevice(sys);
  return device.restoreAll(name, (session) => {
    using state = session.restore(1n);
    const bytes = new Uint8Array(100);
    return new TextDecoder().decode(bytes.subarray(0, sys.pread(state.number, bytes, 0n)));
  });
}

liveUpdateTest(
  "what is preserved is there after the kexec",
  ({ sys }) => save(sys, "first", "warm"),
  ({ sys }) => assert.equal(load(sys, "first"), "warm"),
);

liveUpdateTest(
  "tests of a file share the kexec, and halves may be asynchronous",
  async ({ sys }) => {
    await Promise.resolve();
    save(sys, "second", "hot");
  },
  async ({ sys, machine, directory }) => {
    await Promise.resolve();
    assert.equal(load(sys, "second"), "hot");
    assert.equal(machine === undefined, directory !== undefined);
    if (directory !== undefined) Deno.writeTextFileSync(`${directory}/release`, sys.uname().release);
  },
);
