/** Reads what a kernel image says about itself: release, handover formats, configuration. */
import { parseArm64Image } from "../arm64_image.ts";
import { bannerRelease, findBanner } from "../banner.ts";
import type { Compression } from "../compression.ts";
import type { Architecture } from "../file_kind.ts";
import { embeddedConfig, type KernelConfig } from "./embedded_config.ts";
import { handoverFormats } from "./handover_formats.ts";
import { unwrap } from "./unwrap.ts";
import { unpackBzImage } from "./x86_payload.ts";

export interface KernelFacts {
  readonly architecture: Architecture;
  /** The wrappings of the image, the outermost first: `gzip`, `uki`, `zboot (zstd)`. kexec_file_load(2) takes none of these. */
  readonly wraps: readonly string[];
  /** The compression of the kernel inside a bzImage. */
  readonly compression?: Compression;
  /** `Linux version 7.3.4 (user@host) ...`. */
  readonly banner?: string;
  /** uname's release. */
  readonly release?: string;
  /** Names of handover formats, `kho-v4`, and of other things that have the same form. */
  readonly formats: readonly string[];
  /** Undefined: the kernel was built without CONFIG_IKCONFIG. */
  readonly config?: KernelConfig;
}

/** @param file the whole image; @throws ImageError what cannot be read */
export async function readKernel(file: Uint8Array): Promise<KernelFacts> {
  const { wraps, kernel: image } = await unwrap(file);
  const arm64 = parseArm64Image(image) !== undefined;
  const { compression, kernel } = arm64
    ? { compression: undefined, kernel: image }
    : await unpackBzImage(image);
  const banner = findBanner((offset, length) => kernel.subarray(offset, offset + length), kernel.length);
  return {
    architecture: arm64 ? "aarch64" : "x86_64",
    wraps,
    compression,
    banner,
    release: banner === undefined ? undefined : bannerRelease(banner),
    formats: handoverFormats(kernel),
    config: await embeddedConfig(kernel),
  };
}
