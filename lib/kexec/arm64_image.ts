/** The header of an arm64 `Image` (Documentation/arch/arm64/booting.rst; `struct arm64_image_header`). Little-endian. */
const TEXT_OFFSET = 8;
const IMAGE_SIZE = 16;
const FLAGS = 24;
const MAGIC = 56;
const HEADER_SIZE = 64;

export interface Arm64Image {
  /** Bytes in memory, BSS included: the file is shorter. 0: older than Linux 3.17. */
  readonly image_size: bigint;
  readonly text_offset: bigint;
  readonly flags: bigint;
}

/** The header, or undefined for a file without one, such as a compressed kernel (`Image.gz`, EFI zboot). */
export function parseArm64Image(bytes: Uint8Array): Arm64Image | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(MAGIC, false) !== 0x41524d64) return undefined; // "ARM\x64"
  return {
    image_size: view.getBigUint64(IMAGE_SIZE, true),
    text_offset: view.getBigUint64(TEXT_OFFSET, true),
    flags: view.getBigUint64(FLAGS, true),
  };
}

/**
 * Why kexec_file_load(2) gives EINVAL for the image (image_probe() and image_load() of arch/arm64/kernel/kexec_image.c), or
 * undefined when the image can be loaded. Page size and endianness depend on the CPU and are not judged here.
 */
export function arm64ImageProblem(image: Arm64Image | undefined): string | undefined {
  if (image === undefined) return "it has no arm64 Image header";
  if (image.image_size === 0n) return "its header does not say how much memory it needs";
  return undefined;
}

/** The memory that image_load() of arch/arm64/kernel/kexec_image.c asks for; undefined for a file without the header. */
export function arm64Memory(bytes: Uint8Array): number | undefined {
  const image = parseArm64Image(bytes);
  return image && Number(image.image_size + image.text_offset);
}

/** A small arm64 Image that kexec_file_load(2) takes and that does not boot. Its banner tells the release. */
export function standInArm64Image({ release, formats = [] }: {
  release: string;
  formats?: readonly string[];
}): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x14000000, true); // b . : the CPU goes nowhere
  view.setBigUint64(IMAGE_SIZE, 0x10000n, true);
  view.setUint32(MAGIC, 0x41524d64, false);
  const text = `Linux version ${release} (stand-in, boots nowhere)\n\0${formats.join("\0")}\0`;
  bytes.set(new TextEncoder().encode(text).subarray(0, bytes.length - HEADER_SIZE), HEADER_SIZE);
  return bytes;
}
