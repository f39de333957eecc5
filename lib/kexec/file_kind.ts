/** Recognizes files that are no kernel image for kexec_file_load(2), so that the error names the mistake. */
import { parseArm64Image } from "./arm64_image.ts";
import { parseBzImage } from "./bzimage.ts";
import { compressionOf, UNPACK } from "./compression.ts";
import { peSections } from "./pe.ts";

/** uname's `machine` of the kernels that can be judged. */
export type Architecture = "x86_64" | "aarch64";

/**
 * A clause such as `it is a gzip file: unpack the kernel first (gzip -dc)`, or undefined for bytes that are not recognized.
 * `head` is the start of the file.
 */
export function describeFile(head: Uint8Array, machine: Architecture): string | undefined {
  if (head.length === 0) return "the file is empty";
  const compression = compressionOf(head);
  if (compression !== undefined) {
    return `it is a ${compression} file: unpack the kernel first (${UNPACK[compression]})`;
  }
  return otherArchitecture(head, machine) ?? efiProgram(head) ?? otherFormat(head);
}

function otherArchitecture(head: Uint8Array, machine: Architecture): string | undefined {
  if (machine === "x86_64" && parseArm64Image(head) !== undefined) {
    return "it is a kernel for arm64, and this machine is x86-64";
  }
  if (machine === "aarch64" && parseBzImage(head) !== undefined) {
    return "it is a kernel for x86, and this machine is arm64";
  }
  return undefined;
}

/** The kernel's drivers/firmware/efi/libstub/zboot-header.S writes `zimg` after the DOS magic. */
const ZBOOT_MAGIC = [0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67];

function efiProgram(head: Uint8Array): string | undefined {
  if (ZBOOT_MAGIC.every((byte, at) => head[at] === byte)) {
    return "it is an EFI zboot image: the kernel in it is compressed, and must be unpacked first";
  }
  const sections = peSections(head);
  if (sections === undefined) return undefined;
  if (sections.some(({ name }) => name === ".linux")) {
    return "it is a unified kernel image (UKI): take the kernel out of it first " +
      "(objcopy -O binary --only-section=.linux UKI KERNEL)";
  }
  return "it is an EFI program, and no kernel";
}

function otherFormat(head: Uint8Array): string | undefined {
  const start = new TextDecoder("latin1").decode(head.subarray(0, 512));
  if (start.startsWith("\x7fELF")) return "it is an ELF file: a vmlinux is not what kexec_file_load(2) takes";
  if (/^07070[12]/.test(start)) return "it is an initramfs (cpio): give it with --initrd";
  if (!/[^\t\n\r\x20-\x7e]/.test(start)) return "it is a text file";
  return undefined;
}
