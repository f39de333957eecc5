/** The rows of a timeline's chart, and the words of its numbers: for text, SVG and HTML. */
import type { KernelShare, Timeline, TimelineBar } from "../../lib/schema/report_types.ts";

/** The kind of a segment, which decides its colour. */
export type SegmentKind = "phase" | "part" | "failed" | "open" | "kernel" | "between";

export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly kind: SegmentKind;
}

export interface Row {
  readonly label: string;
  /** A participant's part in the phase above it. */
  readonly isPart: boolean;
  readonly segments: readonly Segment[];
  readonly from: number;
  readonly took: string;
  /** Outcome and reason, when it is not simply done. */
  readonly remark: string | undefined;
}

/** A part of the time axis, in microseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Where its numbers begin; missing: at `from`. */
  readonly zero?: number;
}

export function rowsOf({ bars, kernel, total }: Timeline): Row[] {
  return bars.map((bar) => ({
    label: bar.participant ?? bar.event,
    isPart: bar.participant !== undefined,
    segments: segmentsOf(bar, kernel, total),
    from: bar.from,
    took: bar.outcome === "skipped" ? "" : bar.to === undefined ? "not over" : duration(bar.to - bar.from),
    remark: remarkOf(bar),
  }));
}

function segmentsOf(bar: TimelineBar, kernel: KernelShare | undefined, total: number): Segment[] {
  const { event, from, to = total, outcome } = bar;
  if (outcome === "skipped") return [];
  if (event === "kexec" && kernel?.from === from && bar.to !== undefined) {
    return [{ from, to: kernel.clock, kind: "between" }, {
      from: kernel.clock,
      to: kernel.to,
      kind: "kernel",
    }];
  }
  const plain = bar.participant === undefined ? "phase" : "part";
  const kind = bar.to === undefined ? "open" : outcome === undefined || outcome === "done" ? plain : "failed";
  return [{ from, to, kind }];
}

function remarkOf({ to, outcome, reason }: TimelineBar): string | undefined {
  const said = outcome ?? (to === undefined ? "not over" : "done");
  if (reason !== undefined) return `${said}: ${reason}`;
  return said === "done" ? undefined : said;
}

/** `412 µs`, `12.3 ms`, `3.210 s`, `2 min 05 s`. */
export function duration(us: number): string {
  if (us < 1000) return `${us} µs`;
  if (us < 999_950) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 59_999_500) return `${(us / 1e6).toFixed(3)} s`;
  const seconds = Math.round(us / 1e6);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** How the kernel's share is divided, as a clause. */
export function kernelClause({ from, clock, to, basis }: KernelShare): string {
  if (basis === "same") return "both kernels have one clock";
  const boot = `${duration(to - clock)} of boot until the agent`;
  if (basis === "unknown") return `${boot}; what came before is not known`;
  return `${duration(clock - from)} from the reboot call to its clocks (right to a second), ${boot}`;
}

/** A round moment of a span, and its number on the axis. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** The ticks of an axis, at most `most` of them, 1, 2 or 5 times a power of ten apart. */
export function ticks({ from, to, zero = from }: Span, most: number): Tick[] {
  const rough = Math.max(1, to - zero) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const found: Tick[] = [];
  for (let at = 0; zero + at <= to; at += step) found.push({ at: zero + at, label: tickLabel(at) });
  return found;
}

/** `1.5 s` for an axis. */
function tickLabel(us: number): string {
  if (us === 0) return "0";
  if (us < 1000) return `${+us.toFixed(1)} µs`;
  if (us < 1e6) return `${+(us / 1000).toFixed(2)} ms`;
  return `${+(us / 1e6).toFixed(2)} s`;
}

/** The span of the blackout with a little room beside it, when it is too small to be seen in the whole. */
export function blackoutSpan({ blackout, total }: Timeline): Span | undefined {
  if (blackout === undefined || blackout.to - blackout.from > 0.6 * total) return undefined;
  const room = Math.max(1, 0.04 * (blackout.to - blackout.from));
  return {
    from: Math.max(0, blackout.from - room),
    to: Math.min(total, blackout.to + room),
    zero: blackout.from,
  };
}

/** Whether a row has something to show in the blackout. */
export function isDark({ blackout }: Timeline): (row: Row) => boolean {
  return ({ segments }) =>
    blackout !== undefined && segments.some(({ from, to }) => to >= blackout.from && from <= blackout.to);
}
