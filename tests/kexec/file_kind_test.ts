/** lib/kexec/file_kind.ts: a file that is no kernel image for this machine is named in the refusal; old kernels are recognized. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { type Architecture, checkImage } from "../../lib/kexec/check_image.ts";

const KERNEL = standInBzImage({ release: "7.3.4" });
const text = (words: string) => new TextEncoder().encode(words);

function padded(start: Uint8Array | number[], size = 4096): Uint8Array {
  const bytes = new Uint8Array(size).fill(0x90);
  bytes.set(start);
  return bytes;
}

function arm64Image(banner = ""): Uint8Array {
  const bytes = new Uint8Array(3 << 20);
  new DataView(bytes.buffer).setBigUint64(16, 0x10000n, true);
  bytes.set(text("ARM\x64"), 56);
  // The banner crosses the end of the first MiB, where the reader begins its next piece.
  bytes.set(text(banner), (1 << 20) - 20);
  return bytes;
}

/** An EFI program with sections of these names. */
function pe(...names: string[]): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  bytes.set(text("MZ"));
  view.setUint32(0x3c, 0x80, true);
  bytes.set(text("PE\0\0"), 0x80);
  view.setUint16(0x86, names.length, true);
  view.setUint16(0x94, 0xf0, true);
  names.forEach((name, at) => bytes.set(text(name), 0x98 + 0xf0 + 40 * at));
  return bytes;
}

const FILES: readonly (readonly [what: string, bytes: Uint8Array, machine: Architecture, reason: RegExp])[] =
  [
    ["an empty file", new Uint8Array(0), "x86_64", /^the file is empty$/],
    ["a gzip file", gzipSync(KERNEL), "x86_64", /gzip file: unpack the kernel first \(gzip -dc\)/],
    ["a gzip file on arm64", gzipSync(KERNEL), "aarch64", /gzip file/],
    ["an xz file", padded([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), "x86_64", /xz file/],
    ["a zstd file", padded([0x28, 0xb5, 0x2f, 0xfd]), "x86_64", /zstd file/],
    ["an arm64 Image on x86-64", arm64Image(), "x86_64", /for arm64, and this machine is x86-64/],
    ["a bzImage on arm64", KERNEL, "aarch64", /for x86, and this machine is arm64/],
    ["a UKI", pe(".text", ".osrel", ".linux", ".initrd"), "x86_64", /unified kernel image.*section=\.linux/],
    ["another EFI program", pe(".text", ".data"), "x86_64", /EFI program, and no kernel/],
    ["an EFI zboot image", padded(text("MZ\0\0zimg")), "aarch64", /EFI zboot/],
    ["an ELF file", padded(text("\x7fELF")), "x86_64", /vmlinux/],
    ["an initramfs", padded(text("070701")), "x86_64", /--initrd/],
    ["a short text", text("#!/bin/sh\necho\n"), "x86_64", /^it is a text file$/],
  ];
for (const [what, bytes, machine, reason] of FILES) {
  Deno.test(`the refusal names ${what}`, () => {
    const { problems } = check(bytes, machine);
    assert.deepEqual(problems.map(({ code }) => code), ["not_bootable"]);
    assert.match(problems[0]?.reason ?? "", reason);
  });
}

function check(bytes: Uint8Array, machine: Architecture) {
  return checkImage((offset, length) => bytes.subarray(offset, offset + length), bytes.length, machine);
}

Deno.test("the release of an arm64 Image is in its banner", () => {
  const banner = "%s\0Linux version %s (%s)\0Linux version 7.3.4-luo (user@host) #1 SMP\n\0";
  assert.deepEqual(check(arm64Image(banner), "aarch64"), { release: "7.3.4-luo", problems: [] });
  assert.deepEqual(check(arm64Image(), "aarch64"), { problems: [] });
});

const RELEASES = [["6.12.1", true], ["6.18.0-series-v6", true], ["6.19.0", false], ["10.0", false], [
  "next",
  false,
]] as const;
for (const [release, old] of RELEASES) {
  Deno.test(`a kernel ${release} is ${old ? "" : "not "}from before live update`, () => {
    const codes = check(standInBzImage({ release }), "x86_64").problems.map(({ code }) => code);
    assert.deepEqual(codes, old ? ["image_old"] : []);
  });
}
