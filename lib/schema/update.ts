/** A live update as the agent coordinates it: its state, its participants, and the record of every event. */
import {
  about,
  bool,
  bytes,
  exactInt,
  int,
  list,
  maybe,
  named,
  type Schema,
  struct,
  text,
  time,
  token,
  words,
} from "./parts.ts";
import { FileState } from "./session.ts";

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

/** The type `UpdateEvent`. */
export const UpdateEvent: Schema = named(
  "UpdateEvent",
  struct({
    event: UpdateEventName,
    participant: maybe(about(text, "Missing: the whole phase, which contains the parts of all participants")),
    started: Moment,
    ended: maybe(about(Moment, "Missing: it is under way, or the agent ended in it")),
    outcome: maybe(UpdateOutcome),
    reason: maybe(about(text, "Why it is not done")),
    pid: maybe(about(int, "The process of the participant")),
  }),
  "An event of an update: a phase, or one participant's part in it.",
);

/** Seconds that a participant may take for each event. */
export const deadlines: Schema = struct({
  prepare: maybe(about(int, "By default 300")),
  freeze: maybe(about(int, "By default 10")),
  cancel: maybe(about(int, "By default 30")),
  updated: maybe(about(int, "By default 300")),
  finish: maybe(about(int, "By default 60")),
});

/** The type `UpdateParticipant`. */
export const UpdateParticipant: Schema = named(
  "UpdateParticipant",
  struct({
    name: about(text, "The name of its executable, or the one it gave to Participate"),
    kind: words({
      executable: "started by the agent for each event",
      subscriber: "a program that called Participate",
    }),
    after: about(list(text), "The participants that are called before it with prepare and freeze"),
    seconds: about(deadlines, "The deadline of each event"),
    session: about(text, "The session that the agent made for it"),
    sessionMade: maybe(
      about(bool, "Whether this update made the session, and closes it when it is cancelled"),
    ),
    answer: maybe(about(text, "What it printed at its last event, with which it is called again")),
    holdsSession: maybe(about(
      bool,
      "Whether it was sent the session's descriptor: its word stands for the files that luo does not know",
    )),
    done: about(list(UpdateEventName), "The events that it did, in this update"),
  }),
  "A participant of an update.",
);

/** The type `FileVerdict`. */
export const FileVerdict: Schema = named(
  "FileVerdict",
  struct({
    session: about(text, "The name of the session"),
    token,
    label: maybe(about(text, "Words that were given with the file")),
    verdict: words({
      same: "the bytes are those of the digest",
      changed:
        "other bytes; the file was not sealed against writing, so that it may have changed after the digest was taken",
      damaged: "other bytes, although the file was sealed against writing",
      missing: "the kernel does not have the file",
      unknown: "no digest was taken, or the file could not be read",
    }),
    reason: maybe(about(text, "Why the verdict is unknown, in words")),
  }),
  "What became of a preserved file.",
);

/** The type `UpdateRecord`. A new field is optional: the agent of the next kernel may be older. */
export const UpdateRecord: Schema = named(
  "UpdateRecord",
  struct({
    version: about(int, "1"),
    id: about(text, "A UUID"),
    state: UpdateState,
    outcome: maybe(words({
      done: "the next kernel runs, and every participant finished",
      cancelled: "it was cancelled by hand",
      failed: "it was cancelled because something failed; by and reason say what",
      lost: "the machine ended without a kexec",
    })),
    by: maybe(about(text, "The participant that failed first; missing when it was luo or the kernel")),
    reason: maybe(about(text, "Why the update failed")),
    from: about(
      struct({ release: text, bootId: text }),
      "The kernel before",
    ),
    to: maybe(about(
      struct({ release: maybe(text), bootId: maybe(about(text, "Missing before the kexec")) }),
      "The next kernel, as far as it is known",
    )),
    finishes: about(bool, "Whether it finishes by itself in the next kernel: the update of luo update run"),
    loaded: about(bool, "Whether this update loaded the image, and unloads it when it is cancelled"),
    digest: about(bool, "Whether digests are taken of all files at freeze"),
    blackoutSeconds: about(exactInt, "The most seconds from the first freeze to the kexec"),
    participants: list(UpdateParticipant),
    events: list(UpdateEvent),
    verdicts: maybe(list(FileVerdict)),
    losses: maybe(about(list(text), "What was lost in it, a sentence each")),
  }),
  "A live update from its first step to its last.",
);

/**
 * The type `ParticipantFile`. It has a name of its own because systemd refuses an interface in which a struct without a name refers
 * to another type.
 */
export const ParticipantFile: Schema = named(
  "ParticipantFile",
  struct({
    token,
    label: maybe(about(text, "Words that were given with the file")),
    size: bytes,
    state: FileState,
  }),
  "A file in the session of a participant.",
);

/** The type `ParticipantEvent`. */
export const ParticipantEvent: Schema = named(
  "ParticipantEvent",
  struct({
    update: about(text, "The id of the update"),
    event: about(UpdateEventName, "prepare, freeze, cancel, updated or finish"),
    participant: about(text, "The name of the participant"),
    session: about(text, "The session that the agent made for it"),
    kernel: about(
      struct({
        from: about(text, "The release of the kernel before"),
        to: maybe(about(text, "That of the next kernel, when it is known")),
      }),
      "The kernels of the update",
    ),
    deadline: time,
    seconds: about(int, "The seconds that are left until then"),
    answer: maybe(about(text, "What the participant printed before, over the kexec too")),
    files: about(
      list(ParticipantFile),
      "The files in the session",
    ),
  }),
  "What a participant is told with an event.",
);

/** The type `UpdateNow`. */
export const UpdateNow: Schema = named(
  "UpdateNow",
  struct({ state: UpdateState, update: maybe(about(UpdateRecord, "Missing: there was none yet")) }),
  "The live update that is under way, or the last one.",
);

/** The type `UpdateSummary`. */
export const UpdateSummary: Schema = named(
  "UpdateSummary",
  struct({
    id: about(text, "A UUID"),
    startedAt: about(text, "RFC 3339, in UTC"),
    from: about(text, "The release of the kernel before"),
    to: maybe(about(text, "The release of the next kernel")),
    outcome: maybe(about(text, "done, cancelled, failed or lost; missing while it is under way")),
    by: maybe(about(text, "The participant that failed first")),
    reason: maybe(about(text, "Why the update failed")),
    participants: about(int, "How many took part"),
    total: about(int, "Microseconds from the first event to the end of the last"),
    blackout: maybe(about(int, "Microseconds from the first freeze to the last workload that ran again")),
  }),
  "One update of the history.",
);

/** The types that the agent's interface refers to, in the order in which documents list them. */
export const UPDATE_TYPES: readonly Schema[] = [
  UpdateState,
  UpdateEventName,
  UpdateOutcome,
  Moment,
  UpdateEvent,
  UpdateParticipant,
  FileVerdict,
  ParticipantFile,
  ParticipantEvent,
  UpdateRecord,
  UpdateNow,
  UpdateSummary,
];
