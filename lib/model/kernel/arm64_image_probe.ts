/** Checks a kernel image as arm64 Linux does: image_probe() and image_load() of arch/arm64/kernel/kexec_image.c. */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret } from "../../system_calls.ts";
import type { Segment } from "./kexec_segments.ts";

/** Offsets of `struct arm64_image_header` (Documentation/arch/arm64/booting.rst). */
const [TEXT_OFFSET, IMAGE_SIZE, MAGIC, HEADER_SIZE] = [8, 16, 56, 64];
/** MIN_KIMG_ALIGN. */
const ALIGNMENT = 2 << 20;
/** The device tree for the next kernel. It does not cross 2 MiB. */
const DEVICE_TREE: Segment = { bytes: 64 << 10, alignment: ALIGNMENT };

/** COMMAND_LINE_SIZE of arch/arm64. The kernel loads a longer line, and the next kernel cuts it off. */
export const ARM64_COMMAND_LINE_SIZE = 2048;

/** Returns 0 or -EINVAL: the only loader of arm64 says that of every file without its magic. */
export function probe_arm64(image: Uint8Array): Ret {
  if (image.length < HEADER_SIZE) return -Errno.EINVAL;
  const magic = new DataView(image.buffer, image.byteOffset, image.byteLength).getUint32(MAGIC, false);
  return magic === 0x41524d64 ? 0 : -Errno.EINVAL; // "ARM\x64"
}

/** The loader's own check: an image from before Linux 3.17 does not say how much memory it needs. */
export function check_load_arm64(image: Uint8Array): Ret {
  return number(image, IMAGE_SIZE) === 0 ? -Errno.EINVAL : 0;
}

/** The segments beside the initramfs: the kernel, and a device tree. Linux passes KHO's two addresses in its node `chosen`. */
export function segments_arm64(image: Uint8Array): Segment[] {
  const bytes = number(image, IMAGE_SIZE) + number(image, TEXT_OFFSET);
  return [{ bytes, alignment: ALIGNMENT }, DEVICE_TREE];
}

function number(image: Uint8Array, offset: number): number {
  return Number(new DataView(image.buffer, image.byteOffset, image.byteLength).getBigUint64(offset, true));
}

/** uname's release: the header has none, and the first banner of the kernel has it. `read` gives bytes, fewer at the end. */
export function release_arm64(read: (offset: number, length: number) => Uint8Array): string | undefined {
  const [piece, longest] = [1 << 20, 128];
  const decoder = new TextDecoder("latin1");
  for (let offset = 0;; offset += piece) {
    const bytes = read(offset, piece + longest);
    const release = /Linux version (\d[^ \0\n]*) /.exec(decoder.decode(bytes))?.[1];
    if (release !== undefined || bytes.length <= piece) return release;
  }
}
