/**
 * A list of system calls, and the machine code that makes them in a child: what lies between clone and execve, where no
 * JavaScript can run. x86-64 only. Pure data.
 *
 * One record is 8 words: number @0; five arguments @8; result @48; bytes to skip when it failed @56.
 */
const RECORD = 64;

export interface ListedCall {
  readonly nr: number;
  readonly args: readonly bigint[];
  /** How many further calls are left out when this one fails. */
  readonly skip_on_failure?: number;
}

/** No call has answered this. */
const NOT_MADE = 0n;

export function encodeCallList(calls: readonly ListedCall[]): Uint8Array<ArrayBuffer> {
  const words = new BigInt64Array(calls.length * 8);
  calls.forEach(({ nr, args, skip_on_failure = 0 }, index) => {
    words[index * 8] = BigInt(nr);
    args.forEach((argument, at) => words[index * 8 + 1 + at] = argument);
    words[index * 8 + 6] = NOT_MADE;
    words[index * 8 + 7] = BigInt(skip_on_failure * RECORD);
  });
  return new Uint8Array(words.buffer);
}

/** What the call at `index` answered: a value, or -errno; 0 when it was not made, or did not come back. */
export function resultOf(list: Uint8Array<ArrayBuffer>, index: number): number {
  return Number(new DataView(list.buffer).getBigInt64(index * RECORD + 48, true));
}

/** CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD. The child shares memory and descriptors until it executes. */
const CLONE_FLAGS = 0x100 | 0x400 | 0x4000 | 17;

/** Instructions and their bytes: `int run(struct record *list)`. The stack is shared, so the child never touches it. */
const ASSEMBLY: readonly (readonly [text: string, ...bytes: number[]])[] = [
  ["push rbx", 0x53],
  ["mov rbx, rdi            ; the list", 0x48, 0x89, 0xfb],
  ["mov eax, 56             ; clone", 0xb8, 56, 0, 0, 0],
  ["mov edi, CLONE_FLAGS", 0xbf, CLONE_FLAGS & 0xff, (CLONE_FLAGS >> 8) & 0xff, 0, 0],
  ["xor esi, esi            ; the same stack", 0x31, 0xf6],
  ["xor edx, edx", 0x31, 0xd2],
  ["xor r10d, r10d", 0x45, 0x31, 0xd2],
  ["xor r8d, r8d", 0x45, 0x31, 0xc0],
  ["syscall", 0x0f, 0x05],
  ["test eax, eax", 0x85, 0xc0],
  ["jz next", 0x74, 0x02],
  ["pop rbx                 ; the parent", 0x5b],
  ["ret                     ; pid, or -errno", 0xc3],
  ["next: mov rax, [rbx]", 0x48, 0x8b, 0x03],
  ["mov rdi, [rbx + 8]", 0x48, 0x8b, 0x7b, 0x08],
  ["mov rsi, [rbx + 16]", 0x48, 0x8b, 0x73, 0x10],
  ["mov rdx, [rbx + 24]", 0x48, 0x8b, 0x53, 0x18],
  ["mov r10, [rbx + 32]", 0x4c, 0x8b, 0x53, 0x20],
  ["mov r8, [rbx + 40]", 0x4c, 0x8b, 0x43, 0x28],
  ["syscall", 0x0f, 0x05],
  ["mov [rbx + 48], rax     ; the result", 0x48, 0x89, 0x43, 0x30],
  ["test rax, rax", 0x48, 0x85, 0xc0],
  ["jns done", 0x79, 0x04],
  ["add rbx, [rbx + 56]     ; failed: skip", 0x48, 0x03, 0x5b, 0x38],
  ["done: add rbx, 64", 0x48, 0x83, 0xc3, 0x40],
  ["jmp next", 0xeb, 0xd4],
];

export const CALL_LIST_RUNNER: Uint8Array<ArrayBuffer> = new Uint8Array(
  ASSEMBLY.flatMap(([, ...bytes]) => bytes),
);
