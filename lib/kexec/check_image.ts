/** Judges a kernel image before it is loaded, by its headers and its release. */
import { arm64ImageProblem, parseArm64Image } from "./arm64_image.ts";
import { bannerRelease, findBanner } from "./banner.ts";
import { bzImageProblem, parseBzImage } from "./bzimage.ts";
import { type Architecture, describeFile } from "./file_kind.ts";
import { peSections } from "./pe.ts";

export type { Architecture } from "./file_kind.ts";

/**
 * Why an image should not be loaded. `not_bootable`: kexec_file_load(2) refuses the image. `image_truncated`:
 * kexec_file_load(2) would load the image, and the machine would then hang or panic in the kexec and lose everything that was
 * preserved. `image_old`: the kernel is from before live update.
 */
export interface ImageProblem {
  /** Stable. */
  readonly code: "not_bootable" | "image_truncated" | "image_old";
  /** A clause: `it has no Linux boot header`. */
  readonly reason: string;
}

/** The result of `checkImage`. */
export interface ImageReport {
  /** uname's release of the kernel in the image, where the image has one. */
  readonly release?: string;
  /** An empty list: the image can be loaded and is whole. */
  readonly problems: readonly ImageProblem[];
}

/** Every header with its version string lies in the first bytes of the file, at most so many. */
export const IMAGE_HEAD_MAX: number = 256 * 512;

/** Reads `length` bytes of the image at `offset`; fewer at the end of the file. */
export type ReadImage = (offset: number, length: number) => Uint8Array;

/**
 * Judges a kernel image of `size` bytes before it is loaded. `read(offset, length)` gives bytes of the file, fewer at its end;
 * `machine` is the architecture of the machine that boots the image. Only headers are read, so damage after them is not noticed.
 */
export function checkImage(read: ReadImage, size: number, machine: Architecture = "x86_64"): ImageReport {
  const head = read(0, Math.min(size, IMAGE_HEAD_MAX));
  const { release, problem } = machine === "aarch64" ? arm64(head, read, size) : x86(head, size);
  const problems = [problem, oldRelease(release)].filter((one) => one !== undefined);
  return release === undefined ? { problems } : { release, problems };
}

interface Judgement {
  readonly release?: string | undefined;
  readonly problem?: ImageProblem;
}

function x86(head: Uint8Array, size: number): Judgement {
  const image = parseBzImage(head);
  const release = image?.kernel_version?.split(" ")[0] || undefined;
  const other = image === undefined ? describeFile(head, "x86_64") : undefined;
  const refused = other ?? bzImageProblem(image, size);
  if (refused !== undefined) return { release, problem: { code: "not_bootable", reason: refused } };
  if (image === undefined || size >= image.length) return { release };
  const reason = `the file has ${size} bytes and its header announces ${image.length}: it is cut off`;
  return { release, problem: { code: "image_truncated", reason } };
}

/**
 * An arm64 Image has no release in its header. How long the file is the table of its PE sections says: the last one ends with
 * the file (arch/arm64/kernel/efi-header.S). A kernel without EFI has no table.
 */
function arm64(head: Uint8Array, read: ReadImage, size: number): Judgement {
  const image = parseArm64Image(head);
  const other = image === undefined ? describeFile(head, "aarch64") : undefined;
  const refused = other ?? arm64ImageProblem(image);
  if (refused !== undefined) return { problem: { code: "not_bootable", reason: refused } };
  const banner = findBanner(read, size);
  const release = banner === undefined ? {} : { release: bannerRelease(banner) };
  const end = Math.max(0, ...(peSections(head) ?? []).map((section) => section.offset + section.size));
  if (size >= end) return release;
  const reason = `the file has ${size} bytes and its sections end at ${end}: it is cut off`;
  return { ...release, problem: { code: "image_truncated", reason } };
}

/** Live update came with 6.19. A release without a number says nothing. */
function oldRelease(release: string | undefined): ImageProblem | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release ?? "") ?? [];
  if (major === undefined || Number(major) * 1000 + Number(minor) >= 6019) return undefined;
  const reason = `its release, ${release}, is from before live update (6.19): every session would be lost`;
  return { code: "image_old", reason };
}
