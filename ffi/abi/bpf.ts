/** Classic BPF as seccomp takes it (linux/bpf_common.h, linux/filter.h): `struct sock_filter`, 8 bytes each. */

const SIZE = 8;
/** BPF_LD | BPF_W | BPF_ABS, BPF_ALU | BPF_AND | BPF_K, BPF_JMP | BPF_JEQ | BPF_K, BPF_JGT, BPF_JGE, BPF_RET | BPF_K. */
const [LD_W_ABS, AND_K, JEQ_K, JGT_K, JGE_K, RET_K] = [0x20, 0x54, 0x15, 0x25, 0x35, 0x06];
const JUMPS = { jump_if_equal: JEQ_K, jump_if_greater: JGT_K, jump_if_at_least: JGE_K } as const;

/** One instruction, or a mark: the target of jumps. A jump goes forward, over at most 255 instructions. */
export type Instruction =
  | { readonly op: "load"; readonly offset: number }
  | { readonly op: "and"; readonly mask: number }
  | {
    readonly op: keyof typeof JUMPS;
    readonly value: number;
    readonly to?: string;
    readonly otherwise?: string;
  }
  | { readonly op: "return"; readonly value: number }
  | { readonly op: "mark"; readonly name: string };

/** The program's bytes. @throws RangeError a jump to a mark that is not ahead, or too far */
export function assemble(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const marks = new Map<string, number>();
  let count = 0;
  for (const instruction of program) {
    if (instruction.op === "mark") marks.set(instruction.name, count);
    else count++;
  }
  const bytes = new Uint8Array(count * SIZE);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const put = (code: number, k: number, jt = 0, jf = 0) => {
    view.setUint16(at * SIZE, code, true);
    view.setUint8(at * SIZE + 2, jt);
    view.setUint8(at * SIZE + 3, jf);
    view.setUint32(at * SIZE + 4, k, true);
    at++;
  };
  const distance = (mark: string | undefined) => {
    if (mark === undefined) return 0;
    const steps = (marks.get(mark) ?? -1) - at - 1;
    if (steps < 0 || steps > 255) throw new RangeError(`A jump to "${mark}" over ${steps} instructions`);
    return steps;
  };
  for (const i of program) {
    if (i.op === "load") put(LD_W_ABS, i.offset);
    else if (i.op === "and") put(AND_K, i.mask);
    else if (i.op === "return") put(RET_K, i.value);
    else if (i.op !== "mark") put(JUMPS[i.op], i.value, distance(i.to), distance(i.otherwise));
  }
  return bytes;
}
