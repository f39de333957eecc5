/** Classic BPF (`include/uapi/linux/bpf_common.h`, `filter.h`): programs as lists of instructions. Pure data. */

/** `struct sock_filter`: u16 code @0; u8 jt @2; u8 jf @3; u32 k @4. Jumps count instructions from the next one. */
export interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly jt?: number;
  readonly jf?: number;
}

const LOAD_WORD_ABSOLUTE = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_SET = 0x45;
const AND = 0x54;
const RETURN = 0x06;

/** A = the 32-bit word at `offset` of what is filtered. */
export const load = (offset: number): Instruction => ({ code: LOAD_WORD_ABSOLUTE, k: offset });
/** A = A & mask. */
export const and = (mask: number): Instruction => ({ code: AND, k: mask });
/** If A is not `k`, skip `skipped` instructions. */
export const unlessEqualSkip = (k: number, skipped: number): Instruction => ({
  code: JUMP_EQUAL,
  k,
  jf: skipped,
});
/** If A has a bit of `k`, skip `skipped` instructions. */
export const ifSetSkip = (k: number, skipped: number): Instruction => ({ code: JUMP_SET, k, jt: skipped });
export const answer = (k: number): Instruction => ({ code: RETURN, k });

export function encodeProgram(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt = 0, jf = 0, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
}

/** `struct sock_fprog`: u16 length @0; address of the instructions @8. */
export function encodeProgramHeader(length: number, address: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, length, true);
  view.setBigUint64(8, address, true);
  return bytes;
}
