/**
 * The x86 boot header, `struct setup_header` of arch/x86/include/uapi/asm/bootparam.h: fields and offsets as in
 * Documentation/arch/x86/boot.rst. All of it is little-endian, at fixed offsets in the file.
 */
import { release_of } from "../model/ground/releases.ts";

const SETUP_SECTS = 0x1f1;
const SYSSIZE = 0x1f4;
const BOOT_FLAG = 0x1fe;
const JUMP = 0x200;
const HEADER = 0x202;
const VERSION = 0x206;
const KERNEL_VERSION = 0x20e;
const LOADFLAGS = 0x211;
const KERNEL_ALIGNMENT = 0x230;
const RELOCATABLE_KERNEL = 0x234;
const XLOADFLAGS = 0x236;
const CMDLINE_SIZE = 0x238;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const PREF_ADDRESS = 0x258;
const INIT_SIZE = 0x260;

/** All fields used here lie before this offset in the file. */
export const SETUP_HEADER_END = 0x268;
const SECTOR = 512;
/** The protocol of Linux 3.8 (2012), the oldest that kexec_file_load(2) takes. */
const VERSION_MIN = 0x020c;
const LOADED_HIGH = 0x01;
const XLF_KERNEL_64 = 0x01;
const XLF_CAN_BE_LOADED_ABOVE_4G = 0x02;

/** The fields of the boot header, under the kernel's own names. */
export interface BzImage {
  /** Protocol version: 0x020f is 2.15. */
  readonly version: number;
  readonly boot_flag: number;
  readonly loadflags: number;
  readonly xloadflags: number;
  readonly relocatable_kernel: boolean;
  /** Bytes of the longest command line, without the NUL. */
  readonly cmdline_size: number;
  /** Sectors of 512 bytes of real-mode code after the first sector. */
  readonly setup_sects: number;
  /** Units of 16 bytes of protected-mode code. */
  readonly syssize: number;
  /** Bytes the file must have: everything the header announces. */
  readonly length: number;
  /** Bytes of memory that the kernel needs until it has unpacked itself. */
  readonly init_size: number;
  /** `7.3.4 (user@host) #1 SMP ...`: undefined when the image has none, or has it after the bytes given. */
  readonly kernel_version: string | undefined;
}

/** The header of a bzImage, or undefined when there is none. `bytes`: the start of the file, 128 KiB of it are always enough. */
export function parseBzImage(bytes: Uint8Array): BzImage | undefined {
  if (bytes.length < SETUP_HEADER_END) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(HEADER, false) !== 0x48647253) return undefined; // "HdrS"
  // 0 means 4: boot.rst, "for backwards compatibility".
  const setup_sects = view.getUint8(SETUP_SECTS) || 4;
  const syssize = view.getUint32(SYSSIZE, true);
  return {
    version: view.getUint16(VERSION, true),
    boot_flag: view.getUint16(BOOT_FLAG, true),
    loadflags: view.getUint8(LOADFLAGS),
    xloadflags: view.getUint16(XLOADFLAGS, true),
    relocatable_kernel: view.getUint8(RELOCATABLE_KERNEL) !== 0,
    cmdline_size: view.getUint32(CMDLINE_SIZE, true),
    setup_sects,
    syssize,
    length: (setup_sects + 1) * SECTOR + syssize * 16,
    init_size: view.getUint32(INIT_SIZE, true),
    kernel_version: readVersion(bytes, view.getUint16(KERNEL_VERSION, true)),
  };
}

function readVersion(bytes: Uint8Array, pointer: number): string | undefined {
  if (pointer === 0) return undefined;
  // The pointer counts from the end of the first sector.
  const rest = bytes.subarray(pointer + SECTOR, pointer + SECTOR + 256);
  const end = rest.indexOf(0);
  return end <= 0 ? undefined : new TextDecoder().decode(rest.subarray(0, end));
}

/**
 * Why kexec_file_load(2) gives ENOEXEC for a file of `size` bytes with this header, in Linux's order (bzImage64_probe() and
 * bzImage64_load() of arch/x86/kernel/kexec-bzimage64.c), or undefined when it takes it.
 */
