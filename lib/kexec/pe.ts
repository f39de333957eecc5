/** The section table of a PE file: EFI programs are PE files, and a unified kernel image keeps its parts in sections. */

export interface PeSection {
  readonly name: string;
  /** The offset of the section's bytes in the file. */
  readonly offset: number;
  /** Bytes of the section that are in the file; the rest up to `memory` is zero. */
  readonly size: number;
  /** VirtualSize: the section's length without padding, 0 when the linker left it out. */
  readonly memory: number;
}

/** Offset of the pointer to the PE header (`e_lfanew`). */
const PE_POINTER = 0x3c;
const COFF_SIZE = 24;
const SECTION_SIZE = 40;
/** More than any kernel image or UKI has (multi-profile UKIs have some dozens). */
const SECTIONS_MAX = 512;

/** The sections, or undefined for what is no PE file. `bytes` is the start of the file: a table that ends after it is cut off. */
export function peSections(bytes: Uint8Array): PeSection[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PE_POINTER + 4 || view.getUint16(0, false) !== 0x4d5a) return undefined; // "MZ"
  const header = view.getUint32(PE_POINTER, true);
  if (header + COFF_SIZE > bytes.length || view.getUint32(header, false) !== 0x50450000) return undefined; // "PE\0\0"
  const count = Math.min(view.getUint16(header + 6, true), SECTIONS_MAX);
  const first = header + COFF_SIZE + view.getUint16(header + 20, true);
  const sections: PeSection[] = [];
  for (let at = first; sections.length < count && at + SECTION_SIZE <= bytes.length; at += SECTION_SIZE) {
    const name = new TextDecoder("latin1").decode(bytes.subarray(at, at + 8)).replace(/\0.*$/s, "");
    const [memory, size, offset] = [8, 16, 20].map((field) => view.getUint32(at + field, true));
    sections.push({ name, offset: offset ?? 0, size: size ?? 0, memory: memory ?? 0 });
  }
  return sections;
}

/** Offset of the certificate table's size in the optional header of PE32+ (IMAGE_DIRECTORY_ENTRY_SECURITY), and its magic. */
const CERTIFICATES_SIZE = 112 + 4 * 8 + 4;
const PE32_PLUS = 0x20b;

/** Whether an EFI program carries a signature, of whatever key. */
export function peSigned(bytes: Uint8Array): boolean {
  if (peSections(bytes) === undefined) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const optional = view.getUint32(PE_POINTER, true) + COFF_SIZE;
  if (optional + CERTIFICATES_SIZE + 4 > bytes.length) return false;
  return view.getUint16(optional, true) === PE32_PLUS &&
    view.getUint32(optional + CERTIFICATES_SIZE, true) > 0;
}
