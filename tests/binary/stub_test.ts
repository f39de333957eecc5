/** The machine code of tools/binary/stub is what its assembler source gives. */
import assert from "node:assert/strict";
import { MACHINES, type Target } from "../../tools/binary/elf.ts";
import { MACHINE_CODE } from "../../tools/binary/machine_code.ts";
import { stubSegment } from "../../tools/binary/stub.ts";

const STUB = new URL("../../tools/binary/stub/", import.meta.url).pathname;

function assemble(target: Target): string | undefined {
  try {
    const { success, stdout } = new Deno.Command("sh", { args: [`${STUB}assemble.sh`, target] }).outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

for (const target of Object.keys(MACHINES) as Target[]) {
  const code = assemble(target);
  Deno.test({
    name: `the ${target} stub is the assembled source` +
      (code === undefined ? ` (not tested: no ${target}-linux-gnu-as, of binutils)` : ""),
    ignore: code === undefined,
    fn: () => assert.equal(`${target} ${MACHINE_CODE[target]}`, code),
  });
}

Deno.test("the struct after the stub has the distances and the numbers of strings", () => {
  const script = new TextEncoder().encode("SCRIPT");
  const texts = new TextEncoder().encode("TEXTS");
  const start = { words: ["run", "-q"], env: ["A=1"], texts, script };
  const segment = stubSegment("x86_64", start, -0x1000n, -0x800n);
  const size = Uint8Array.fromBase64(MACHINE_CODE.x86_64).length;
  const header = new DataView(segment.buffer, size);
  const numbers = Array.from({ length: 6 }, (_, index) => header.getBigInt64(8 * index, true));
  const strings = "run\0-q\0A=1\0TEXTS";
  assert.deepEqual(numbers, [
    -0x1000n - BigInt(size),
    BigInt(48 + strings.length),
    6n,
    2n,
    1n,
    -0x800n - BigInt(size),
  ]);
  assert.equal(new TextDecoder().decode(segment.subarray(size + 48)), strings + "SCRIPT");
});
