/** A unified kernel image (https://uapi-group.org/specifications/specs/unified_kernel_image/): an EFI program with a kernel in it. */
import { type PeSection, peSections } from "../pe.ts";
import { ImageError } from "./image_error.ts";

/** The parts of a UKI that an update needs. */
export interface Uki {
  readonly linux: Uint8Array;
  readonly initrd?: Uint8Array | undefined;
  readonly commandLine?: string | undefined;
  /** uname's release. */
  readonly release?: string | undefined;
}

/** The section table lies in the first bytes. */
export const UKI_HEAD: number = 64 * 1024;

/** Undefined: it is no UKI. @throws ImageError */
export function ukiOf(bytes: Uint8Array): Uki | undefined {
  const sections = peSections(bytes.subarray(0, UKI_HEAD)) ?? [];
  // The stub takes the first section of a name; later ones belong to other profiles.
  const find = (name: string) => {
    const section = sections.find((one) => one.name === name);
    return section && contents(bytes, section);
  };
  const linux = find(".linux");
  if (linux === undefined) return undefined;
  return {
    linux,
    initrd: find(".initrd"),
    commandLine: textOf(find(".cmdline")),
    release: textOf(find(".uname")),
  };
}

/** The section is padded to the file's alignment; VirtualSize is its own length. */
function contents(bytes: Uint8Array, { name, offset, size, memory }: PeSection): Uint8Array {
  if (offset + size > bytes.length) {
    throw new ImageError("damaged", `its section ${name} ends after the file`);
  }
  return bytes.subarray(offset, offset + (memory > 0 ? Math.min(size, memory) : size));
}

/** A NUL ends it. */
function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes.subarray(0, 64 * 1024)).replace(/\0.*$/s, "").trim();
}
