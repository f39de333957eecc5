/** A live update as the agent coordinates it: the record of every event. */
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
  token,
  words,
} from "./parts.ts";
import { ParticipantEvent, ParticipantFile, UpdateParticipant } from "./update_participant.ts";
import { Moment, UpdateEventName, UpdateOutcome, UpdateState } from "./update_words.ts";

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
    progress: maybe(about(
      struct({ done: bytes, total: bytes }),
      "How far luo is with the digests, of digest and verify",
    )),
  }),
  "An event of an update: a phase, or one participant's part in it.",
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
