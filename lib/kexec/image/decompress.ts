/** Unpacks what kernels are packed with; a library that Deno does not have is loaded only when an image needs it. */
import type { Buffer } from "node:buffer";
import type { Compression } from "../compression.ts";
import { ImageError } from "./image_error.ts";
import { unpackLz4 } from "./lz4.ts";
import { unpackXz } from "./xz.ts";

/** More than any kernel has. A kernel with all drivers built in unpacks to some 100 MiB. */
export const UNPACKED_MAX = 256 << 20;

/** @throws ImageError `damaged`, `too_large`, `unsupported` */
export async function decompress(
  packed: Uint8Array,
  compression: Compression,
  limit = UNPACKED_MAX,
): Promise<Uint8Array> {
  switch (compression) {
    case "gzip":
    case "zstd":
      return await unpackByZlib(packed, compression, limit);
    case "xz":
      return await unpackXz(packed, limit);
    case "lz4":
      return unpackLz4(packed, limit);
    default:
      throw new ImageError("unsupported", `it is packed with ${compression}, which is not read here`);
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
