/** Unpacks what kernels are packed with; a library that Deno does not have is loaded only when an image needs it. */
import type { Compression } from "../compression.ts";
import { unpackBzip2 } from "./bzip2.ts";
import { ImageError } from "./image_error.ts";
import { unpackLz4 } from "./lz4.ts";
import { unpackLzma } from "./lzma.ts";
import { unpackLzo } from "./lzo.ts";
import { piecesOf } from "./pieces.ts";
import { Budget, Sink } from "./sink.ts";
import { unpackXz } from "./xz.ts";

/** More than any kernel has. A kernel with all drivers built in unpacks to some 100 MiB. */
export const UNPACKED_MAX: number = 256 << 20;

/** @throws ImageError `damaged`, `too_large`, `too_slow`, `unsupported` */
export async function decompress(
  packed: Uint8Array,
  compression: Compression,
  budget: Budget = new Budget(UNPACKED_MAX),
): Promise<Uint8Array> {
  const sink = new Sink(budget);
  await unpack(packed, compression, sink);
  return sink.finish();
}

async function unpack(packed: Uint8Array, compression: Compression, sink: Sink): Promise<void> {
  switch (compression) {
    case "gzip":
    case "zstd":
      return await unpackByZlib(packed, compression, sink);
    case "xz":
      return await unpackXz(packed, sink);
    case "lz4":
      return unpackLz4(packed, sink);
    case "lzma":
      return unpackLzma(packed, sink);
    case "lzo":
      return unpackLzo(packed, sink);
    case "bzip2":
      return unpackBzip2(packed, sink);
  }
}

async function unpackByZlib(packed: Uint8Array, compression: "gzip" | "zstd", sink: Sink): Promise<void> {
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  const { Readable } = await import("node:stream");
  const unpacker = (compression === "gzip" ? createGunzip : createZstdDecompress)({ chunkSize: 1 << 20 });
  // A stream copies what it is given, so it gets a piece at a time.
  const source = Readable.from(piecesOf(packed));
  try {
    for await (const part of source.pipe(unpacker)) sink.push(part);
  } catch (error) {
    throw refused(error, compression);
  } finally {
    source.destroy();
    unpacker.destroy();
  }
}

function refused(error: unknown, compression: Compression): ImageError {
  if (error instanceof ImageError) return error;
  return new ImageError("damaged", `its ${compression} data is damaged`);
}
