/** Participants of a live update: what is known of them, and what they are told. */
import {
  about,
  bool,
  bytes,
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
import { UpdateEventName } from "./update_words.ts";

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
