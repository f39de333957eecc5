/** lib/kexec/bzimage.ts: which files x86 Linux takes as a kernel, and which of them are cut off. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bzImageProblem, parseBzImage, SETUP_HEADER_END, standInBzImage } from "../../lib/kexec/bzimage.ts";
import { checkImage } from "../../lib/kexec/check_image.ts";

const IMAGE = standInBzImage({ release: "9.9.9-demo" });

function check(bytes: Uint8Array) {
  return checkImage((offset, length) => bytes.subarray(offset, offset + length), bytes.length);
}

/** The stand-in image with one field changed, little-endian. */
function changed(offset: number, value: number, width: 1 | 2 | 4): Uint8Array {
  const bytes = IMAGE.slice();
  for (let i = 0; i < width; i++) bytes[offset + i] = (value >>> (8 * i)) & 0xff;
  return bytes;
}

Deno.test("the stand-in image has the header of a bzImage", () => {
  assert.deepEqual(parseBzImage(IMAGE), {
    version: 0x020f,
    boot_flag: 0xaa55,
    loadflags: 1,
    xloadflags: 0x63,
    relocatable_kernel: true,
    cmdline_size: 2047,
    setup_sects: 1,
    syssize: 256,
    length: 5120,
    init_size: 0x200000,
    kernel_version: "9.9.9-demo (stand-in, boots nowhere)",
  });
  assert.deepEqual(check(IMAGE), { release: "9.9.9-demo", problems: [] });
});

const REFUSED: readonly (readonly [what: string, bytes: Uint8Array, reason: RegExp])[] = [
  ["an empty file", new Uint8Array(0), /is empty/],
  ["1,023 bytes of a bzImage", IMAGE.subarray(0, 1023), /too short/],
  ["noise", new Uint8Array(4096).map((_, at) => at * 37 & 0xff), /no Linux boot header/],
  ["an image without HdrS", changed(0x202, 0, 4), /no Linux boot header/],
  ["an image without the boot flag", changed(0x1fe, 0, 2), /boot flag/],
  ["an image of boot protocol 2.11", changed(0x206, 0x020b, 2), /2\.11 is older than 2\.12/],
  ["a zImage", changed(0x211, 0, 1), /zImage/],
  ["a 32-bit kernel", changed(0x236, 0x62, 2), /no 64-bit kernel/],
  ["a kernel without CONFIG_RELOCATABLE", changed(0x236, 0x61, 2), /above 4 GiB/],
  ["an image without all of its setup code", changed(0x1f1, 255, 1), /within its setup code/],
];
for (const [what, bytes, reason] of REFUSED) {
  Deno.test(`x86 cannot boot ${what}`, () => {
    const { problems } = check(bytes);
    assert.deepEqual(problems.map(({ code }) => code), ["not_bootable"]);
    assert.match(problems[0]?.reason ?? "", reason);
  });
}

Deno.test("a setup_sects of 0 means 4", () => {
  assert.equal(parseBzImage(changed(0x1f1, 0, 1))?.setup_sects, 4);
});

Deno.test("an image that lacks one byte is truncated, and one with one byte more is not", () => {
  assert.deepEqual(check(IMAGE.subarray(0, -1)).problems.map(({ code }) => code), ["image_truncated"]);
  assert.deepEqual(check(new Uint8Array([...IMAGE, 0])).problems, []);
});

Deno.test("an image without a valid pointer to its release has none", () => {
  assert.equal(parseBzImage(changed(0x20e, 0, 2))?.kernel_version, undefined);
  assert.equal(parseBzImage(changed(0x20e, 0xffff, 2))?.kernel_version, undefined);
});

Deno.test("no bytes make the parser throw, and an accepted image has its magic numbers", () => {
  const mutations = fc.array(fc.tuple(fc.nat(SETUP_HEADER_END + 8), fc.nat(255)), { maxLength: 6 });
  fc.assert(fc.property(mutations, fc.nat(IMAGE.length), (bytes, length) => {
    const image = IMAGE.slice(0, length);
    for (const [offset, value] of bytes) if (offset < image.length) image[offset] = value;
    const { problems } = check(image);
    assert.equal(new Set(problems.map(({ code }) => code)).size, problems.length);
    if (bzImageProblem(parseBzImage(image), image.length) === undefined) {
      assert.notEqual(problems[0]?.code, "not_bootable");
      assert.deepEqual([...image.subarray(0x202, 0x206)], [0x48, 0x64, 0x72, 0x53]);
      assert.ok(image.length >= 1024);
    }
  }));
});
