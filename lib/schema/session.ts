/** Sessions and files as the agent, its journal and every `--json` tell of them. */
import {
  about,
  bool,
  bytes,
  type Fields,
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

/** The type `SessionState`. */
export const SessionState: Schema = named(
  "SessionState",
  words({
    outgoing: "created in this kernel, goes into the next one",
    incoming: "handed over by the previous kernel and still safe there, not retrieved",
    retrieved: "handed over and held by the agent; finished when the agent closes it, or dies",
  }),
);

/** The type `FileState`. */
export const FileState: Schema = named(
  "FileState",
  words({
    preserved: "in an outgoing session",
    waiting: "handed over, not restored yet",
    restored: "handed over and restored at least once",
    held:
      "of a kept session, and open in the agent only: the kernel refused to preserve it again, so it does not go over a kexec",
  }),
);

/** The type `KindOfFile`. */
export const KindOfFile: Schema = named(
  "KindOfFile",
  words({
    memfd: "a memfd, or a tmpfs file without a name: Linux's memfd handler took it",
    hugetlb: "a memfd with huge pages (MFD_HUGETLB): a handler took it that Linux 7.3 does not have",
  }),
);

/** The fields of `File`. A new one is optional: journals of older agents do not have it. */
export const fileFields: Fields = {
  token,
  label: maybe(about(text, "Words that were given with the file")),
  size: bytes,
  digest: maybe(about(text, '"sha256:" and 64 hex digits: the contents when they were preserved')),
  sizeNow: maybe(about(
    int,
    "Only in GetStatus: the size now, when it is not the size at PRESERVE, with which the file goes over a kexec",
  )),
  seals: about(int, "The F_SEAL_ flags of fcntl(2) when it was preserved: these survive"),
  kind: maybe(about(
    KindOfFile,
    "Which handler of the kernel took the file. Missing: not known. It is a file of another kind, an agent of an earlier version took " +
      "it, or another program preserved it",
  )),
  preservedAt: maybe(about(
    text,
    "RFC 3339, in UTC. Missing when the agent has no record that the file was preserved",
  )),
  verdict: maybe(about(
    words({
      same: "the contents have the digest",
      changed:
        "they do not; the file was not sealed against writing, so they may have changed after the digest was taken",
      damaged: "they do not, although the file was sealed against writing",
    }),
    "Only in kept sessions: what the agent found when it compared the digest after the last kexec",
  )),
  position: maybe(about(int, "The file position at the kexec. Known after the first RestoreFile")),
  state: FileState,
};

/** The type `File`. */
export const File: Schema = named("File", struct(fileFields), "A file in a session.");

/** Whether a list of files is complete. */
export const filesKnown: Schema = maybe(about(
  bool,
  "False: the session may hold files that are not listed, because another program preserved them or the agent's record of them " +
    "is lost; the kernel cannot list files. Left out when the list is complete",
));

/** The fields of `Session`. A new one is optional: journals of older agents do not have it. */
export const sessionFields: Fields = {
  name: about(text, "At most 63 bytes, as the kernel has it"),
  state: SessionState,
  createdAt: about(
    text,
    "Kept across the kexec. When files are unknown: when the agent first saw the session",
  ),
  files: list(File),
  filesKnown,
  keep: maybe(about(bool, "True: after each kexec the agent preserves the session again by itself")),
  opened: maybe(about(
    bool,
    "True: in this boot another program was given the session's descriptor. It can preserve, restore and finish by itself, and the " +
      "session lives as long as it holds the descriptor",
  )),
  keepProblem: maybe(about(text, "Why the agent could not preserve a kept session again, as a clause")),
  found: maybe(about(
    words({
      adopted: "the fd store of systemd had it",
      retrieved: "the agent retrieved it from the kernel, to learn whether it is there",
      orphaned: "the journal names it and the fd store did not have it: it waits in the kernel",
      unknown: "the fd store had it, and no journal names it",
    }),
    "Only under systemd: how the agent came by it at its start. Left out for a session that came later",
  )),
};

/** The type `Session`. */
export const Session: Schema = named(
  "Session",
  struct(sessionFields),
  "A named set of files that survives a kexec.",
);

/** The type `LostFile`. */
export const LostFile: Schema = named(
  "LostFile",
  struct({ token, label: maybe(about(text, "Words that were given with the file")), size: bytes }),
  "A file of a lost session.",
);

/** The type `Loss`. */
export const Loss: Schema = named(
  "Loss",
  struct({
    session: about(text, "The name of the session"),
    state: about(SessionState, "The session's state when it was lost"),
    files: list(LostFile),
    filesKnown: maybe(about(bool, "As in Session")),
    reason: about(text, "Why it is gone"),
    at: time,
  }),
  "Preserved data that is gone, and why.",
);
