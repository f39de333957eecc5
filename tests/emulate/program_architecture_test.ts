/** Programs that luo cannot serve on this machine are refused by name, before they start. */
import assert from "node:assert/strict";
import { foreignHead } from "../../lib/emulate/program_architecture.ts";
import { Lab } from "./run.ts";

/** The beginning of an ELF file. */
function head(machine: number, { bits = 64, big_endian = false } = {}): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, big_endian ? 2 : 1, 1]);
  new DataView(bytes.buffer).setUint16(18, machine, !big_endian);
  return bytes;
}

const [X86_64, AARCH64, I386, S390] = [62, 183, 3, 22];

for (
  const [what, bytes, machine, why] of [
    ["x86_64 on x86_64", head(X86_64), "x86_64", undefined],
    ["aarch64 on aarch64", head(AARCH64), "aarch64", undefined],
    ["aarch64 on x86_64", head(AARCH64), "x86_64", "it is a program for aarch64, and this machine is x86_64"],
    ["x86_64 on aarch64", head(X86_64), "aarch64", "it is a program for x86_64, and this machine is aarch64"],
    [
      "i386 on x86_64",
      head(I386, { bits: 32 }),
      "x86_64",
      "it is a program for i386, and this machine is x86_64",
    ],
    ["x32 on x86_64", head(X86_64, { bits: 32 }), "x86_64", "it is a 32-bit program"],
    [
      "big-endian s390x",
      head(S390, { big_endian: true }),
      "x86_64",
      "it is a program for s390x, and this machine is x86_64",
    ],
    [
      "an unknown processor",
      head(999),
      "x86_64",
      "it is a program for machine 999 of ELF, and this machine is x86_64",
    ],
    ["a script", new TextEncoder().encode("#!/bin/sh\necho script\n"), "x86_64", undefined],
    ["a short file", head(AARCH64).subarray(0, 19), "x86_64", undefined],
    ["no bytes", new Uint8Array(), "x86_64", undefined],
  ] as const
) {
  Deno.test(`${what}: ${why ?? "luo can serve it"}`, () => {
    assert.equal(foreignHead(bytes, machine), why);
  });
}

Deno.test("luo emulate refuses a program of another architecture: exit 126", async () => {
  using lab = new Lab();
  const path = `${lab.directory}/foreign`;
  Deno.writeFileSync(path, head(Deno.build.arch === "x86_64" ? AARCH64 : X86_64), { mode: 0o755 });
  const { code, err } = await lab.emulate(path);
  assert.equal(code, 126);
  assert.match(err, /Cannot emulate ".*foreign": it is a program for .*, and this machine is /);
});
