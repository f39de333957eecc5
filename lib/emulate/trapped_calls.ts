/** The trapped calls of one architecture: which numbers the filter sends to luo. */
import { type Call, TRAPS } from "./system_call_table.ts";

export type { Call } from "./system_call_table.ts";

/** A call is trapped always, or when one of its arguments (masked) has a value. */
export interface Trap {
  readonly nr: number;
  readonly when?: { readonly argument: number; readonly mask?: number; readonly is: number };
  readonly strict?: true | "any argument";
}

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

export function traps(strict: boolean, { calls } = ARCHITECTURE): readonly [Call, Trap][] {
  const all = Object.entries(calls) as [Call, Trap][];
  if (!strict) return all.filter(([, trap]) => trap.strict !== true);
  return all.map(([name, trap]) => [name, trap.strict === "any argument" ? { nr: trap.nr } : trap]);
}