export function bzImageProblem(image: BzImage | undefined, size: number): string | undefined {
  if (size < 2 * SECTOR) return "the file is too short to be a kernel";
  if (image === undefined) return "it has no Linux boot header";
  if (image.boot_flag !== 0xaa55) return "its boot flag is missing";
  if (image.version < VERSION_MIN) {
    return `its boot protocol ${image.version >> 8}.${image.version & 0xff} is older than 2.12`;
  }
  if ((image.loadflags & LOADED_HIGH) === 0) return "it is a zImage, which loads low";
  if ((image.xloadflags & XLF_KERNEL_64) === 0) return "it is no 64-bit kernel";
  if ((image.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) === 0) {
    return "it cannot be loaded above 4 GiB (built without CONFIG_RELOCATABLE)";
  }
  if (size < (image.setup_sects + 1) * SECTOR) return "the file ends within its setup code";
  return undefined;
}

/** CONFIG_LIVEUPDATE, CONFIG_KEXEC_HANDOVER, its default and CONFIG_RELOCATABLE, each "y", in a gzip file. */
const STAND_IN_CONFIG =
  "H4sIAAAAAAACA3P293PzdI/38QxzDQ1wcQxxta3kcoaIebtGuDrHezj6ufiHuQbhEo939XN08nGNd3F1cwz1CUEoC3L18Xd2DAFJAgUBLkIUcWgAAAA=";

/**
 * A small image that kexec_file_load(2) takes and that does not boot, for demonstrations and tests on the model. On a real
 * machine the image halts the CPU. It says of itself what the model's kernel of that release would say: release, handover
 * formats, configuration.
 */
export function standInBzImage({ release }: { release: string }): Uint8Array {
  const setup_sects = 1;
  const code_size = 4096;
  const bytes = new Uint8Array((setup_sects + 1) * SECTOR + code_size);
  const view = new DataView(bytes.buffer);
  view.setUint8(SETUP_SECTS, setup_sects);
  view.setUint32(SYSSIZE, code_size / 16, true);
  view.setUint16(BOOT_FLAG, 0xaa55, true);
  view.setUint16(JUMP, 0x66eb, true); // jmp over the header
  view.setUint32(HEADER, 0x48647253, false);
  view.setUint16(VERSION, 0x020f, true);
  view.setUint8(LOADFLAGS, LOADED_HIGH);
  view.setUint32(KERNEL_ALIGNMENT, 0x200000, true);
  view.setUint8(RELOCATABLE_KERNEL, 1);
  view.setUint16(XLOADFLAGS, XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G | 0x20 | 0x40, true); // 5-level paging: able and on
  view.setUint32(CMDLINE_SIZE, 2047, true);
  view.setBigUint64(PREF_ADDRESS, 0x1000000n, true);
  view.setUint32(INIT_SIZE, 0x200000, true);
  const version = new TextEncoder().encode(`${release} (stand-in, boots nowhere)\0`);
  if (version.length > 256) throw new RangeError("A kernel's release has at most 64 bytes");
  view.setUint16(KERNEL_VERSION, SETUP_HEADER_END + 8 - SECTOR, true);
  bytes.set(version, SETUP_HEADER_END + 8);
  const code = (setup_sects + 1) * SECTOR;
  bytes.fill(0xf4, code); // hlt
  const payload = standInKernel(release);
  view.setUint32(PAYLOAD_OFFSET, code_size / 2, true);
  view.setUint32(PAYLOAD_LENGTH, payload.length, true);
  bytes.set(payload, code + code_size / 2);
  return bytes;
}

/** A stand-in for an unpacked kernel: the strings that luo looks for in one. */
function standInKernel(release: string): Uint8Array {
  const formats = Object.values(release_of(release)?.formats ?? {});
  const banner = `\x7fELF\0Linux version ${release} (stand-in, boots nowhere)\n`;
  const text = ["", ...formats, ""].join("\0");
  const start = new TextEncoder().encode(`${banner}${text}`);
  if (formats.length === 0) return start;
  const config = Uint8Array.fromBase64(STAND_IN_CONFIG);
  const [open, close] = ["IKCFG_ST", "IKCFG_ED"].map((mark) => new TextEncoder().encode(mark));
  return Uint8Array.from([...start, ...open ?? [], ...config, ...close ?? []]);
}
