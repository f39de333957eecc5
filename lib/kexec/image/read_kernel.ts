/** Reads what a kernel image says about itself: release, handover formats, configuration. */
import { parseArm64Image } from "../arm64_image.ts";
import { bannerRelease, findBanner } from "../banner.ts";
import type { Compression } from "../compression.ts";
import type { Architecture } from "../file_kind.ts";
import { UNPACKED_MAX } from "./decompress.ts";
import { embeddedConfig, type KernelConfig } from "./embedded_config.ts";
import { handoverFormats } from "./handover_formats.ts";
import { ImageError } from "./image_error.ts";
import { Budget, UNPACK_MS } from "./sink.ts";
import type { Uki } from "./uki.ts";
import { unwrap } from "./unwrap.ts";
import { unpackBzImage } from "./x86_payload.ts";

export interface KernelFacts {
  readonly architecture: Architecture;
  /** The wrappings of the image, the outermost first: `gzip`, `uki`, `zboot (zstd)`. kexec_file_load(2) takes none of these. */
  readonly wraps: readonly string[];
  /** The compression of the kernel inside a bzImage. */
  readonly compression?: Compression | undefined;
  /** `Linux version 7.3.4 (user@host) ...`. */
  readonly banner?: string | undefined;
  /** uname's release. */
  readonly release?: string | undefined;
  /** Names of handover formats, `kho-v4`, and of other things that have the same form. */
  readonly formats: readonly string[];
  /** Undefined: the kernel was built without CONFIG_IKCONFIG. */
  readonly config?: KernelConfig | undefined;
}

/** The image without what it was wrapped in, and what the kernel in it says. */
export interface ReadImage {
  readonly wraps: readonly string[];
  /** The image that kexec_file_load(2) takes: a bzImage or an arm64 Image. */
  readonly kernel: Uint8Array;
  readonly uki?: Uki | undefined;
  /** An error: the kernel in the image cannot be unpacked. */
  readonly facts: KernelFacts | ImageError;
}

/** @param file the whole image; @throws ImageError what cannot be read */
export async function readKernel(file: Uint8Array): Promise<KernelFacts> {
  const { facts } = await readImage(file);
  if (facts instanceof ImageError) throw facts;
  return facts;
}

/** @param file the whole image; @throws ImageError it is no kernel, or wrapped in a way that cannot be undone */
export async function readImage(
  file: Uint8Array,
  unpackedMax: number = UNPACKED_MAX,
  time_ms: number = UNPACK_MS,
): Promise<ReadImage> {
  const budget = new Budget(Math.min(unpackedMax, UNPACKED_MAX), time_ms);
  const { wraps, kernel, uki } = await unwrap(file, budget);
  try {
    return { wraps, kernel, uki, facts: { ...await factsOf(kernel, budget), wraps } };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { wraps, kernel, uki, facts: error };
  }
}

async function factsOf(image: Uint8Array, budget: Budget): Promise<Omit<KernelFacts, "wraps">> {
  const arm64 = parseArm64Image(image) !== undefined;
  const { compression, kernel } = arm64
    ? { compression: undefined, kernel: image }
    : await unpackBzImage(image, budget);
  const banner = findBanner((offset, length) => kernel.subarray(offset, offset + length), kernel.length);
  return {
    architecture: arm64 ? "aarch64" : "x86_64",
    compression,
    banner,
    release: banner === undefined ? undefined : bannerRelease(banner),
    formats: handoverFormats(kernel),
    config: await embeddedConfig(kernel),
  };
}
