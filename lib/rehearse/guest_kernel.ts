/** A kernel that the guest boots or loads, taken out of what it is wrapped in, as `luo kexec load` does it. */
import { openKernelFile } from "../files/kernel_file.ts";
import { parseArm64Image } from "../kexec/arm64_image.ts";
import { parseBzImage } from "../kexec/bzimage.ts";
import { checkImage } from "../kexec/check_image.ts";
import type { Architecture } from "../kexec/file_kind.ts";
import { ImageError } from "../kexec/image/image_error.ts";
import { readImageFile } from "../kexec/image/image_file.ts";

/** Processor time for unpacking, as for `luo kexec load`. */
const UNPACK_MS = 60_000;

export interface GuestKernel {
  /** The path of the image. */
  readonly path: string;
  /** A bzImage or an arm64 Image, when nothing is wrong. */
  readonly bytes: Uint8Array;
  /** This host's, when the file is no kernel. */
  readonly architecture: Architecture;
  readonly release?: string | undefined;
  /** The initramfs in a unified kernel image. */
  readonly initrd?: Uint8Array | undefined;
  /** Why nothing can boot it: a clause. `unread`: luo cannot read it, and it may be a kernel. */
  readonly problem?: { readonly unread: boolean; readonly reason: string } | undefined;
}

/** @throws LuoError `read` */
export async function guestKernel(path: string): Promise<GuestKernel> {
  using file = openKernelFile(path);
  const { kernel: bytes, facts, uki, wraps } = await readImageFile(file, UNPACK_MS);
  const architecture = parseArm64Image(bytes) !== undefined
    ? "aarch64"
    : parseBzImage(bytes) !== undefined
    ? "x86_64"
    : Deno.build.arch;
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  const report = checkImage(read, bytes.length, architecture);
  const broken = report.problems.find(({ code }) => code === "not_bootable")?.reason;
  // The file is too large: only its beginning was read.
  const cut = facts instanceof ImageError && wraps.length === 0 && bytes.length < file.size;
  const problem = cut
    ? { unread: true, reason: facts.reason }
    : broken === undefined
    ? undefined
    : { unread: false, reason: broken };
  const release = facts instanceof ImageError ? report.release : facts.release;
  return { path, bytes, architecture, release, initrd: uki?.initrd, problem };
}
