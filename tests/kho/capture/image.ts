/** The image that stops the machine after the kexec, so that its memory can be dumped. */
import { standInBzImage } from "../../../lib/kexec/bzimage.ts";

/** The machine code of halt.s. */
const HALT = "b910000000b02beb1148c1c6044088f0240f04303c397602042788c4bafd030000eca82074fb88e0" +
  "baf8030000eeffc979d7b00aeefaf4ebfd";

/** Offset of the kernel proper in the file, and of its 64-bit entry in the kernel (Documentation/arch/x86/boot.rst). */
const [CODE, ENTRY_64] = [2 * 512, 0x200];

/** An image that kexec_file_load(2) accepts, and that changes no memory when it runs. */
export function haltingImage(): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(standInBzImage({ release: "halt" }));
  bytes.set(Uint8Array.fromHex(HALT), CODE + ENTRY_64);
  return bytes;
}
