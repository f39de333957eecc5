/**
 * What is said on the agent's socket: the Varlink interface `io.luo.Agent` as types of TypeScript. `deno task reference` writes
 * this file from lib/schema; edit the description there.
 *
 * Tokens are unsigned 64-bit numbers in decimal. Sizes are bytes. Times are RFC 3339, in UTC.
 * A parameter called ...Fd is an index into the file descriptors sent with the message (SCM_RIGHTS).
 * A method that would lose data answers Refused, unless force is true.
 *
 * @module
 */
import type {
  Agent,
  Check,
  CheckCode,
  CheckLine,
  CheckVerdict,
  Device,
  FileInfo,
  FileState,
  FileVerdict,
  ImageInfo,
  Kernel,
  KindOfFile,
  LastUpdate,
  Loss,
  LostFile,
  Moment,
  ParticipantEvent,
  ParticipantFile,
  Problem,
  ProblemCode,
  SessionInfo,
  SessionState,
  Status,
  UpdateEvent,
  UpdateEventName,
  UpdateNow,
  UpdateOutcome,
  UpdateParticipant,
  UpdateRecord,
  UpdateState,
  UpdateSummary,
  Value,
} from "../schema/types.ts";
import type { UpdateMethods } from "./protocol_updates.ts";

export type { UpdateMethods };

/** The name of the interface. */
export const INTERFACE = "io.luo.Agent";

export type {
  Agent,
  Check,
  CheckCode,
  CheckLine,
  CheckVerdict,
  Device,
  FileInfo,
  FileState,
  FileVerdict,
  ImageInfo,
  Kernel,
  KindOfFile,
  LastUpdate,
  Loss,
  LostFile,
  Moment,
  ParticipantEvent,
  ParticipantFile,
  Problem,
  ProblemCode,
  SessionInfo,
  SessionState,
  Status,
  UpdateEvent,
  UpdateEventName,
  UpdateNow,
  UpdateOutcome,
  UpdateParticipant,
  UpdateRecord,
  UpdateState,
  UpdateSummary,
  Value,
};

