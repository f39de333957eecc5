/** A program in ELF (elf.h; 64 bit, little endian) that is given one segment more. */

const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_X = 1;
const PF_R = 4;
/** Struct offsets of Elf64_Ehdr. */
const E_MACHINE = 18;
const E_ENTRY = 24;
const E_PHOFF = 32;
const E_PHENTSIZE = 54;
const E_PHNUM = 56;
/** The largest page a kernel has: 64 KiB on aarch64. Address and file offset of a segment must agree below it. */
const PAGE_MAX = 0x10000n;

export const MACHINES = { x86_64: 62, aarch64: 183 } as const;
export type Target = keyof typeof MACHINES;

interface Segment {
  /** Where its header is in the file. */
  readonly header: number;
  readonly type: number;
  readonly end: bigint;
}

/**
 * The program, with bytes appended that are mapped readable and executable, and that it begins with.
 *
 * There is no room for another program header, so the one of PT_NOTE is taken: it says the build id, which nothing that runs needs.
 *
 * @param make is given the distance from the bytes' start to where the program began before.
 */
export function addSegment(
  program: Uint8Array,
  target: Target,
  make: (toEntry: bigint) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const found = segments(program, target);
  const note = found.find(({ type }) => type === PT_NOTE);
  if (note === undefined) throw new TypeError("Cannot add a segment: the program has no PT_NOTE");
  const loaded = found.filter(({ type }) => type === PT_LOAD);
  const end = loaded.reduce((last, segment) => segment.end > last ? segment.end : last, 0n);
  // Loaders want them in the order of their addresses.
  if (note.header < Math.max(...loaded.map(({ header }) => header))) {
    throw new TypeError("Cannot add a segment: PT_NOTE comes before the last PT_LOAD");
  }

  const [address, offset] = [roundUp(end), roundUp(BigInt(program.length))];
  const entry = new DataView(program.buffer, program.byteOffset).getBigUint64(E_ENTRY, true);
  const bytes = make(entry - address);
  const result = new Uint8Array(Number(offset) + bytes.length);
  result.set(program);
  result.set(bytes, Number(offset));
  const view = new DataView(result.buffer);
  view.setBigUint64(E_ENTRY, address, true);
  // Elf64_Phdr: type, flags, offset, vaddr, paddr, filesz, memsz, align.
  view.setUint32(note.header, PT_LOAD, true);
  view.setUint32(note.header + 4, PF_R | PF_X, true);
  const size = BigInt(bytes.length);
  [offset, address, address, size, size, PAGE_MAX].forEach((value, index) =>
    view.setBigUint64(note.header + 8 + 8 * index, value, true)
  );
  return result;
}

function segments(program: Uint8Array, target: Target): Segment[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  if (program.length < 64 || view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) {
    throw new TypeError("Cannot add a segment: this is no 64-bit little-endian ELF");
  }
  if (view.getUint16(E_MACHINE, true) !== MACHINES[target]) {
    throw new TypeError(`Cannot add a segment: this program is not for ${target}`);
  }
  const [first, size] = [Number(view.getBigUint64(E_PHOFF, true)), view.getUint16(E_PHENTSIZE, true)];
  return Array.from({ length: view.getUint16(E_PHNUM, true) }, (_, index) => {
    const header = first + index * size;
    const [address, memory_size] = [
      view.getBigUint64(header + 16, true),
      view.getBigUint64(header + 40, true),
    ];
    return { header, type: view.getUint32(header, true), end: address + memory_size };
  });
}

function roundUp(value: bigint): bigint {
  return (value + PAGE_MAX - 1n) / PAGE_MAX * PAGE_MAX;
}
