/** lib/kexec/arm64_image.ts: which files arm64 Linux takes as a kernel. */
import assert from "node:assert/strict";
import { checkImage } from "../../lib/kexec/check_image.ts";

function image(fields: { magic?: string; image_size?: bigint }): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(16, fields.image_size ?? 0x10000n, true);
  bytes.set(new TextEncoder().encode(fields.magic ?? "ARM\x64"), 56);
  return bytes;
}

const CASES: readonly (readonly [what: string, bytes: Uint8Array, reason?: RegExp])[] = [
  ["an Image", image({})],
  ["a file with another magic number", image({ magic: "ZIMG" }), /no arm64 Image header/],
  ["an Image of size 0", image({ image_size: 0n }), /how much memory/],
  ["63 bytes of an Image", image({}).subarray(0, 63), /no arm64 Image header/],
];
for (const [what, bytes, reason] of CASES) {
  Deno.test(`arm64 ${reason === undefined ? "takes" : "refuses"} ${what}`, () => {
    const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
    const { problems } = checkImage(read, bytes.length, "aarch64");
    assert.equal(problems.length, reason === undefined ? 0 : 1);
    if (reason !== undefined) assert.match(problems[0]?.reason ?? "", reason);
  });
}
