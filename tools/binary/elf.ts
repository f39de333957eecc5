/** Reads the segments of an ELF program (elf.h; 64 bit, little endian) and adds one. */

export const MACHINES = { x86_64: 62, aarch64: 183 } as const;
export type Target = keyof typeof MACHINES;

export function isTarget(word: string): word is Target {
  return word in MACHINES;
}

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PF_X = 1;
const PF_R = 4;
/** Offsets in Elf64_Ehdr. */
const E_MACHINE = 18;
const E_ENTRY = 24;
const E_PHOFF = 32;
const E_PHENTSIZE = 54;
const E_PHNUM = 56;
/** The largest page size: 64 KiB on aarch64. The address and the file offset of a segment must be equal modulo this. */
const PAGE_MAX = 0x10000n;

/** Elf64_Phdr. */
export interface Segment {
  /** The offset of this header in the file. */
  readonly header: number;
  readonly type: number;
  readonly offset: bigint;
  readonly address: bigint;
  readonly file_size: bigint;
  readonly memory_size: bigint;
}

/** @throws TypeError: this is no program for this target. */
export function segments(program: Uint8Array, target: Target): Segment[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  if (program.length < 64 || view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) {
    throw new TypeError("Cannot read the program: it is no 64-bit little-endian ELF");
  }
  if (view.getUint16(E_MACHINE, true) !== MACHINES[target]) {
    throw new TypeError(`Cannot read the program: it is not for ${target}`);
  }
  const [first, size] = [Number(view.getBigUint64(E_PHOFF, true)), view.getUint16(E_PHENTSIZE, true)];
  return Array.from({ length: view.getUint16(E_PHNUM, true) }, (_, index) => {
    const header = first + index * size;
    return {
      header,
      type: view.getUint32(header, true),
      offset: view.getBigUint64(header + 8, true),
      address: view.getBigUint64(header + 16, true),
      file_size: view.getBigUint64(header + 32, true),
      memory_size: view.getBigUint64(header + 40, true),
    };
  });
}

/**
 * Adds a segment that is readable and executable, and at which the program starts.
 *
 * The file has no room for another program header, so the segment gets the header of PT_NOTE. That header describes the build id,
 * which no running program needs.
 *
 * @param make makes the bytes of the segment, from its address and from the address at which the program started before.
 */
export function addSegment(
  program: Uint8Array,
  target: Target,
  make: (address: bigint, entry: bigint) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const found = segments(program, target);
  const note = found.find(({ type }) => type === PT_NOTE);
  const loaded = found.filter(({ type }) => type === PT_LOAD);
  // The ELF loader needs the loaded segments in the order of their addresses, and the new one has the highest.
  if (note === undefined || note.header < Math.max(...loaded.map(({ header }) => header))) {
    throw new TypeError("Cannot add a segment: no PT_NOTE after the last PT_LOAD");
  }
  const ends = loaded.map(({ address, memory_size }) => address + memory_size);
  const address = roundUp(ends.reduce((last, end) => end > last ? end : last, 0n));
  const offset = roundUp(BigInt(program.length));
  const entry = new DataView(program.buffer, program.byteOffset).getBigUint64(E_ENTRY, true);
  const bytes = make(address, entry);
  const size = BigInt(bytes.length);

  const result = new Uint8Array(Number(offset) + bytes.length);
  result.set(program);
  result.set(bytes, Number(offset));
  const view = new DataView(result.buffer);
  view.setBigUint64(E_ENTRY, address, true);
  view.setUint32(note.header, PT_LOAD, true);
  view.setUint32(note.header + 4, PF_R | PF_X, true);
  [offset, address, address, size, size, PAGE_MAX].forEach((value, index) =>
    view.setBigUint64(note.header + 8 + 8 * index, value, true)
  );
  return result;
}

function roundUp(value: bigint): bigint {
  return (value + PAGE_MAX - 1n) / PAGE_MAX * PAGE_MAX;
}
