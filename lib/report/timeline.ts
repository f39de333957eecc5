/** The events of a live update on one time axis: phases, participants, the blackout, and the kernel's share. */
import type { KernelShare, Timeline, TimelineBar } from "../schema/report_types.ts";
import type { Moment, UpdateEvent, UpdateRecord, UpdateSummary } from "../schema/types.ts";
import { type Axis, joinClocks } from "./clocks.ts";

/** A moment that systemd noted, on the clock of one of the kernels. */
export interface Mark {
  readonly name: string;
  readonly monotonic: number;
  readonly boot: Moment["boot"];
}

export function timeline(record: UpdateRecord, marks: readonly Mark[] = []): Timeline {
  const { events } = record;
  const moments = events.flatMap(({ started, ended }) => ended === undefined ? [started] : [started, ended]);
  const axis = joinClocks(moments);
  const bars = events.map((event) => barOf(event, axis)).sort(byStart);
  const total = Math.max(0, ...bars.map(({ from, to }) => to ?? from));
  const first = moments[0];
  return {
    startedAt: first?.at ?? "",
    total,
    bars,
    ...optional("blackout", blackout(bars, total)),
    ...optional("kernel", kernelShare(events, axis)),
    participants: record.participants.map(({ name }) => ({ name, ...ownBlackout(bars, name) })),
    marks: first === undefined ? [] : placed(marks, moments, axis, total),
    notes: [...axis.notes],
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [_ in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [_ in K]?: V };
}

function barOf(
  { event, participant, started, ended, outcome, reason }: UpdateEvent,
  axis: Axis,
): TimelineBar {
  const from = axis.at(started);
  return {
    event,
    ...optional("participant", participant),
    from,
    ...optional("to", ended && Math.max(from, axis.at(ended))),
    ...optional("outcome", outcome),
    ...optional("reason", reason),
  };
}

/** A phase comes before its parts. */
function byStart(one: TimelineBar, other: TimelineBar): number {
  return one.from - other.from ||
    Number(one.participant !== undefined) - Number(other.participant !== undefined);
}

/** The parts of participants, or the phases when there are none. */
function partsOf(bars: readonly TimelineBar[], event: TimelineBar["event"]): TimelineBar[] {
  const all = bars.filter((bar) => bar.event === event && bar.outcome !== "skipped");
  const parts = all.filter(({ participant }) => participant !== undefined);
  return parts.length > 0 ? parts : all;
}

function blackout(bars: readonly TimelineBar[], total: number): Timeline["blackout"] {
  const frozen = partsOf(bars, "freeze");
  const [first] = frozen;
  if (first === undefined) return undefined;
  const ends = frozen.map(({ participant }) => runsAgain(bars, participant));
  const over = ends.every((end) => end !== undefined);
  const to = over ? Math.max(...ends) : total;
  return { from: first.from, to, over };
}

/**
 * When the workload went on: in the next kernel, or in the old one after a cancel. Without participants no `updated` comes: all goes on
 * when the agent has started.
 */
function runsAgain(bars: readonly TimelineBar[], participant: string | undefined): number | undefined {
  return bars.findLast(({ event, outcome, participant: of }) =>
    of === participant && outcome === "done" &&
    (event === "updated" || event === "cancel" || event === "start" && participant === undefined)
  )?.to;
}

function ownBlackout(bars: readonly TimelineBar[], name: string): { from?: number; to?: number } {
  const freeze = bars.find((bar) =>
    bar.event === "freeze" && bar.participant === name && bar.outcome !== "skipped"
  );
  if (freeze === undefined) return {};
  return { from: freeze.from, ...optional("to", runsAgain(bars, name)) };
}

function kernelShare(events: readonly UpdateEvent[], axis: Axis): KernelShare | undefined {
  const kexec = events.findLast(({ event, ended }) => event === "kexec" && ended?.boot === "to");
  if (kexec?.ended === undefined) return undefined;
  const from = axis.at(kexec.started);
  return { from, clock: Math.max(from, axis.clock ?? from), to: axis.at(kexec.ended), basis: axis.basis };
}

/** systemd's clock is CLOCK_MONOTONIC, which differs from CLOCK_BOOTTIME by the suspends: a moment with both tells by how much. */
function placed(
  marks: readonly Mark[],
  moments: readonly Moment[],
  axis: Axis,
  total: number,
): Timeline["marks"] {
  return marks.flatMap(({ name, monotonic, boot }) => {
    const other = moments.find((moment) => moment.boot === boot);
    if (other === undefined) return [];
    const at = axis.at({ ...other, boottime: monotonic + other.boottime - other.monotonic });
    return at < 0 || at > total ? [] : [{ name, at }];
  }).sort((one, other) => one.at - other.at);
}

/** The update in one line of the history. */
export function summary(record: UpdateRecord): UpdateSummary {
  const { startedAt, total, blackout } = timeline(record);
  const { id, from, to, outcome, by, reason, participants } = record;
  return {
    id,
    startedAt,
    from: from.release,
    ...optional("to", to?.release),
    ...optional("outcome", outcome),
    ...optional("by", by),
    ...optional("reason", reason),
    participants: participants.length,
    total,
    ...optional("blackout", blackout?.over ? blackout.to - blackout.from : undefined),
  };
}
