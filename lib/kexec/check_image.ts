import { arm64ImageProblem, parseArm64Image } from "./arm64_image.ts";
import { bzImageProblem, parseBzImage } from "./bzimage.ts";

/** uname's `machine` of the kernels that can be judged. */
export type Architecture = "x86_64" | "aarch64";

/**
 * What is wrong with an image. `not_bootable`: kexec_file_load(2) refuses it. `truncated`: the kernel would load it with 0 all
 * the same, and the machine would hang or panic on the way, with everything that was preserved.
 */
export interface ImageProblem {
  readonly kind: "not_bootable" | "truncated";
  /** A clause: `it has no Linux boot header`. */
  readonly reason: string;
}

export interface ImageReport {
  /** uname's release of the kernel in it, when the header tells. */
  readonly release?: string;
  /** None: it can be loaded and is whole. */
  readonly problems: readonly ImageProblem[];
}

/** Bytes from the start of a file in which every header lies with its version string. */
export const IMAGE_HEAD_MAX = 256 * 512;

/**
 * Judges a kernel image of `size` bytes before it is loaded. `read(offset, length)` gives bytes of the file, fewer at its end;
 * `machine` is the one it is for. Only the headers are read: that the rest is undamaged cannot be told.
 */
export function checkImage(
  read: (offset: number, length: number) => Uint8Array,
  size: number,
  machine: Architecture = "x86_64",
): ImageReport {
  const head = read(0, Math.min(size, IMAGE_HEAD_MAX));
  if (machine === "aarch64") return report(arm64ImageProblem(parseArm64Image(head)));
  const image = parseBzImage(head);
  const release = image?.kernel_version?.split(" ")[0] || undefined;
  const refused = bzImageProblem(image, size);
  if (refused !== undefined || image === undefined || size >= image.length) return report(refused, release);
  const reason = `the file has ${size} bytes and its header announces ${image.length}: it is cut off`;
  return { release, problems: [{ kind: "truncated", reason }] };
}

function report(refused: string | undefined, release?: string): ImageReport {
  const problems = refused === undefined ? [] : [{ kind: "not_bootable", reason: refused } as const];
  return release === undefined ? { problems } : { release, problems };
}
