/** Reads kernel images: real ones, the same wrapped and packed anew, and damaged ones. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { compress } from "lzma1";
import { compressionOf } from "../../lib/kexec/compression.ts";
import { parseConfig } from "../../lib/kexec/image/embedded_config.ts";
import { decompress } from "../../lib/kexec/image/decompress.ts";
import { handoverFormats } from "../../lib/kexec/image/handover_formats.ts";
import { ImageError } from "../../lib/kexec/image/image_error.ts";
import { unpackLzo } from "../../lib/kexec/image/lzo.ts";
import { unpackLz4 } from "../../lib/kexec/image/lz4.ts";
import { Budget, Sink } from "../../lib/kexec/image/sink.ts";
import { unpackXz, xzFile } from "../../lib/kexec/image/xz.ts";
import { type KernelFacts, readKernel } from "../../lib/kexec/image/read_kernel.ts";

const text = (words: string) => new TextEncoder().encode(words);

/** A small kernel proper: what the reader looks for, among other bytes. */
const VMLINUX = Buffer.concat([
  text("\x7fELF"),
  new Uint8Array(3000).map((_, at) => (at * 29) & 0xff),
  text("\0Linux version %s (%s)\n\0Linux version 7.3.4-made (me@here) #1\n\0\0kho-v4\0luo-v5\0"),
  new Uint8Array([0xff]),
  text("memfd-v2\0xkho-v9 \0kho-v8x\0"),
  text("IKCFG_ST"),
  gzipSync("CONFIG_LIVEUPDATE=y\n# CONFIG_X is not set\n"),
  text("IKCFG_EDend"),
]);

async function unpacked(unpack: (sink: Sink) => void | Promise<void>): Promise<Uint8Array> {
  const sink = new Sink(new Budget(1 << 24));
  await unpack(sink);
  return sink.finish();
}

type Pack = (bytes: Uint8Array) => Uint8Array;

/** An xz file of LZMA2 chunks that are stored as they are; the first resets the dictionary. */
function xz(bytes: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 0x10000) {
    const piece = bytes.subarray(at, at + 0x10000);
    const size = piece.length - 1;
    chunks.push(new Uint8Array([at === 0 ? 1 : 2, size >> 8, size & 0xff]), piece);
  }
  return Buffer.concat(xzFile(Buffer.concat([...chunks, new Uint8Array(1)]), 18, bytes.length));
}

/** lz4's legacy frame with one block of literals only. */
function lz4(bytes: Uint8Array): Uint8Array {
  const run: number[] = [];
  for (let left = bytes.length - 15; left >= 0; left -= 255) run.push(Math.min(left, 255));
  if (run.at(-1) === 255) run.push(0);
  const block = Buffer.concat([new Uint8Array([0xf0, ...run]), bytes]);
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0x184c2102, true);
  view.setUint32(4, block.length, true);
  return Buffer.concat([head, block]);
}

/** With the unpacked size, as the kernel's Makefile appends it. */
const sized = (packed: Uint8Array) =>
  Buffer.concat([packed, new Uint8Array(new Uint32Array([VMLINUX.length]).buffer)]);

const PACKS: Readonly<Record<string, Pack>> = {
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => sized(zstdCompressSync(bytes)),
  xz: (bytes) => sized(xz(bytes)),
  lz4: (bytes) => sized(lz4(bytes)),
  lzma: (bytes) => sized(compress(bytes)),
  none: (bytes) => bytes,
};

/** A bzImage around a packed kernel. */
function bzImage(payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(2048);
  const view = new DataView(head.buffer);
  view.setUint8(0x1f1, 1);
  view.setUint16(0x1fe, 0xaa55, true);
  head.set(text("HdrS"), 0x202);
  view.setUint32(0x248, 1024, true);
  view.setUint32(0x24c, payload.length, true);
  return Buffer.concat([head, payload, new Uint8Array(100)]);
}

/** A UKI: the kernel is its section .linux, padded to 512 bytes. */
function uki(kernel: Uint8Array): Uint8Array {
  const head = new Uint8Array(1024);
  const view = new DataView(head.buffer);
  head.set(text("MZ"));
  view.setUint32(0x3c, 0x80, true);
  head.set(text("PE\0\0"), 0x80);
  view.setUint16(0x86, 2, true);
  for (const [at, name] of [[0x98, ".osrel"], [0xc0, ".linux"]] as const) head.set(text(name), at);
  view.setUint32(0xc0 + 8, kernel.length, true);
  view.setUint32(0xc0 + 16, Math.ceil(kernel.length / 512) * 512, true);
  view.setUint32(0xc0 + 20, head.length, true);
  return Buffer.concat([head, kernel, new Uint8Array(512)]);
}

