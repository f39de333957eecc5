/** The trapped calls of one architecture: which numbers the filter sends to luo. */
import { type Call, TRAPS } from "./system_call_table.ts";

export type { Call } from "./system_call_table.ts";

/** A call is trapped always, or when one of its arguments (masked) has a value. */
export interface Trap {
  readonly nr: number;
  readonly when?: { readonly argument: number; readonly mask?: number; readonly is: number };
  readonly unless?: { readonly argument: number; readonly is: number };
  readonly strict?: true | "any argument" | "watched" | "traced";
  readonly watched?: readonly number[];
  readonly emptyPath?: number;
}

/**
 * What the filter of every process traps. "plain": without --strict. "traced": with --strict, besides the filters by which the guard
 * watches numbers. "whole": with --strict, where the guard may not trace.
 */
export type TrapMode = "plain" | "traced" | "whole";

export interface TrappedArchitecture {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly audit: number;
  readonly calls: Readonly<Partial<Record<Call, Trap>>>;
}

export const ARCHITECTURES: Readonly<Record<typeof Deno.build.arch, TrappedArchitecture>> = {
  x86_64: { audit: 0xc000_003e, calls: numbered(0) },
  aarch64: { audit: 0xc000_00b7, calls: numbered(1) },
};

/** The architecture that this process runs on. */
export const ARCHITECTURE = ARCHITECTURES[Deno.build.arch];

/** The names of the calls by number. */
export const CALLS: ReadonlyMap<number, Call> = new Map(
  (Object.entries(ARCHITECTURE.calls) as [Call, Trap][]).map(([name, { nr }]) => [nr, name]),
);

function numbered(column: 0 | 1): Partial<Record<Call, Trap>> {
  const calls: Partial<Record<Call, Trap>> = {};
  for (const [name, { nr, ...trap }] of Object.entries(TRAPS)) {
    const number = nr[column];
    if (number !== undefined) calls[name as Call] = { ...trap, nr: number };
  }
  return calls;
}

export function traps(mode: TrapMode, { calls } = ARCHITECTURE): readonly [Call, Trap][] {
  const all = Object.entries(calls) as [Call, Trap][];
  switch (mode) {
    case "plain":
      return all.filter(([, { strict }]) => strict === undefined || strict === "any argument").map(
        ([name, { nr, when }]) => [name, { nr, when }],
      );
    case "whole":
      return all.filter(([, { strict }]) => strict !== "watched" && strict !== "traced").map(
        ([name, { nr, when, strict }]) => [name, strict === "any argument" ? { nr } : { nr, when }],
      );
    case "traced":
      // The seals are those of a watched file.
      return all.filter(([name, { strict }]) => name !== "fcntl" && strict !== true && strict !== "watched")
        .map(
          ([name, { nr, when, unless, emptyPath }]) => [name, { nr, when, unless, emptyPath }],
        );
  }
}

/** The calls that the guard watches by number. */
export function watchedCalls({ calls } = ARCHITECTURE): readonly (readonly [Call, Trap])[] {
  return (Object.entries(calls) as [Call, Trap][]).filter(([, { watched }]) => watched !== undefined);
}

/** Calls that can wait: what they open, connect to or receive from decides. A signal may interrupt them on Linux as well. */
const WAITING: readonly Call[] = [
  ...["open", "openat", "openat2", "creat", "open_by_handle_at", "connect", "recvmsg", "recvmmsg"] as const,
  ...[
    "execve",
    "execveat",
    "truncate",
    "ftruncate",
    "fallocate",
    "fcntl",
    "ioctl",
    "mount",
    "umount2",
  ] as const,
];

/** The numbers of the trapped calls that no signal interrupts on Linux. */
export function steadyCalls(): readonly number[] {
  return traps("traced").filter(([name]) => !WAITING.includes(name)).map(([, { nr }]) => nr);
}
