/** Undoes xz's filter for x86 machine code. The filter stores jumps and calls with absolute targets, which repeat more often. */

/** By the mask of the last three positions at which an opcode stood (lib/xz/xz_dec_bcj.c, bcj_x86()). */
const ALLOWED: readonly boolean[] = [true, true, true, false, true, false, false, false];
const BIT_NUMBER: readonly number[] = [0, 1, 2, 2, 3, 3, 3, 3];

/** Changes the bytes in place. `bytes` is a whole block: its first byte is at position 0. */
export function undoX86Filter(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let last = -1;
  let mask = 0;
  for (let i = 0; i < bytes.length - 4; i++) {
    // CALL is 0xe8, JMP 0xe9, each with a 32-bit displacement.
    if ((view.getUint8(i) & 0xfe) !== 0xe8) continue;
    const distance = i - last;
    last = i;
    mask = distance > 3 ? 0 : (mask << (distance - 1)) & 7;
    const doubtful = mask !== 0 &&
      (!ALLOWED[mask] || isSign(view.getUint8(i + 4 - (BIT_NUMBER[mask] ?? 0))));
    if (doubtful || !isSign(view.getUint8(i + 4))) {
      mask = (mask << 1) | 1;
      continue;
    }
    view.setInt32(i + 1, relative(view.getInt32(i + 1, true), i + 5, mask), true);
    i += 4;
  }
}

/** The highest byte of a displacement within 16 MiB. */
function isSign(byte: number): boolean {
  return byte === 0x00 || byte === 0xff;
}

function relative(absolute: number, next: number, mask: number): number {
  let source = absolute;
  let target = source - next;
  const bits = (BIT_NUMBER[mask] ?? 0) * 8;
  while (mask !== 0 && isSign((target >>> (24 - bits)) & 0xff)) {
    source = target ^ ((1 << (32 - bits)) - 1);
    target = source - next;
  }
  // Sign-extended from 25 bits.
  return (target << 7) >> 7;
}
