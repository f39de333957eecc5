/** The compressions of kernels, which are recognized by the first bytes of a file. */

export type Compression = "gzip" | "xz" | "zstd" | "lz4" | "lzma" | "lzo" | "bzip2";

/** As lib/decompress.c has them, and the frames of the lz4 and lzma command-line tools. */
const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["lz4", [0x02, 0x21, 0x4c, 0x18]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["lzma", [0x5d, 0x00, 0x00]],
  ["lzo", [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** The compression of what begins with these bytes, or undefined when no compression is recognized. */
export function compressionOf(bytes: Uint8Array): Compression | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, at) => bytes[at] === byte))?.[0];
}

/** The command that unpacks a file of this compression to standard output. */
export const UNPACK: Readonly<Record<Compression, string>> = {
  gzip: "gzip -dc",
  xz: "xz -dc",
  zstd: "zstd -dc",
  lz4: "lz4 -dc",
  lzma: "xz -dc --format=lzma",
  lzo: "lzop -dc",
  bzip2: "bzip2 -dc",
};
