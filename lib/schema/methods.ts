/** The methods of io.luo.Agent: request and answer of each. */
import { about, bool, exactInt, type Fields, int, list, maybe, struct, text } from "./parts.ts";
import { Check } from "./check_result.ts";
import { File, Loss, Session } from "./session.ts";
import { backend, Image, Status, unlisted, Value } from "./status.ts";
import { loading, type Method } from "./method.ts";
import { UPDATE_METHODS } from "./update_methods.ts";

const nothing: Fields = {};
const session = about(text, "The name of a session");
const name = { name: session };
const token = about(text, "A u64 in decimal");
const force = maybe(about(bool, "Do what is otherwise answered with Refused"));
const key = about(text, "1 to 255 bytes, without control characters");
const image = struct({ image: Image });

export type { Method };

/** All methods by name, in the order in which documents list them. */
export const METHODS: Readonly<Record<string, Method>> = {
  Identify: {
    about: "Which kernel this is: a caller that expects Linux must not talk to a model.",
    request: nothing,
    reply: struct({
      backend,
      version: about(text, "The version of luo"),
      pid: about(int, "The process of the agent"),
    }),
  },
  GetStatus: {
    about: "With more: an answer now and one after every change.",
    request: nothing,
    reply: struct({ status: Status }),
  },
  CreateSession: {
    about:
      "Creates an outgoing session. Its name must be free: WrongState while an incoming or retrieved session has it. " +
      "With keep the agent preserves it again after each kexec, see KeepSession.",
    request: { ...name, keep: maybe(about(bool, "The session outlives every update")) },
    reply: struct({ session: Session }),
  },
  ListSessions: {
    about:
      "The sessions of the status alone: all, the one of that name, or with limit or after a page of them, in the order of their " +
      "names. A page may have fewer than limit when their files are many.",
    request: {
      name: maybe(about(text, "Only the session of this name, if there is one")),
      limit: maybe(about(exactInt, "The most sessions to list")),
      after: maybe(about(text, "List the sessions after this name: next of the page before")),
    },
    reply: struct({
      sessions: list(Session),
      unlisted,
      next: maybe(about(text, "There are more sessions: after for the next page")),
    }),
  },
  RetrieveSession: {
    about:
      'Takes an incoming session over. From now on it lives as long as the agent. Refused for the session "systemd", ' +
      "which PID 1 expects to retrieve.",
    request: { ...name, force },
    reply: struct({ session: Session }),
  },
  FinishSession: {
    about:
      "Ends a retrieved session. Refused while a file of it was never restored or its files are unknown: data would be gone.",
    request: { ...name, force },
    reply: struct({ session: Session }),
  },
  CloseSession: {
    about:
      "Ends an outgoing session, or finishes a retrieved one as Linux does. Refused while files would be lost by it.",
    request: { ...name, force },
    reply: struct({ session: Session }),
  },
  KeepSession: {
    about:
      "Makes a session outlive every update: after each kexec the agent retrieves it, finishes it and preserves its files again, " +
      "and RestoreFile gives out files of it at any time. Of a session that was handed over this is done at once; it is outgoing then. " +
      "Refused while files would be lost by it. With keep false an outgoing session goes over the next kexec only.",
    request: { ...name, keep: maybe(about(bool, "Default: true")), force },
    reply: struct({ session: Session }),
  },
  OpenSession: {
    about:
      "Gives out the descriptor of an outgoing or a retrieved session: for files that only their own process can preserve. The " +
      "program makes the kernel's calls by itself, and the agent does not see them: the files of an outgoing session count as " +
      "unknown from then on. The session lives as long as anybody holds its descriptor. KernelError EOPNOTSUPP on the model, " +
      "WrongState for a kept session.",
    request: name,
    reply: struct({
      session: Session,
      sessionFd: about(int, "The index of the session among the fds of the message"),
    }),
  },
  PreserveFile: {
    about:
      "Preserves a file in an outgoing session: the one sent as fileFd, or the descriptor of the process pid. " +
      "The latter is for clients that cannot send descriptors; the process must be of the client's user, " +
      "without capabilities that the client lacks.",
    request: {
      session,
      token,
      fileFd: maybe(about(exactInt, "The index of the file among the fds of the message")),
      pid: maybe(about(exactInt, "The process that has the file open: mostly the client itself")),
      descriptor: maybe(about(exactInt, "The number of the file's descriptor in that process")),
      label: maybe(about(text, "Words to show with the file")),
      digest: maybe(about(text, '"sha256:" and 64 hex digits of the contents')),
      force,
    },
    reply: struct({ file: File }),
  },
  RestoreFile: {
    about:
      "Gives out a file of a retrieved session, as fileFd; again and again until the session is finished; or of a kept one. " +
      "The kernel is asked for a token that is not recorded. " +
      "The file counts as restored from then on, unless mark is false: then MarkFile says so once the contents are safe.",
    request: {
      session,
      token,
      mark: maybe(about(bool, "False: do not count the file as restored yet")),
      path: maybe(about(bool, "True: answer with a path too, for clients that cannot receive descriptors")),
    },
    reply: struct({
      file: File,
      fileFd: about(int, "The index of the file among the fds of the message"),
      path: maybe(about(text, "A path that opens the file, at position 0, until this connection ends")),
    }),
  },
  MarkFile: {
    about:
      "Says whether a file of a retrieved session is safe elsewhere. While one is not, FinishSession is refused.",
    request: { session, token, restored: about(bool, "Whether it is safe elsewhere") },
    reply: struct({ file: File }),
  },
  PutValue: {
    about:
      "Stores a small value under a key, or replaces the one there: it survives every kexec, and the end of the agent. " +
      "Either it is stored when the answer comes, or an error comes and the old value is there.",
    request: { key, base64: about(text, "The value, at most 64 KiB") },
    reply: struct({ value: Value }),
  },
  GetValue: {
    about: "The value of a key.",
    request: { key },
    reply: struct({ value: Value, base64: about(text, "The value") }),
  },
  ListValues: {
    about: "The keys in their order: all, those with a prefix, or with limit or after a page of them.",
    request: {
      prefix: maybe(about(text, "Only keys that begin with this")),
      limit: maybe(about(exactInt, "The most keys to list")),
      after: maybe(about(text, "List the keys after this one: next of the page before")),
    },
    reply: struct({
      values: list(Value),
      next: maybe(about(text, "There are more keys: after for the next page")),
    }),
  },
  DropValue: {
    about: "Removes a key and its value.",
    request: { key },
    reply: struct({ value: Value }),
  },
  LoadImage: {
    about:
      "Loads the next kernel, from copies of the files sent: they may change afterwards. commandLine wins over " +
      "reuseCommandLine; append is added to either.",
    request: {
      kernelFd: about(exactInt, "The index of the kernel among the fds of the message"),
      kernel: about(text, "The name to show"),
      ...loading,
      force,
    },
    reply: struct({ image: Image, check: maybe(about(Check, "What was found out before the load")) }),
  },
  ShowImage: {
    about:
      "The loaded image. The kernel says whether there is one; the rest is what the agent remembers of loading it.",
    request: nothing,
    reply: image,
  },
  UnloadImage: {
    about: "Unloads the next kernel, whichever program loaded it.",
    request: nothing,
    reply: struct({ image: Image, unloaded: maybe(about(Image, "The image that was loaded before")) }),
  },
  ExecImage: {
    about:
      "Executes the loaded kernel. Success does not answer: the connection ends, and with it this kernel. With `prepare` it answers, " +
      "after everything but the kexec itself: the service manager is to execute it.",
    request: {
      force,
      prepare: maybe(about(
        bool,
        "True: check, load the image once more, write the journal, and leave the kexec to the service manager, which ends the agent. " +
          "Refused while a session is not in its fd store",
      )),
    },
    reply: struct({}),
  },
  ClearLosses: {
    about: "Forgets the losses, for good. Answers those that it forgot: later ones stay in the status.",
    request: {
      until: maybe(
        about(text, "Only those up to this time, which the client has shown (`at` of the last one)"),
      ),
    },
    reply: struct({ losses: list(Loss) }),
  },
  ...UPDATE_METHODS,
  Stop: {
    about: "Ends the agent. Refused while it holds sessions or knows of incoming ones.",
    request: { force },
    reply: struct({}),
  },
};
