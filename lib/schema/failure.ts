/** The error of a command as `--json` writes it to standard error. */
import { about, int, list, maybe, named, type Schema, struct, text, words } from "./parts.ts";

/** Every kind of failure with its meaning: stable words for scripts to branch on. */
export const FAILURE_KINDS: Readonly<Record<string, string>> = {
  "usage": "the command line cannot be right",
  "bad-request": "the request of the command line cannot be right",
  "kernel-error": "a system call of the agent failed; operation, subject and errno say which",
  "file-error": "a file of the caller could not be read or written",
  "no-such-session": "known lists the sessions that exist",
  "no-such-file": "known lists the tokens that exist",
  "no-such-key": "there is no value under the key",
  "no-such-update": "known lists the ids of the updates that exist",
  "wrong-state": "the session or the live update is not in a state that allows this",
  "digest-mismatch": "the contents are not what was preserved; the file was not given out",
  "vetoed": "a participant said no to the live update; reasons has its words",
  "update-failed": "the live update failed; before the kexec it was cancelled, and the machine is as before",
  "refused": "data would be lost; reasons says which, --force overrides it",
  "unavailable": "no device, no permission, no agent",
  "not-executable": "the command to execute cannot be executed",
  "command-not-found": "the command to execute does not exist",
  "interrupted": "Ctrl-C",
  "broken-pipe": "the reader of standard output closed the pipe",
  "internal": "a bug in luo",
};

/** The type `FailureKind`. */
export const FailureKind: Schema = named("FailureKind", words(FAILURE_KINDS));

/** The type `Failure`. */
export const FailureObject: Schema = named(
  "Failure",
  struct({
    kind: FailureKind,
    message: about(text, "For people; it may change"),
    exit: about(int, "The exit code of the process"),
    operation: maybe(about(text, "The operation that failed: preserve, open, kexec load")),
    subject: maybe(about(text, "The object of the operation, as people read it")),
    errno: maybe(about(text, "The error of the system call by name: EBUSY")),
    reasons: maybe(about(list(text), "Why the command was refused")),
    known: maybe(about(list(text), "The names or tokens that exist, when the given one does not")),
    hints: maybe(about(list(text), "Steps for people; their words may change")),
  }),
  "The error of a command that ends with another exit code than 0.",
);
