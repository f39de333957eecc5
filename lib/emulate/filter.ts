/** The BPF filter of an emulated program: which of its system calls come to the supervisor. All others run untouched. */
import {
  and,
  answer,
  encodeProgram,
  ifSetSkip,
  type Instruction,
  load,
  unlessEqualSkip,
} from "../../ffi/abi/bpf.ts";
import { LIVEUPDATE_IOCTL_TYPE } from "../../ffi/abi/liveupdate.ts";
import {
  DATA_ARCH,
  DATA_NR,
  dataArgument,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_USER_NOTIF,
  type SeccompArch,
  type TrappedCall,
} from "../../ffi/abi/seccomp.ts";

/** What only `--strict` traps: writes past the end of a preserved memfd fail then, and every write costs a round trip. */
const STRICT: ReadonlySet<TrappedCall> = new Set(["write", "pwrite64", "writev", "pwritev", "pwritev2"]);
const AT_EMPTY_PATH = 0x1000;

/** The calls of an architecture that are trapped, with their numbers. */
export function trappedCalls(arch: SeccompArch, strict: boolean): ReadonlyMap<number, TrappedCall> {
  const calls = new Map<number, TrappedCall>();
  let name: TrappedCall;
  for (name in arch.calls) {
    const nr = arch.calls[name];
    if (nr !== undefined && (strict || !STRICT.has(name))) calls.set(nr, name);
  }
  return calls;
}

/** A program for SECCOMP_SET_MODE_FILTER. A foreign architecture (32-bit programs) is let alone. */
export function filterProgram(arch: SeccompArch, strict: boolean): Uint8Array<ArrayBuffer> {
  const program = [
    load(DATA_ARCH),
    unlessEqualSkip(arch.audit, 1),
    // Jumps are 8 bits wide, so the test is turned round: skip the way out.
    { code: 0x05, k: 1 } satisfies Instruction,
    answer(SECCOMP_RET_ALLOW),
    load(DATA_NR),
  ];
  for (const [nr, name] of trappedCalls(arch, strict)) program.push(...trap(nr, name));
  program.push(answer(SECCOMP_RET_ALLOW));
  return encodeProgram(program);
}

function trap(nr: number, name: TrappedCall): Instruction[] {
  const condition = conditionOf(name);
  return [unlessEqualSkip(nr, condition.length + 1), ...condition, answer(SECCOMP_RET_USER_NOTIF)];
}

/** What the arguments must be like. Falls through to be trapped, or answers. */
function conditionOf(name: TrappedCall): Instruction[] {
  if (name === "ioctl") {
    // The type is the second byte of the request.
    return [
      load(dataArgument(1)),
      and(0xff00),
      { code: 0x15, k: LIVEUPDATE_IOCTL_TYPE << 8, jt: 1 },
      answer(SECCOMP_RET_ALLOW),
    ];
  }
  // fstat(3) of glibc: about a descriptor, not about a path.
  const flags = name === "newfstatat" ? 3 : name === "statx" ? 2 : undefined;
  if (flags === undefined) return [];
  return [
    load(dataArgument(flags)),
    ifSetSkip(AT_EMPTY_PATH, 1),
    { code: 0x05, k: 1 },
    answer(SECCOMP_RET_ALLOW),
  ];
}
