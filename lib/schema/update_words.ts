/** The words and moments of a live update: its states, its events and how they ended. */
import { about, int, named, type Schema, struct, text, words } from "./parts.ts";

/** The type `UpdateState`. The four that last are those of the v2 series of the kernel; the others are on the way between them. */
export const UpdateState: Schema = named(
  "UpdateState",
  words({
    normal: "no update is under way",
    preparing: "participants are called with prepare",
    prepared: "bulk memory is preserved, and workloads run",
    freezing: "participants are called with freeze: the blackout has begun",
    frozen: "the last state is preserved: only the kexec is missing",
    cancelling: "participants are called with cancel",
    updating: "the next kernel runs, and participants are called with updated",
    updated: "the next kernel runs, and all participants were called with updated",
    finishing: "participants are called with finish",
  }),
);

/** The type `UpdateEventName`. The first five are said to participants, the others are phases of the agent alone. */
export const UpdateEventName: Schema = named(
  "UpdateEventName",
  words({
    prepare: "preserve bulk memory; workloads run",
    freeze: "stop, and preserve the last state",
    cancel: "the update does not happen: go on as before",
    updated: "the next kernel runs: take back what was preserved, and go on",
    finish: "all is well: what is left of the update can go",
    check: "luo checks the image, the sessions and the participants",
    load: "luo loads the image",
    digest: "luo takes digests of preserved files, before the kexec",
    kexec: "from the reboot call to the first instruction of the agent in the next kernel",
    start: "the agent of the next kernel starts and finds the update",
    verify: "luo compares digests, after the kexec",
  }),
);

/** The type `UpdateOutcome`. */
export const UpdateOutcome: Schema = named(
  "UpdateOutcome",
  words({
    done: "it worked",
    veto: "the participant said no",
    late: "the deadline came first",
    died: "the participant was killed, or its connection ended",
    failed: "it could not be done: the participant cannot be started, prints too much, or luo itself failed",
    skipped: "not called, because a participant that comes before it did not do its part",
  }),
);

/** The type `Moment`. */
export const Moment: Schema = named(
  "Moment",
  struct({
    at: about(text, "CLOCK_REALTIME as RFC 3339, in UTC, with microseconds"),
    boottime: about(
      int,
      "CLOCK_BOOTTIME in microseconds: it counts from the start of the kernel named in boot",
    ),
    monotonic: about(int, "CLOCK_MONOTONIC in microseconds: as boottime, without the time of suspends"),
    boot: words({ from: "the clocks of the kernel before", to: "the clocks of the next kernel" }),
  }),
  "A point in time on three clocks.",
);
