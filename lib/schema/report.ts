/** The report of a live update: its events on one time axis. */
import { about, bool, int, list, maybe, named, type Schema, struct, text, words } from "./parts.ts";
import { UpdateRecord } from "./update.ts";
import { UpdateEventName, UpdateOutcome } from "./update_words.ts";

const from = about(int, "Microseconds since the update began");
const to = maybe(about(int, "Missing: it was not over when the record was written"));

/** The type `TimelineBar`. */
export const TimelineBar: Schema = named(
  "TimelineBar",
  struct({
    event: UpdateEventName,
    participant: maybe(about(text, "Missing: the whole phase")),
    from,
    to,
    outcome: maybe(UpdateOutcome),
    reason: maybe(text),
  }),
  "An event of an update on its time axis.",
);

/** The type `KernelShare`. */
export const KernelShare: Schema = named(
  "KernelShare",
  struct({
    from: about(int, "The reboot call"),
    clock: about(int, "The next kernel's clocks start"),
    to: about(int, "The first instruction of its agent"),
    basis: words({
      wall:
        "the clocks of both kernels are joined by their wall clocks; that of a kernel can start with whole seconds, so that clock - from is right to a second",
      unknown:
        "the wall clocks contradict each other: nothing is known about clock - from, and it is taken as 0",
      same: "both kernels have one clock: those of the model",
    }),
  }),
  "The kernel's share of an update, in microseconds since the update began.",
);

/** The type `Timeline`. */
export const Timeline: Schema = named(
  "Timeline",
  struct({
    startedAt: about(text, "RFC 3339, in UTC: the wall clock when the update began"),
    total: about(int, "Microseconds from the first event to the end of the last"),
    bars: about(list(TimelineBar), "In the order of their beginnings, each phase before its parts"),
    blackout: maybe(about(
      struct({
        from,
        to: about(int, "Now, as far as the record knows, when it is not over"),
        over: about(bool, "False: a participant that was frozen does not run again yet"),
      }),
      "From the first freeze to the last workload that runs again; missing when nothing was frozen",
    )),
    kernel: maybe(about(KernelShare, "Missing when there was no kexec, or its moment is not known")),
    participants: about(
      list(struct({
        name: text,
        from: maybe(about(int, "When its freeze began; missing when it was not frozen")),
        to: maybe(about(int, "When its workload ran again; missing when it does not yet")),
      })),
      "The blackout of each participant",
    ),
    marks: about(
      list(struct({ name: text, at: int })),
      "Moments that systemd noted, in microseconds since the update began",
    ),
    notes: about(list(text), "What the times cannot say, a sentence each"),
  }),
  "The events of both kernels on one time axis.",
);

/** The types of the report, in the order in which documents list them. */
export const REPORT_TYPES: readonly Schema[] = [TimelineBar, KernelShare, Timeline];

/** The answer of `update report`. */
export const Report: Schema = struct({ update: UpdateRecord, timeline: Timeline });
