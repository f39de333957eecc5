/**
 * Checks a kernel image as x86 Linux does: bzImage64_probe() and bzImage64_load() of arch/x86/kernel/kexec-bzimage64.c.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Segment } from "./kexec_segments.ts";
import type { Ret } from "../../system_calls.ts";

/** Offsets of `struct setup_header` fields in the file (Documentation/arch/x86/boot.rst). */
const SETUP_SECTS = 0x1f1;
const BOOT_FLAG = 0x1fe;
const HEADER = 0x202;
const VERSION = 0x206;
const KERNEL_VERSION = 0x20e;
const LOADFLAGS = 0x211;
const XLOADFLAGS = 0x236;
const CMDLINE_SIZE = 0x238;
const KERNEL_ALIGNMENT = 0x230;
const INIT_SIZE = 0x260;
/** Bytes from the start of the file to the end of the last field above. */
export const SETUP_HEADER_END = 0x268;

const LOADED_HIGH = 1;
const XLF_KERNEL_64 = 1;
const XLF_CAN_BE_LOADED_ABOVE_4G = 2;
const SECTOR = 512;
const MAX_ELFCOREHDR_STR_LEN = 30;

/**
 * Returns 0, or the errno with which Linux refuses the image. Linux looks only at the setup sectors, so it accepts an
 * image that was cut off at half its length.
 *
 * @param image the file from its start: at least `SETUP_HEADER_END` bytes, when the file has them
 * @param length bytes of the whole file
 */
export function probe(image: Uint8Array, length: number, print: (line: string) => void): Ret {
  const refused = why_refused(image, length);
  if (refused === undefined) return 0;
  print(`kexec-bzImage64: ${refused}`);
  return -Errno.ENOEXEC;
}

/** In the kernel's words. */
function why_refused(image: Uint8Array, length: number): string | undefined {
  if (length < 2 * SECTOR || image.length < SETUP_HEADER_END) return "File is too short to be a bzImage";
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const xloadflags = view.getUint16(XLOADFLAGS, true);
  if (view.getUint32(HEADER, false) !== 0x48647253) return "Not a bzImage"; // "HdrS"
  if (view.getUint16(BOOT_FLAG, true) !== 0xaa55) return "No x86 boot sector present";
  if (view.getUint16(VERSION, true) < 0x020c) return "Must be at least protocol version 2.12";
  if ((view.getUint8(LOADFLAGS) & LOADED_HIGH) === 0) return "zImage not a bzImage";
  if ((xloadflags & XLF_KERNEL_64) === 0) return "Not a bzImage64. XLF_KERNEL_64 is not set.";
  if ((xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) === 0) return "XLF_CAN_BE_LOADED_ABOVE_4G is not set.";
  return undefined;
}

/** The loader's checks after it has read the initrd and the command line. `cmdline_len` includes the NUL. */
export function check_load(
  image: Uint8Array,
  length: number,
  cmdline_len: number,
  print: (line: string) => void,
): Ret {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const setup_sects = view.getUint8(SETUP_SECTS) || 4;
  if (length < (setup_sects + 1) * SECTOR) {
    print("kexec-bzImage64: bzImage truncated");
    return -Errno.ENOEXEC;
  }
  const room = view.getUint32(CMDLINE_SIZE, true);
  return cmdline_len + MAX_ELFCOREHDR_STR_LEN > room ? -Errno.EINVAL : 0;
}

/** The memory that bzImage64_load() asks for the kernel: as much as it needs to unpack itself. */
export function kernel_segment(image: Uint8Array): Segment {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  return {
    bytes: view.getUint32(INIT_SIZE, true),
    alignment: view.getUint32(KERNEL_ALIGNMENT, true) || PAGE_SIZE,
  };
}

/** The kernel's release (uname -r): the first word of the header's version string. */
export function image_release(image: Uint8Array): string | undefined {
  if (image.length < SETUP_HEADER_END) return undefined;
  const pointer = new DataView(image.buffer, image.byteOffset, image.byteLength).getUint16(
    KERNEL_VERSION,
    true,
  );
  if (pointer === 0 || pointer + SECTOR >= image.length) return undefined;
  const text = image.subarray(pointer + SECTOR, pointer + SECTOR + 256);
  const end = text.indexOf(0);
  const release = new TextDecoder().decode(text.subarray(0, end < 0 ? text.length : end)).split(" ")[0];
  return release || undefined;
}
