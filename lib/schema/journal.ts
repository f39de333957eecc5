/** The agent's journal: what it writes, and what it accepts from agents of other versions. */
import {
  about,
  bool,
  exactly,
  type Fields,
  int,
  list,
  maybe,
  named,
  oneOf,
  type Schema,
  struct,
  text,
} from "./parts.ts";
import { fileFields, Loss, Session, sessionFields } from "./session.ts";
import { Image, imageFields, LastUpdate, unlisted } from "./status.ts";

function journalFields(session: Schema, image: Schema): Fields {
  return {
    version: about(exactly(1), "The version of the journal's format"),
    bootId: about(text, "The boot that the agent ran in"),
    release: about(text, "The release of its kernel"),
    pid: about(int, "The process of the agent"),
    updates: about(int, "Live updates in a row."),
    sessions: list(session),
    image: maybe(image),
    lastUpdate: maybe(LastUpdate),
    unlisted,
    values: maybe(about(bool, "True: the session luo-values has values of luo put")),
    losses: list(Loss),
    ending: maybe(about(
      list(struct({ name: text, outgoing: bool })),
      "Sessions that were ended, and that may still be in the fd store: the next agent ends them there.",
    )),
    stored: maybe(about(bool, "True: the sessions that the agent held are in systemd's fd store")),
    ended: about(bool, "The agent ended by itself, and what it held is among the losses."),
  };
}

/** The type `Journal`, as the agent works with it. */
export const Journal: Schema = named(
  "Journal",
  struct(journalFields(Session, Image)),
  "What an agent leaves for the next one, in two places: in the manifest, for the agent of the next kernel, and in the record " +
    "beside its socket, for the agent that comes after it in the same boot.",
);

/** 0.1.0 calls a restored file `retrieved`, and so does every journal. A later version may know more kinds of files. */
const StoredFile = struct({
  ...fileFields,
  kind: maybe(text),
  state: oneOf("preserved", "waiting", "retrieved", "restored"),
});

const StoredSession = struct({ ...sessionFields, files: list(StoredFile) });

/** A journal as it stands in memory or in a file. Unknown words for who loaded an image do not make it unreadable. */
export const StoredJournal: Schema = struct(
  journalFields(StoredSession, struct({ ...imageFields, by: maybe(text) })),
);

/** One change in the log of a journal: a session as it is from then on, or one that is not in the journal any more. */
export const StoredChange: Schema = struct({
  session: maybe(StoredSession),
  gone: maybe(struct({ name: text, outgoing: bool })),
});

/** A value of `luo put` as it stands in memory or in a file. */
export const StoredValue: Schema = named(
  "StoredValue",
  struct({ key: text, data: about(text, "Base64"), at: about(text, "When it was put") }),
  "A value of luo put as the agent stores it.",
);

/** All values: a checkpoint. */
export const StoredValues: Schema = struct({
  version: exactly(1),
  bootId: about(text, "The boot that the agent ran in"),
  values: list(StoredValue),
});

/** One change in the log of the values: one of the two. */
export const StoredValueChange: Schema = struct({ put: maybe(StoredValue), drop: maybe(text) });
