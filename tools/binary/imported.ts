/** Finds where an ELF program keeps the address of a function of a shared library. */
import { PT_DYNAMIC, PT_LOAD, type Segment, segments, type Target } from "./elf.ts";

/** Tags of Elf64_Dyn, and sizes of structs. */
const DT_STRTAB = 5n;
const DT_SYMTAB = 6n;
const DT_RELA = 7n;
const DT_RELASZ = 8n;
const DYN_SIZE = 16;
const RELA_SIZE = 24;
const SYM_SIZE = 24;
/** R_X86_64_GLOB_DAT and R_AARCH64_GLOB_DAT: relocations at which the loader stores the address of a symbol. */
const GLOB_DAT: Readonly<Record<Target, number>> = { x86_64: 6, aarch64: 1025 };

/**
 * The address in the program at which the loader stores the address of the symbol `name` of a library.
 *
 * @throws TypeError: the program has no such relocation.
 */
export function importedAddress(program: Uint8Array, target: Target, name: string): bigint {
  const found = segments(program, target);
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const dynamic = dynamicEntries(view, found);
  const at = (tag: bigint) => fileOffset(found, dynamic.get(tag) ?? 0n);
  const [relocations, symbols, strings] = [at(DT_RELA), at(DT_SYMTAB), at(DT_STRTAB)];
  const end = relocations + Number(dynamic.get(DT_RELASZ) ?? 0n);
  for (let rela = relocations; rela < end; rela += RELA_SIZE) {
    // The lower half of r_info is the type, the upper half the index of the symbol.
    if (view.getUint32(rela + 8, true) !== GLOB_DAT[target]) continue;
    const symbol = symbols + SYM_SIZE * view.getUint32(rela + 12, true);
    if (hasString(program, strings + view.getUint32(symbol, true), name)) {
      return view.getBigUint64(rela, true);
    }
  }
  throw new TypeError(`Cannot find "${name}" in the program`);
}

function dynamicEntries(view: DataView, found: readonly Segment[]): Map<bigint, bigint> {
  const dynamic = found.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) {
    throw new TypeError("Cannot find what the program imports: it is linked statically");
  }
  const [start, count] = [Number(dynamic.offset), Number(dynamic.file_size) / DYN_SIZE];
  return new Map(
    Array.from({ length: count }, (_, index) => [
      view.getBigUint64(start + index * DYN_SIZE, true),
      view.getBigUint64(start + index * DYN_SIZE + 8, true),
    ]),
  );
}

/** The offset in the file of the byte at this address. */
function fileOffset(found: readonly Segment[], address: bigint): number {
  const segment = found.find((one) =>
    one.type === PT_LOAD && one.address <= address && address < one.address + one.file_size
  );
  if (segment === undefined) throw new TypeError(`Cannot find address ${address} in the program`);
  return Number(address - segment.address + segment.offset);
}

function hasString(program: Uint8Array, at: number, text: string): boolean {
  const bytes = new TextEncoder().encode(`${text}\0`);
  return bytes.every((byte, index) => program[at + index] === byte);
}