function zboot(payload: Uint8Array, compression: string): Uint8Array {
  const head = new Uint8Array(512);
  const view = new DataView(head.buffer);
  head.set(text("MZ\0\0zimg"));
  view.setUint32(8, head.length, true);
  view.setUint32(12, payload.length, true);
  head.set(text(compression), 24);
  return Buffer.concat([head, payload]);
}

function arm64(kernel: Uint8Array): Uint8Array {
  const head = new Uint8Array(64);
  new DataView(head.buffer).setBigUint64(16, 0x10000n, true);
  head.set(text("ARM\x64"), 56);
  return Buffer.concat([head, kernel]);
}

function verdict({ release, formats, config }: KernelFacts) {
  return { release, formats, liveupdate: config?.get("CONFIG_LIVEUPDATE"), options: config?.size };
}

const MADE = {
  release: "7.3.4-made",
  formats: ["kho-v4", "luo-v5", "memfd-v2"],
  liveupdate: "y",
  options: 1,
};

for (const [name, pack] of Object.entries(PACKS)) {
  Deno.test(`a bzImage packed with ${name}`, async () => {
    const facts = await readKernel(bzImage(pack(VMLINUX)));
    assert.deepEqual(verdict(facts), MADE);
    assert.equal(facts.compression ?? "none", name);
    assert.deepEqual([facts.architecture, facts.wraps], ["x86_64", []]);
  });
}

const WRAPPED: readonly (readonly [wraps: readonly string[], make: () => Uint8Array])[] = [
  [["gzip"], () => gzipSync(bzImage(gzipSync(VMLINUX)))],
  [["xz"], () => xz(bzImage(gzipSync(VMLINUX)))],
  [["uki"], () => uki(bzImage(gzipSync(VMLINUX)))],
  [[], () => arm64(VMLINUX)],
  [["gzip"], () => gzipSync(arm64(VMLINUX))],
  [["zboot (gzip)"], () => zboot(gzipSync(arm64(VMLINUX)), "gzip")],
  [["zboot (zstd)"], () => zboot(zstdCompressSync(arm64(VMLINUX)), "zstd")],
  [["zboot (xz)"], () => zboot(xz(arm64(VMLINUX)), "xzkern")],
  [["zstd", "uki", "zboot (gzip)"], () => zstdCompressSync(uki(zboot(gzipSync(arm64(VMLINUX)), "gzip")))],
];
for (const [wraps, make] of WRAPPED) {
  Deno.test(`wrapped: ${wraps.join(", ") || "not at all"}`, async () => {
    const facts = await readKernel(make());
    assert.deepEqual(facts.wraps, wraps);
    assert.deepEqual(verdict(facts), MADE);
  });
}

async function failure(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "read";
  } catch (error) {
    if (error instanceof ImageError) return `${error.code}: ${error.reason}`;
    throw error;
  }
}

/** 18159 bytes, names between noise and zeros, packed with `lzop -9`. */
const LZO = Uint8Array.fromBase64(
  "iUxaTwANChoKEEAgoAlAAwkDAAANAACBpGsHiNwAAAAAADiYBHEAAEbvAAABF4vcp8pC7b+IRl8Dre0pqxTCVufYUFZ5GjhDIMQ0lWhy1yyIa8uPrhZm" +
    "AtIcwSBsdW8tdjVraFUANK0BILABKhQAoAO0AAVtZW1mZC12MjB8ACpFACArLAExlAEwyADgCziZASAw6AAsmAA0NADsESrdACAsqQAgMGgCJ4QANFAB" +
    "LFQAAAMcDcPb/rF/Idl2Mc2+vUeUV4QPGQAgAACcAgBhYiAFBAABWIZUACAAAAAAAAAA5gAAIAAAAAAAAADmAAAgAAAAAAAAAOYAACAAAAAAAAAA5gAA" +
    "IAAAAAAAAADmAAAgAAAAAAAAAOYAACAAAAAAAAAA5gAAIAAAAAAAAADmAAAgAABIAAACPUsGGB8QBXQZFhIW5moRAAAAAAAA",
);

