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
  readonly copies?: true;
  readonly opens?: number;
}

/** Without --strict or with it; "traced": besides the filters by which the guard watches numbers. */
export type TrapMode = "plain" | "plain traced" | "strict" | "strict traced";

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

/** What the filter of every process traps. */
export function traps(mode: TrapMode, { calls } = ARCHITECTURE): readonly [Call, Trap][] {
  return (Object.entries(calls) as [Call, Trap][]).flatMap(([name, trap]) => {
    const trapped = trapIn(mode, name, trap);
    return trapped === undefined ? [] : [[name, trapped]];
  });
}

function trapIn(mode: TrapMode, name: Call, trap: Trap): Trap | undefined {
  const { nr, when, unless, emptyPath, strict, opens } = trap;
  switch (mode) {
    case "plain":
      return strict === undefined || strict === "any argument" ? { nr, when } : undefined;
    case "plain traced":
      if (name === "seccomp") return { nr, unless };
      return strict === undefined || strict === "any argument" ? { nr, when, emptyPath, opens } : undefined;
    case "strict":
      if (strict === "watched" || strict === "traced") return undefined;
      return strict === "any argument" ? { nr } : { nr, when };
    case "strict traced":
      // The seals are those of a watched file.
      if (name === "fcntl" || strict === true || strict === "watched") return undefined;
      return { nr, when, unless, emptyPath, opens };
  }
}

/** The calls that the guard watches by number. Without --strict: those about an fd that are trapped otherwise, and copies of an fd. */
export function watchedCalls(strict: boolean, { calls } = ARCHITECTURE): readonly (readonly [Call, Trap])[] {
  return (Object.entries(calls) as [Call, Trap][]).filter(([, { watched, emptyPath, copies }]) =>
    watched !== undefined && (strict || emptyPath !== undefined || copies)
  );
}

/** The calls that programs make most often. Each place in a filter's list costs the calls that come later something. */
const FREQUENT: readonly Call[] = [
  "write",
  "read",
  "fcntl",
  "newfstatat",
  "fstat",
  "lseek",
  "pread64",
  "pwrite64",
];

/** Compares two calls of a list: the frequent ones come first. */
export function byFrequency(one: Call, other: Call): number {
  const rank = (name: Call) => FREQUENT.includes(name) ? FREQUENT.indexOf(name) : FREQUENT.length;
  return rank(one) - rank(other);
}

/** The opens that only read, with the place of their flags. */
export function readingOpens(
  { calls } = ARCHITECTURE,
): readonly { readonly nr: number; readonly opens: number }[] {
  return Object.values(calls).flatMap(({ nr, opens }) => opens === undefined ? [] : [{ nr, opens }]);
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
  return traps("strict traced").filter(([name]) => !WAITING.includes(name)).map(([, { nr }]) => nr);
}
