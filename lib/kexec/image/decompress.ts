/** Unpacks all compressions that kernels use. A library that Deno does not have is loaded only when an image needs it. */
import type { Buffer } from "node:buffer";
import type { Compression } from "../compression.ts";
import { ImageError } from "./image_error.ts";
import { unpackLz4 } from "./lz4.ts";
import { unpackLzo } from "./lzo.ts";
import { unpackXz } from "./xz.ts";

/** More than any kernel has. A kernel with all drivers built in unpacks to some 100 MiB. */
export const UNPACKED_MAX: number = 256 << 20;

/** @throws ImageError */
export async function decompress(
  packed: Uint8Array,
  compression: Compression,
  limit: number = UNPACKED_MAX,
): Promise<Uint8Array> {
  switch (compression) {
    case "gzip":
    case "zstd":
      return await unpackByZlib(packed, compression, limit);
    case "xz":
      return await unpackXz(packed, limit);
    case "lz4":
      return unpackLz4(packed, limit);
    case "lzma":
      return await unpackLzma(packed, limit);
    case "bzip2":
      return await unpackBzip2(packed, limit);
    case "lzo":
      return unpackLzo(packed, limit);
  }
}

async function unpackByZlib(
  packed: Uint8Array,
  compression: "gzip" | "zstd",
  maxOutputLength: number,
): Promise<Uint8Array> {
  const { gunzipSync, zstdDecompressSync } = await import("node:zlib");
  try {
    const unpack = compression === "gzip" ? gunzipSync : zstdDecompressSync;
    return bytesOf(unpack(packed, { maxOutputLength }));
  } catch (error) {
    throw refused(error, compression, maxOutputLength);
  }
}

function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function refused(error: unknown, compression: Compression, limit: number): ImageError {
  if (error instanceof ImageError) return error;
  if (error instanceof RangeError) return tooLarge(limit);
  return new ImageError("damaged", `its ${compression} data is damaged`);
}

function tooLarge(limit: number): ImageError {
  return new ImageError("too_large", `it unpacks to more than ${limit} bytes`);
}

/** Offset of the unpacked size in a .lzma file; all ones: the data ends with a mark. */
const LZMA_SIZE = 5;
const LZMA_HEADER = 13;

async function unpackLzma(packed: Uint8Array, limit: number): Promise<Uint8Array> {
  if (packed.length < LZMA_HEADER) throw new ImageError("damaged", "its lzma data is damaged");
  const { decompress: unpack } = await import("lzma1");
  const file = packed.slice();
  const view = new DataView(file.buffer);
  const size = view.getBigUint64(LZMA_SIZE, true);
  const unknown = size === 2n ** 64n - 1n;
  if (!unknown && size > BigInt(limit)) throw tooLarge(limit);
  // The decoder stops at this size, or earlier at the end mark: so the size is a limit.
  if (unknown) view.setBigUint64(LZMA_SIZE, BigInt(limit) + 1n, true);
  try {
    const bytes = unpack(file);
    if (bytes.length <= limit) return bytes;
  } catch (error) {
    throw refused(error, "lzma", limit);
  }
  throw tooLarge(limit);
}

async function unpackBzip2(packed: Uint8Array, limit: number): Promise<Uint8Array> {
  const [{ default: library }, { Buffer }] = await Promise.all([import("seek-bzip"), import("node:buffer")]);
  let bytes = new Uint8Array(1 << 20);
  let length = 0;
  const writeByte = (byte: number) => {
    if (length === limit) throw tooLarge(limit);
    if (length === bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(bytes);
      bytes = larger;
    }
    bytes[length++] = byte;
  };
  try {
    library.decode(Buffer.from(packed), { writeByte });
    return bytes.subarray(0, length);
  } catch (error) {
    throw refused(error, "bzip2", limit);
  }
}