const onion = (times: number): Uint8Array => times === 0 ? arm64(VMLINUX) : gzipSync(onion(times - 1));
const REFUSED: readonly (readonly [what: string, file: () => Uint8Array, why: RegExp])[] = [
  ["nothing", () => new Uint8Array(0), /^unsupported: the file is empty/],
  ["text", () => text("#!/bin/sh\n"), /^unsupported: it is a text file/],
  [
    "a payload after the end",
    () => bzImage(gzipSync(VMLINUX)).subarray(0, 2100),
    /^damaged: its payload ends at/,
  ],
  ["a payload of noise", () => bzImage(new Uint8Array(100).fill(7)), /^unsupported: its payload/],
  ["gzip that is cut", () => bzImage(gzipSync(VMLINUX).subarray(0, 100)), /^damaged: its gzip data/],
  [
    "zstd that is cut",
    () => bzImage(zstdCompressSync(VMLINUX).subarray(0, 100)),
    /^damaged: its payload unpacks to/,
  ],
  ["lzo that is cut", () => bzImage(sized(LZO.subarray(0, 100))), /^damaged: its lzo data/],
  ["lzma that is cut", () => bzImage(compress(VMLINUX).subarray(0, 100)), /^damaged: its/],
  ["five times gzip", () => onion(5), /^unsupported: it is wrapped too often/],
  [
    "a UKI that is cut",
    () => uki(bzImage(VMLINUX)).subarray(0, 1500),
    /^damaged: its section .linux ends after/,
  ],
];
for (const [what, file, why] of REFUSED) {
  Deno.test(`cannot be read: ${what}`, async () =>
    assert.match(await failure(() => readKernel(file())), why));
}

Deno.test("what unpacks to more than the limit is not unpacked", async () => {
  const zeros = new Uint8Array(1 << 20);
  const packed = {
    gzip: gzipSync(zeros),
    zstd: zstdCompressSync(zeros),
    xz: xz(zeros),
    lz4: lz4(zeros),
    lzma: compress(zeros),
    "lzma of unknown size": compress(zeros).fill(0xff, 5, 13),
    bzip2: Uint8Array.fromBase64("QlpoOTFBWSZTWThXHOUACAhAAMAEAAggADDMBSmmCAbEIB4u5IpwoSBwrjnK"),
  };
  for (const [name, bytes] of Object.entries(packed)) {
    const compression = compressionOf(bytes) ?? "lzo";
    assert.deepEqual(await decompress(bytes, compression, new Budget(zeros.length)), zeros, name);
    assert.match(
      await failure(() => decompress(bytes, compression, new Budget(zeros.length - 1))),
      /^too_large/,
      name,
    );
  }
});

/** 504 bytes with calls and jumps close together, packed with `xz --check=crc32 --x86 --lzma2=preset=9e`. */
const CODE = Uint8Array.fromBase64(
  "/Td6WFoAAAFpIt42AgEEACEBHACHbtrl4AH3ARhdAHSP/BoOZ95DXlbNNcYKXS5irkQQSU6Vw8ImT1RRLECZ+3PZbQtoiS3z7H0t2OaaoZ4xmNEmSS8w" +
    "pqErhmgTgbD8k37+VPOiHfNb+WO81yP2nSFBSfMRSkzuSMLbNIvxES4BCDATl579ZsBrUyAtWYI6fEoG63sZifYP3qh8OQBFZVw1DedQ2hfulLkK4puB" +
    "18k5BEG3PZ6GD63OYmdqC5kNBe+5zTNJdrT1T/tyX+0y+KquMtw4Kn2KGNdwdIFYwDdGZOvQSTBSsdMjsl3eapHjo614iCo38Ye5H7KukD03vXxQlJ8w" +
    "nmM89zQ1IgLlEptUaP926pZ7Hp0XGJXhpU16kwKWb65aKhA0KuIBKnFrH2Rkw3+7QLMAyatG5QABsAL4AwAA2RTL4j4wDYsCAAAAAAFZWg==",
);

Deno.test("xz: the filter for machine code is undone", async () => {
  const code = await unpacked((sink) => unpackXz(CODE, sink));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(code)));
  assert.equal(digest.toHex(), "c89134349628aaa932ac4d60517f9b61e2380d303bc2f290e13afb14e7618821");
});

Deno.test("xz: every damaged byte of the data is noticed", async () => {
  // Byte 30 is the first of the range coder, which is always 0 and which decoders skip.
  for (let at = 24; at < CODE.length - 28; at += at === 29 ? 2 : 1) {
    const damaged = CODE.with(at, (CODE[at] ?? 0) ^ 0x10);
    assert.match(
      await failure(() => unpacked((sink) => unpackXz(damaged, sink))),
      /^(damaged|unsupported)/,
      `byte ${at}`,
    );
  }
});

Deno.test("lzo: literals and copies of every length", async () => {
  const bytes = await unpacked((sink) => unpackLzo(LZO, sink));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
  assert.equal(digest.toHex(), "983191aa83cf3b3ad6f313940b427ff7d97015a94cf222f1a9e46ac339735831");
  assert.match(await failure(() => decompress(LZO, "lzo", new Budget(18158))), /^too_large/);
});

Deno.test("lz4: copies of what was unpacked before, overlapping too", async () => {
  // "ab", then 4 + 6 bytes from 2 back; then the literals "!".
  const block = [0x26, 97, 98, 2, 0, 0x10, 33];
  const frame = new Uint8Array([0x02, 0x21, 0x4c, 0x18, block.length, 0, 0, 0, ...block]);
  assert.equal(new TextDecoder().decode(await unpacked((sink) => unpackLz4(frame, sink))), "abababababab!");
});

