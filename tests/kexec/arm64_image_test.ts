/** lib/kexec/arm64_image.ts: which files arm64 Linux takes as a kernel. */
import assert from "node:assert/strict";
import { arm64Memory } from "../../lib/kexec/arm64_image.ts";
import { checkImage } from "../../lib/kexec/check_image.ts";

function image(fields: { magic?: string; image_size?: bigint }): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(16, fields.image_size ?? 0x10000n, true);
  bytes.set(new TextEncoder().encode(fields.magic ?? "ARM\x64"), 56);
  return bytes;
}

/** An Image that is an EFI program, with one section. */
function withSection(offset: number, size: number): Uint8Array {
  const bytes = image({});
  const view = new DataView(bytes.buffer);
  const header = 64;
  bytes.set(new TextEncoder().encode("MZ"));
  view.setUint32(0x3c, header, true);
  bytes.set(new TextEncoder().encode("PE"), header);
  view.setUint16(header + 6, 1, true);
  view.setUint32(header + 24 + 16, size, true);
  view.setUint32(header + 24 + 20, offset, true);
  return bytes;
}

const CASES: readonly (readonly [what: string, bytes: Uint8Array, reason?: RegExp])[] = [
  ["an Image", image({})],
  ["a file with another magic number", image({ magic: "ZIMG" }), /no arm64 Image header/],
  ["an Image of size 0", image({ image_size: 0n }), /how much memory/],
  ["an Image that is as long as its sections say", withSection(4000, 96)],
  ["an Image that lacks one byte of them", withSection(4000, 97), /4096 bytes and its sections end at 4097/],
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

Deno.test("the memory that an arm64 Image needs is its size and the offset of its text", () => {
  const bytes = image({ image_size: 0x123456n });
  new DataView(bytes.buffer).setBigUint64(8, 0x80000n, true);
  assert.equal(arm64Memory(bytes), 0x1a3456);
  assert.equal(arm64Memory(new Uint8Array(4096)), undefined);
});