/** Request and answer of every method. `force` overrides what is answered with `Refused`. */
export interface Methods extends UpdateMethods {
  /** Which kernel this is: a caller that expects Linux must not talk to a model. */
  Identify: {
    request: Record<string, never>;
    reply: {
      /** The kernel: Linux or the model */
      backend: "linux" | "model";
      /** The version of luo */
      version: string;
      /** The process of the agent */
      pid: number;
    };
  };
  /** With more: an answer now and one after every change. */
  GetStatus: { request: Record<string, never>; reply: { status: Status } };
  /**
   * Creates an outgoing session. Its name must be free: WrongState while an incoming or retrieved
   * session has it. With keep the agent preserves it again after each kexec, see KeepSession.
   */
  CreateSession: {
    request: {
      /** The name of a session */
      name: string;
      /** The session outlives every update */
      keep?: boolean;
    };
    reply: { session: SessionInfo };
  };
  /**
   * The sessions of the status alone: all, the one of that name, or with limit or after a page of them,
   * in the order of their names. A page may have fewer than limit when their files are many.
   */
  ListSessions: {
    request: {
      /** Only the session of this name, if there is one */
      name?: string;
      /** The most sessions to list */
      limit?: number;
      /** List the sessions after this name: next of the page before */
      after?: string;
    };
    reply: {
      sessions: SessionInfo[];
      /**
       * Why sessions may wait in the kernel that are not listed: it was started by a live update, and luo
       * has no list of what was handed over. Left out when the list is complete
       */
      unlisted?: string;
      /** There are more sessions: after for the next page */
      next?: string;
    };
  };
  /**
   * Takes an incoming session over. From now on it lives as long as the agent. Refused for the session
   * "systemd", which PID 1 expects to retrieve.
   */
  RetrieveSession: {
    request: {
      /** The name of a session */
      name: string;
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: { session: SessionInfo };
  };
  /**
   * Ends a retrieved session. Refused while a file of it was never restored or its files are unknown:
   * data would be gone.
   */
  FinishSession: {
    request: {
      /** The name of a session */
      name: string;
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: { session: SessionInfo };
  };
  /**
   * Ends an outgoing session, or finishes a retrieved one as Linux does. Refused while files would be
   * lost by it.
   */
  CloseSession: {
    request: {
      /** The name of a session */
      name: string;
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: { session: SessionInfo };
  };
  /**
   * Makes a session outlive every update: after each kexec the agent retrieves it, finishes it and
   * preserves its files again, and RestoreFile gives out files of it at any time. Of a session that was
   * handed over this is done at once; it is outgoing then. Refused while files would be lost by it. With
   * keep false an outgoing session goes over the next kexec only.
   */
  KeepSession: {
    request: {
      /** The name of a session */
      name: string;
      /** Default: true */
      keep?: boolean;
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: { session: SessionInfo };
  };
  /**
   * Gives out the descriptor of an outgoing or a retrieved session: for files that only their own
   * process can preserve. The program makes the kernel's calls by itself, and the agent does not see
   * them: the files of an outgoing session count as unknown from then on. The session lives as long as
   * anybody holds its descriptor. KernelError EOPNOTSUPP on the model, WrongState for a kept session.
   */
  OpenSession: {
    request: {
      /** The name of a session */
      name: string;
    };
    reply: {
      session: SessionInfo;
      /** The index of the session among the fds of the message */
      sessionFd: number;
    };
  };
  /**
   * Preserves a file in an outgoing session: the one sent as fileFd, or the descriptor of the process
   * pid. The latter is for clients that cannot send descriptors; the process must be of the client's
   * user, without capabilities that the client lacks.
   */
  PreserveFile: {
    request: {
      /** The name of a session */
      session: string;
      /** A u64 in decimal */
      token: string;
      /** The index of the file among the fds of the message */
      fileFd?: number;
      /** The process that has the file open: mostly the client itself */
      pid?: number;
      /** The number of the file's descriptor in that process */
      descriptor?: number;
      /** Words to show with the file */
      label?: string;
      /** "sha256:" and 64 hex digits of the contents */
      digest?: string;
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: { file: FileInfo };
  };
  /**
   * Gives out a file of a retrieved session, as fileFd; again and again until the session is finished;
   * or of a kept one. The kernel is asked for a token that is not recorded. The file counts as restored
   * from then on, unless mark is false: then MarkFile says so once the contents are safe.
   */
  RestoreFile: {
    request: {
      /** The name of a session */
      session: string;
      /** A u64 in decimal */
      token: string;
      /** False: do not count the file as restored yet */
      mark?: boolean;
      /** True: answer with a path too, for clients that cannot receive descriptors */
      path?: boolean;
    };
    reply: {
      file: FileInfo;
      /** The index of the file among the fds of the message */
      fileFd: number;
      /** A path that opens the file, at position 0, until this connection ends */
      path?: string;
    };
  };
  /**
   * Says whether a file of a retrieved session is safe elsewhere. While one is not, FinishSession is
   * refused.
   */
  MarkFile: {
    request: {
      /** The name of a session */
      session: string;
      /** A u64 in decimal */
      token: string;
      /** Whether it is safe elsewhere */
      restored: boolean;
    };
    reply: { file: FileInfo };
  };
  /**
   * Stores a small value under a key, or replaces the one there: it survives every kexec, and the end of
   * the agent. Either it is stored when the answer comes, or an error comes and the old value is there.
   */
  PutValue: {
    request: {
      /** 1 to 255 bytes, without control characters */
      key: string;
      /** The value, at most 64 KiB */
      base64: string;
    };
    reply: { value: Value };
  };
  /** The value of a key. */
  GetValue: {
    request: {
      /** 1 to 255 bytes, without control characters */
      key: string;
    };
    reply: {
      value: Value;
      /** The value */
      base64: string;
    };
  };
  /** The keys in their order: all, those with a prefix, or with limit or after a page of them. */
  ListValues: {
    request: {
      /** Only keys that begin with this */
      prefix?: string;
      /** The most keys to list */
      limit?: number;
      /** List the keys after this one: next of the page before */
      after?: string;
    };
    reply: {
      values: Value[];
      /** There are more keys: after for the next page */
      next?: string;
    };
  };
  /** Removes a key and its value. */
  DropValue: {
    request: {
      /** 1 to 255 bytes, without control characters */
      key: string;
    };
    reply: { value: Value };
  };
  /**
   * Loads the next kernel, from copies of the files sent: they may change afterwards. commandLine wins
   * over reuseCommandLine; append is added to either.
   */
  LoadImage: {
    request: {
      /** The index of the kernel among the fds of the message */
      kernelFd: number;
      /** The name to show */
      kernel: string;
      /** The index of the initrd among the fds of the message */
      initrdFd?: number;
      /** The name to show */
      initrd?: string;
      /** The command line of the next kernel */
      commandLine?: string;
      /** Take the command line of the running kernel */
      reuseCommandLine?: boolean;
      /** Words to add to the command line */
      append?: string;
      /** Take the command line in a unified kernel image, when it has one, and not the running kernel's */
      imageCommandLine?: boolean;
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: {
      image: ImageInfo;
      /** What was found out before the load */
      check?: Check;
    };
  };
  /**
   * The loaded image. The kernel says whether there is one; the rest is what the agent remembers of
   * loading it.
   */
  ShowImage: { request: Record<string, never>; reply: { image: ImageInfo } };
  /** Unloads the next kernel, whichever program loaded it. */
  UnloadImage: {
    request: Record<string, never>;
    reply: {
      image: ImageInfo;
      /** The image that was loaded before */
      unloaded?: ImageInfo;
    };
  };
  /**
   * Executes the loaded kernel. Success does not answer: the connection ends, and with it this kernel.
   * With `prepare` it answers, after everything but the kexec itself: the service manager is to execute
   * it.
   */
  ExecImage: {
    request: {
      /** Do what is otherwise answered with Refused */
      force?: boolean;
      /**
       * True: check, load the image once more, write the journal, and leave the kexec to the service
       * manager, which ends the agent. Refused while a session is not in its fd store
       */
      prepare?: boolean;
    };
    reply: Record<string, never>;
  };
  /** Forgets the losses, for good. Answers those that it forgot: later ones stay in the status. */
  ClearLosses: {
    request: {
      /** Only those up to this time, which the client has shown (`at` of the last one) */
      until?: string;
    };
    reply: { losses: Loss[] };
  };
  /** Ends the agent. Refused while it holds sessions or knows of incoming ones. */
  Stop: {
    request: {
      /** Do what is otherwise answered with Refused */
      force?: boolean;
    };
    reply: Record<string, never>;
  };
}

/** The name of a method. */
export type MethodName = keyof Methods;

export type { ErrorName, Errors } from "./protocol_errors.ts";
