/** The errors of io.luo.Agent. Those of org.varlink.service are used as that interface defines them. */
import { about, int, list, maybe, named, type Schema, struct, text, token, words } from "./parts.ts";
import { SessionState } from "./session.ts";
import { UpdateEventName, UpdateOutcome, UpdateState } from "./update_words.ts";

/** One error. */
export interface ErrorDescription {
  /** When it is the answer, in full sentences. */
  readonly about: string;
  /** Its parameters. */
  readonly parameters: Schema;
}

/** The type `ProblemCode`. A command maps each code to the step that keeps the data. */
export const ProblemCode: Schema = named(
  "ProblemCode",
  words({
    file_not_restored: "a file of a retrieved session was never restored",
    files_unknown: "the session may hold files that the agent does not know",
    file_resized: "a preserved file has another size now",
    file_preserved: "a file of an outgoing session would no longer be preserved",
    file_not_restorable: "the kernel does not give out a file of a session that was handed over",
    file_not_preserved: "the kernel refused to preserve a file of a kept session again",
    values_not_preserved: "the kernel does not take the values of luo put",
    session_outgoing: "an outgoing session would be lost",
    session_of_systemd: "PID 1 expects to retrieve the session",
    session_not_retrieved: "an incoming session is not retrieved",
    session_not_finished: "a retrieved session is not finished",
    sessions_unknown:
      "sessions may wait in the kernel that luo does not know: the device cannot be opened, or luo has no list of the handover",
    image_foreign: "another program loaded the image",
    image_changed: "the image can no longer be loaded as it was",
    image_not_held: "the agent has no copy of the image to load once more",
    image_truncated: "the image ends too early",
    image_unread:
      "the kernel in the image cannot be read (damaged, too large, too slow, packed in an unknown way), so nothing is known of it",
    image_old: "the image is from before live update",
    liveupdate_off: "the command line of the image does not switch live update on",
    kho_off: "the command line of the image does not switch KHO on",
    kho_format: "the image does not read KHO's tree as the running kernel writes it",
    luo_format: "the image does not read LUO's data as the running kernel writes it",
    file_handlers: "the image has no handler for preserved files",
    liveupdate_built_in: "the image is built without live update",
    kho_built_in: "the image is built without KHO",
    access_changes: "the file descriptor would come back with other access",
    sealed_exec: "the file would come back sealed against writing",
    update_image: "a live update is under way, and it is to go into the image that is loaded",
    update_under_way: "a live update is under way, and its participants have not all done their part",
    participant_not_back: "a participant of the live update did not take its part back",
    memory_short: "there is not enough memory for the file",
  }),
);

/** The type `Problem`. */
export const Problem: Schema = named(
  "Problem",
  struct({ code: ProblemCode, session: maybe(about(text, "The name of the session")), token: maybe(token) }),
  "Why something is refused, as a stable word, with the session and the token that it is about.",
);

const reasons = about(list(text), "Clauses for people");
const problems = maybe(about(list(Problem), "The reasons for programs, in the same order"));
const known = about(list(text), "The names or tokens that exist");
const session = about(text, "The name of the session");
const operation = about(text, "The verb: preserve, kexec load");
const subject = about(text, "The object of the operation, as people read it");
const message = about(text, "A sentence for people");

/** All errors by name, in the order in which documents list them. */
export const ERRORS: Readonly<Record<string, ErrorDescription>> = {
  KernelError: {
    about: "A system call failed. operation and errno (EBUSY) say which and how.",
    parameters: struct({ operation, subject, errno: about(text, "EBUSY"), message }),
  },
  Refused: {
    about: "Data would be lost, for these reasons. force overrides it.",
    parameters: struct({ operation, subject, reasons, problems }),
  },
  NoSuchSession: {
    about: "There is no session of that name.",
    parameters: struct({ session, known }),
  },
  NoSuchFile: {
    about: "There is no file with that token in the session.",
    parameters: struct({ session, token, known }),
  },
  NoSuchKey: {
    about: "There is no value under that key.",
    parameters: struct({ key: text }),
  },
  NoSuchUpdate: {
    about: "There is no update of that id in the history.",
    parameters: struct({ update: about(text, "The id"), known: about(list(text), "The ids that exist") }),
  },
  WrongState: {
    about: "The session is there, but not in a state that allows this.",
    parameters: struct({ session, state: SessionState, operation, message }),
  },
  UpdateFailed: {
    about: "A step of a live update did not succeed, and before the kexec the update was cancelled.",
    parameters: struct({
      step: about(text, "The step that was asked for: prepare, freeze, run, finish"),
      event: UpdateEventName,
      outcome: UpdateOutcome,
      participant: maybe(about(text, "The one that failed first; missing when it was luo itself")),
      reason: about(text, "Why, in the words of the participant where it gave any"),
      state: UpdateState,
      message,
    }),
  },
  WrongUpdateState: {
    about: "The live update is not in a state that allows this step.",
    parameters: struct({ step: about(text, "The step that was asked for"), state: UpdateState, message }),
  },
  BadRequest: {
    about: "The request cannot be right, whatever the state: a bad name, token, command line, image.",
    parameters: struct({ message }),
  },
  NotAllowed: {
    about: "The access rules of the agent do not allow this client to do that.",
    parameters: struct({ message }),
  },
  Busy: {
    about: "All places for clients are taken. This comes in place of an answer, and the connection ends.",
    parameters: struct({ clients: about(int, "The number of places") }),
  },
  InternalError: {
    about: "A mistake in the agent. Whether the call had an effect is not known: ask for the status.",
    parameters: struct({ message }),
  },
};
