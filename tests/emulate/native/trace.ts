/** The parameters of a run of the native client, and the comparison of two traces. */
import type { Job } from "./places.ts";

/** The operations depend on these alone. */
export interface Traffic {
  readonly seed: number;
  readonly boots: number;
  /** Operations of a boot; some more end it. */
  readonly count: number;
  /** Groups of operations left out, by letter: `group` in operation.h. */
  readonly without: string;
}

export function job(traffic: Traffic, program: string): Job {
  const { seed, boots, count, without } = traffic;
  return {
    command: `LUO_NATIVE_DIR=\${P:?} exec $P/native ${seed} ${boots} ${count} "${without}"`,
    programs: { native: program },
    boots,
    timeout_ms: 840_000,
  };
}

/** The first difference of two traces: the shortest prefix of the traffic that shows it ends there. */
export interface Difference {
  /** The number of operations since power-on, the one that differs included. */
  readonly operations: number;
  readonly linux: string | undefined;
  readonly emulate: string | undefined;
}

export function firstDifference(
  linux: readonly string[],
  emulate: readonly string[],
): Difference | undefined {
  for (let at = 0; at < Math.max(linux.length, emulate.length); at++) {
    if (linux[at] !== emulate[at]) return { operations: at + 1, linux: linux[at], emulate: emulate[at] };
  }
}

export function lines(out: string): string[] {
  return out.split("\n").filter((line) => line !== "");
}

export function explain(traffic: Traffic, difference: Difference): string {
  const { seed, boots, count, without } = traffic;
  return `seed ${seed}, ${boots} boots of ${count} operations, without "${without}": ` +
    `the first ${difference.operations} are the shortest prefix that differs\n` +
    `  Linux:   ${difference.linux}\n  emulate: ${difference.emulate}`;
}