Deno.test("names of formats: whole strings only, lists taken apart, at the border of pieces too", () => {
  const kernel = new Uint8Array(2 << 20);
  kernel.set(text("\0kho-v4;kho-v5\0"), (1 << 20) - 5);
  kernel.set(text("\0vfio-pci-v1\0not-v2 \0Xluo-v7\0luo-v\0"), 100);
  assert.deepEqual(handoverFormats(kernel), ["kho-v4", "kho-v5", "vfio-pci-v1"]);
});

Deno.test("a configuration: what is set, without quotes", () => {
  const config = parseConfig('#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="a b"\nCONFIG_D=0x10\n');
  assert.deepEqual([...config], [["CONFIG_A", "y"], ["CONFIG_C", "a b"], ["CONFIG_D", "0x10"]]);
});

Deno.test("damaged images give a verdict or an error of ours", async () => {
  const images = [
    bzImage(gzipSync(VMLINUX)),
    bzImage(sized(lz4(VMLINUX))),
    bzImage(sized(zstdCompressSync(VMLINUX))),
    bzImage(sized(LZO)),
    bzImage(sized(compress(VMLINUX))),
    uki(bzImage(xz(VMLINUX))),
    zboot(gzipSync(arm64(VMLINUX)), "gzip"),
  ];
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255));
  const damage = fc.tuple(fc.constantFrom(...images), fc.array(change, { maxLength: 5 }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(damage, async ([image, changes, early]) => {
      const bytes = image.slice();
      // Headers are small: half of the damage is done there.
      for (const [where, value] of changes) {
        bytes[Math.floor(where * (early ? 700 : bytes.length - 1))] = value;
      }
      await failure(() => readKernel(bytes));
    }),
    { numRuns: 500 },
  );
});

/** Formats as tests/vm/README.md names them. */
const REAL: Readonly<Record<string, readonly [release: string, formats: readonly string[]]>> = {
  "bzImage-7.3.4-luo": ["7.3.4-luo", ["kho-v4", "luo-v5", "memfd-v2"]],
  "bzImage-7.2.12-luo": ["7.2.12-luo", ["kho-v4", "luo-v5", "memfd-v2"]],
  "bzImage-7.3.4-mismatch": ["7.3.4-luo", ["kho-v4", "luo-v4", "memfd-v2"]],
  "Image-7.3.4-luo-arm64": ["7.3.4-luo", ["kho-v4", "luo-v5", "memfd-v2"]],
};
const directory = Deno.env.get("LUO_TEST_KERNELS") ||
  new URL("../../../shared/kernel", import.meta.url).pathname;

for (const [name, [release, formats]] of Object.entries(REAL)) {
  const image = read(`${directory}/${name}`);
  Deno.test({
    name: `real image ${name}: ${formats.join(" ")}`,
    ignore: image === undefined,
    async fn() {
      const facts = await readKernel(image ?? new Uint8Array(0));
      assert.equal(facts.release, release);
      assert.deepEqual(facts.formats.filter((format) => /^(kho|luo|memfd)-/.test(format)), formats);
      assert.equal(facts.config?.get("CONFIG_LIVEUPDATE"), "y");
    },
  });
}

function read(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Packed with `lzop -9`: runs, repeats near and far. */
const LZOP = Uint8Array.fromBase64(
  "iUxaTwANChoKEEAgoAlAAwkDAAAJAACBpGsHir0AAAAAAWY8bAS3AAAVKAAAAJGn089lHGxpdmV1cGRhdGUgIACNKQAAIAAAAGUA" +
    "AAAfAwofQnOy/1rDOr9S86JfKgPq3+LzEj96wxp/8nMCn0oDyp+Cc3J/mmtoby12NABsdVoANQAgAHY0AChoFQE9b24gTAN4AAZt" +
    "ZW1mZC12MiCxBDuaADYgIABArQD/IAAAAAAAAADmAAAgAAAAmQAAILu8TREAAAAAAAA=",
);

Deno.test("lzo: what lzop packed, and every damaged length is noticed or harmless", async () => {
  const bytes = await unpacked((sink) => unpackLzo(LZOP, sink));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
  assert.equal(digest.toHex(), "76bbf3cbec4db9603f61fb589415294fad5fdcc86b799a217618b613ada9f7c9");
  for (let at = 9; at < LZOP.length; at++) {
    const damaged = LZOP.with(at, (LZOP[at] ?? 0) ^ 0x55);
    assert.match(
      await failure(() => unpacked((sink) => unpackLzo(damaged, sink))),
      /^(read|damaged)/,
      `byte ${at}`,
    );
  }
});
