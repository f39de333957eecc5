/** The image that stops the machine after the kexec, so that its memory can be dumped. */
import { standInArm64Image } from "../../../lib/kexec/arm64_image.ts";
import { standInBzImage } from "../../../lib/kexec/bzimage.ts";
import type { Architecture } from "../../../lib/kexec/file_kind.ts";

/** The machine code of halt.s. */
const HALT = "b910000000b02beb1148c1c6044088f0240f04303c397602042788c4bafd030000eca82074fb88e0" +
  "baf8030000eeffc979d7b00aeefaf4ebfd";

/** The machine code of halt_arm64.s. */
const HALT_ARM64 =
  "0920a1d202028052630580520700001400f0c093030c001263c000117fe4007149000054639c0011241940b9e4ff2f37" +
  "230100b942040071c5feff5443018052230100b97f2003d5ffffff17";
/** Its offset in the Image, and the instruction at the start of the Image that branches there. */
const [CODE_ARM64, BRANCH] = [0x800, 0x14000000 | (0x800 / 4)];

/** Offset of the kernel proper in the file, and of its 64-bit entry in the kernel (Documentation/arch/x86/boot.rst). */
const [CODE, ENTRY_64] = [2 * 512, 0x200];

/** An image that kexec_file_load(2) accepts, and that changes no memory when it runs. */
export function haltingImage(architecture: Architecture): Uint8Array<ArrayBuffer> {
  if (architecture === "aarch64") return haltingArm64Image();
  const bytes = Uint8Array.from(standInBzImage({ release: "halt" }));
  bytes.set(Uint8Array.fromHex(HALT), CODE + ENTRY_64);
  return bytes;
}

function haltingArm64Image(): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(standInArm64Image({ release: "halt" }));
  bytes.set(Uint8Array.fromHex(HALT_ARM64), CODE_ARM64);
  new DataView(bytes.buffer).setUint32(0, BRANCH, true);
  return bytes;
}
