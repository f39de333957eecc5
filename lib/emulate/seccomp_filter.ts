/** Builds the BPF filter that every process of the machine runs under. */
import { assemble, type Instruction } from "../../ffi/abi/bpf.ts";
import {
  DATA_ARCH,
  DATA_NR,
  dataArgument,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_USER_NOTIF,
} from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD } from "../../ffi/abi/stat.ts";
import { openIs } from "./open_filter.ts";
import { ARCHITECTURE, byFrequency, type Trap, type TrapMode, traps, watchedCalls } from "./trapped_calls.ts";

/**
 * A struct sock_filter[]. Calls of another architecture are allowed without a look at them. With `mark` an open that only reads is
 * trapped only when this is its sixth argument.
 */
export function filter(mode: TrapMode, architecture = ARCHITECTURE, mark?: bigint): Uint8Array<ArrayBuffer> {
  const all = traps(mode, architecture).map(([name, { opens, ...trap }]) =>
    [name, mark === undefined ? trap : { ...trap, opens }] as const
  );
  const served = new Set<string>(all.map(([name]) => name));
  const isPartly = (trap: Trap) => (trap.when ?? trap.unless ?? trap.emptyPath ?? trap.opens) !== undefined;
  const whole = all.filter(([, trap]) => !isPartly(trap));
  const partly = all.filter(([, trap]) => isPartly(trap));
  // A filter for numbers makes the kernel run this one too. Its calls are the frequent ones, so they pass first.
  const passed = mode.endsWith("traced")
    ? watchedCalls(mode === "strict traced", architecture).filter(([name]) => !served.has(name))
    : [];
  const looked = [
    ...passed.map(([name, { nr }]) => [name, nr, "allow"] as const),
    ...partly.map(([name, { nr }]) => [name, nr, name] as const),
  ].toSorted(([one], [other]) => byFrequency(one, other));
  const program: Instruction[] = [
    { op: "load", offset: DATA_ARCH },
    { op: "jump_if_equal", value: architecture.audit, otherwise: "allow" },
    { op: "load", offset: DATA_NR },
    // First the calls whose arguments decide: for all others the kernel remembers the answer by number (Linux 5.11).
    ...looked.map(([, nr, to]): Instruction => ({ op: "jump_if_equal", value: nr, to })),
    ...whole.map(([, { nr }]): Instruction => ({ op: "jump_if_equal", value: nr, to: "serve" })),
    { op: "mark", name: "allow" },
    { op: "return", value: SECCOMP_RET_ALLOW },
  ];
  for (const [name, trap] of partly) program.push({ op: "mark", name }, ...condition(name, trap, mark));
  program.push({ op: "mark", name: "serve" }, { op: "return", value: SECCOMP_RET_USER_NOTIF });
  return assemble(program);
}

/** The instructions that look at the arguments of a call. */
function condition(
  name: string,
  { when, unless, emptyPath, opens }: Trap,
  mark: bigint | undefined,
): Instruction[] {
  const allow: Instruction = { op: "return", value: SECCOMP_RET_ALLOW };
  if (opens !== undefined && mark !== undefined) {
    return [...openIs({ opens, mark, name, marked: "serve", otherwise: "serve" }), allow];
  }
  if (emptyPath !== undefined) {
    // The working directory has no number: its path is looked at.
    return [
      { op: "load", offset: dataArgument(emptyPath) },
      { op: "and", mask: AT_EMPTY_PATH },
      { op: "jump_if_equal", value: AT_EMPTY_PATH, otherwise: "serve" },
      { op: "load", offset: dataArgument(0) },
      { op: "jump_if_equal", value: AT_FDCWD >>> 0, to: "serve" },
      allow,
    ];
  }
  if (unless !== undefined) {
    const { argument, is } = unless;
    return [
      { op: "load", offset: dataArgument(argument) },
      { op: "jump_if_equal", value: is, otherwise: "serve" },
      allow,
    ];
  }
  if (when === undefined) return [];
  return [
    { op: "load", offset: dataArgument(when.argument) },
    ...(when.mask === undefined ? [] : [{ op: "and", mask: when.mask } as const]),
    { op: "jump_if_equal", value: when.is, to: "serve" },
    allow,
  ];
}
