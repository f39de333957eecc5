/** Takes a kernel out of its wrappings: a compressed file, a unified kernel image, an EFI zboot image. */
import { parseArm64Image } from "../arm64_image.ts";
import { parseBzImage } from "../bzimage.ts";
import { type Compression, compressionOf } from "../compression.ts";
import { describeFile } from "../file_kind.ts";
import { decompress } from "./decompress.ts";
import { ImageError } from "./image_error.ts";
import type { Budget } from "./sink.ts";
import { type Uki, ukiOf } from "./uki.ts";

/** A UKI with a zboot image in it, the whole in a gzip file, is three deep. */
const DEPTH_MAX = 4;

export interface Unwrapped {
  /** The wrappings that were taken off, the outermost first: `gzip`, `uki`, `zboot (zstd)`. */
  readonly wraps: readonly string[];
  /** A bzImage or an arm64 Image. */
  readonly kernel: Uint8Array;
  /** The other parts of the UKI that the kernel was in. */
  readonly uki?: Uki | undefined;
}

/** @throws ImageError */
export async function unwrap(file: Uint8Array, budget: Budget): Promise<Unwrapped> {
  const wraps: string[] = [];
  let kernel = file;
  let uki: Uki | undefined;
  while (parseBzImage(kernel) === undefined && parseArm64Image(kernel) === undefined) {
    if (wraps.length === DEPTH_MAX) throw new ImageError("unsupported", "it is wrapped too often");
    const peeled = await peel(kernel, budget);
    uki ??= peeled.uki;
    wraps.push(peeled.name);
    kernel = peeled.inner;
  }
  return { wraps, kernel, uki };
}

interface Peeled {
  readonly name: string;
  readonly inner: Uint8Array;
  readonly uki?: Uki | undefined;
}

async function peel(bytes: Uint8Array, budget: Budget): Promise<Peeled> {
  const compression = compressionOf(bytes);
  if (compression !== undefined) {
    return { name: compression, inner: await decompress(bytes, compression, budget) };
  }
  const zboot = zbootPayload(bytes);
  if (zboot !== undefined) {
    const inner = await decompress(zboot.payload, zboot.compression, budget);
    return { name: `zboot (${zboot.compression})`, inner };
  }
  const uki = ukiOf(bytes);
  if (uki !== undefined) return { name: "uki", inner: uki.linux, uki };
  throw new ImageError("unsupported", describeFile(bytes, "x86_64") ?? "it is no kernel");
}

/** The header of drivers/firmware/efi/libstub/zboot-header.S: `zimg`, offset, size, and the compression's name. */
const ZBOOT = { magic: 4, offset: 8, size: 12, compression: 24 } as const;
const NAMES: Readonly<Record<string, Compression>> = {
  gzip: "gzip",
  zstd: "zstd",
  xzkern: "xz",
  lz4: "lz4",
  lzma: "lzma",
  lzo: "lzo",
};

function zbootPayload(bytes: Uint8Array): { payload: Uint8Array; compression: Compression } | undefined {
  if (bytes.length < 64) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, false) !== 0x4d5a || view.getUint32(ZBOOT.magic, false) !== 0x7a696d67) {
    return undefined;
  }
  const [offset, size] = [view.getUint32(ZBOOT.offset, true), view.getUint32(ZBOOT.size, true)];
  if (offset + size > bytes.length) throw new ImageError("damaged", "its payload ends after the file");
  const name = new TextDecoder("latin1").decode(bytes.subarray(ZBOOT.compression, 56)).replace(/\0.*$/s, "");
  const compression = NAMES[name];
  if (compression === undefined) {
    throw new ImageError("unsupported", `it is packed with ${JSON.stringify(name)}`);
  }
  return { payload: bytes.subarray(offset, offset + size), compression };
}
