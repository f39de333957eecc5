/** The images that cost most: each has as much of one thing as luo reads, and costs time or memory in another part of the reader. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { pack, repack, uki } from "./images.ts";

const MIB = 2 ** 20;
const ELF = "\x7fELF\0";

/** Undefined: the program that packs is not installed. */
type Make = (image: Uint8Array) => Promise<Uint8Array | undefined> | Uint8Array | undefined;

/** A bzImage with an unpacked kernel that consists of these words. */
function spelled(image: Uint8Array, words: string, times: number): Uint8Array {
  const kernel = Buffer.from(ELF + words.repeat(times), "latin1");
  return repack(image, kernel, kernel.length, false);
}

/** No packer makes these smaller. */
function noise(mib: number): Uint8Array {
  const bytes = new Uint8Array(mib * MIB);
  for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

async function packedTwice(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const once = await pack(bytes, "gzip");
  return once && await pack(once, "gzip");
}

export const WORST: Readonly<Record<string, Make>> = {
  async "empty bzip2 files, one after the other"() {
    const one = await pack(new Uint8Array(0), "bzip2");
    return one && Buffer.alloc(40 * MIB, one);
  },
  "lz4 blocks of one byte": () => {
    const bytes = Buffer.alloc(200 * MIB, Uint8Array.from([1, 0, 0, 0, 0]));
    bytes.writeUInt32LE(0x184c2102);
    return Buffer.concat([bytes.subarray(0, 4), bytes.subarray(5)]);
  },
  "lz4 files without a block": () => Buffer.alloc(200 * MIB, Uint8Array.from([2, 0x21, 0x4c, 0x18])),
  "noise in xz": () => pack(noise(100), "xz"),
  async "noise in xz in a UKI"() {
    const packed = await pack(noise(120), "xz");
    return packed && uki({ ".linux": packed });
  },
  "noise in gzip": () => pack(noise(150), "gzip"),
  "noise in gzip in gzip": () => packedTwice(noise(100)),
  "noise in zstd": () => pack(noise(150), "zstd"),
  async "zeros in bzip2"(image) {
    const packed = await pack(new Uint8Array(250 * MIB), "bzip2");
    return packed && repack(image, packed, 250 * MIB, true);
  },
  async "noise in lzma"(image) {
    const packed = await pack(noise(20), "lzma");
    return packed && repack(image, packed, 20 * MIB, true);
  },
  "names of formats": (image) => {
    const names = Array.from({ length: 3_000_000 }, (_, index) => `a${index.toString(36)}-v1\0`);
    return spelled(image, names.join(""), 1);
  },
  "a name without an end": (image) => spelled(image, "a-v1", 20 * MIB),
  "a version without an end": (image) => spelled(image, `a-v${"1".repeat(60 * MIB)}`, 1),
  "beginnings of a banner": (image) => spelled(image, "Linux version ", 5 * MIB),
  "a configuration of half a million options": (image) => {
    const options = Array.from({ length: 500_000 }, (_, index) => `CONFIG_${index.toString(36)}=y`);
    const config = gzipSync(options.join("\n"));
    const kernel = Buffer.concat([Buffer.from(`${ELF}IKCFG_ST`), config, Buffer.from("IKCFG_ED")]);
    return repack(image, kernel, kernel.length, false);
  },
  "a UKI with a large initrd": (image) => uki({ ".linux": image, ".initrd": new Uint8Array(220 * MIB) }),
  "a file that is too large": (image) => uki({ ".linux": image, ".initrd": new Uint8Array(300 * MIB) }),
};
