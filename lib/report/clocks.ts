/** Joins the clocks of the kernels before and after a kexec to one time axis. */
import type { Moment } from "../schema/types.ts";

const SECOND_US = 1_000_000;
/** Wall clocks that were read at nearly the same time as another clock differ by no more. */
const SAME_US = 50_000;
/** A kexec takes no longer; a wall clock that says so was wrong. */
const LONGEST_US = 600 * SECOND_US;

/** How the clocks of the two kernels are joined. */
export type Basis = "wall" | "unknown" | "same";

export interface Axis {
  /** Microseconds since the update began. */
  at(moment: Moment): number;
  /** When the next kernel's clock started; undefined: it has none of its own. */
  readonly clock: number | undefined;
  readonly basis: Basis;
  readonly notes: readonly string[];
}

/**
 * The axis that begins with the first of the moments. In each kernel CLOCK_BOOTTIME counts: nothing sets it. Between the last moment of
 * the old kernel and the start of the new one's clock lies a time that neither counts; only the wall clocks span it.
 */
export function joinClocks(moments: readonly Moment[]): Axis {
  const before = moments.filter(({ boot }) => boot === "from");
  const after = moments.filter(({ boot }) => boot === "to");
  const start = earliest(before) ?? earliest(after);
  if (start === undefined) return { at: () => 0, clock: undefined, basis: "same", notes: [] };
  const notes = [...stepped("the kernel before", before), ...stepped("the next kernel", after)];
  const last = before.reduce<Moment | undefined>((a, b) => a && a.boottime > b.boottime ? a : b, undefined);
  const first = earliest(after);
  if (last === undefined || first === undefined || haveOneClock(last, first)) {
    return { at: ({ boottime }) => boottime - start.boottime, clock: undefined, basis: "same", notes };
  }
  const between = clockZero(first) - realtime(last);
  const known = between >= -SECOND_US && between <= LONGEST_US;
  const clock = last.boottime - start.boottime + (known ? Math.max(0, between) : 0);
  if (!known) {
    notes.push(
      "The wall clocks of the two kernels contradict each other: the time between them is not known",
    );
  }
  return {
    at: ({ boot, boottime }) => boot === "from" ? boottime - start.boottime : clock + boottime,
    clock,
    basis: known ? "wall" : "unknown",
    notes,
  };
}

function earliest(moments: readonly Moment[]): Moment | undefined {
  return moments.reduce<Moment | undefined>((a, b) => a && a.boottime <= b.boottime ? a : b, undefined);
}

/** The wall clock when CLOCK_BOOTTIME was 0. */
function clockZero(moment: Moment): number {
  return realtime(moment) - moment.boottime;
}

function haveOneClock(last: Moment, first: Moment): boolean {
  return Math.abs(clockZero(last) - clockZero(first)) < SAME_US && first.boottime >= last.boottime;
}

/** Microseconds since 1970. Date counts milliseconds. */
export function realtime({ at }: Pick<Moment, "at">): number {
  const [, seconds = at, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(at) ?? [];
  const whole = Date.parse(`${seconds}Z`);
  return Number.isNaN(whole) ? 0 : whole * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}

function stepped(kernel: string, moments: readonly Moment[]): string[] {
  const zeros = moments.map(clockZero);
  if (zeros.length === 0) return [];
  const step = Math.max(...zeros) - Math.min(...zeros);
  if (step < SAME_US) return [];
  const seconds = (step / SECOND_US).toFixed(3);
  return [`The wall clock of ${kernel} was set by ${seconds} s meanwhile; the times here do not follow it`];
}
