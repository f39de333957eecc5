/** The errors of the Varlink interface `io.luo.Agent` as types of TypeScript: `deno task reference` writes this file. */
import type { Problem, SessionState, UpdateEventName, UpdateOutcome, UpdateState } from "../schema/types.ts";

/** Errors of `io.luo.Agent`, with their parameters. Those of `org.varlink.service` are used as that interface defines them. */
export interface Errors {
  /** A system call failed. operation and errno (EBUSY) say which and how. */
  KernelError: {
    /** The verb: preserve, kexec load */
    operation: string;
    /** The object of the operation, as people read it */
    subject: string;
    /** EBUSY */
    errno: string;
    /** A sentence for people */
    message: string;
  };
  /** Data would be lost, for these reasons. force overrides it. */
  Refused: {
    /** The verb: preserve, kexec load */
    operation: string;
    /** The object of the operation, as people read it */
    subject: string;
    /** Clauses for people */
    reasons: string[];
    /** The reasons for programs, in the same order */
    problems?: Problem[];
  };
  /** There is no session of that name. */
  NoSuchSession: {
    /** The name of the session */
    session: string;
    /** The names or tokens that exist */
    known: string[];
  };
  /** There is no file with that token in the session. */
  NoSuchFile: {
    /** The name of the session */
    session: string;
    /** A u64 in decimal */
    token: string;
    /** The names or tokens that exist */
    known: string[];
  };
  /** There is no value under that key. */
  NoSuchKey: { key: string };
  /** There is no update of that id in the history. */
  NoSuchUpdate: {
    /** The id */
    update: string;
    /** The ids that exist */
    known: string[];
  };
  /** The session is there, but not in a state that allows this. */
  WrongState: {
    /** The name of the session */
    session: string;
    state: SessionState;
    /** The verb: preserve, kexec load */
    operation: string;
    /** A sentence for people */
    message: string;
  };
  /** A step of a live update did not succeed, and before the kexec the update was cancelled. */
  UpdateFailed: {
    /** The step that was asked for: prepare, freeze, run, finish */
    step: string;
    event: UpdateEventName;
    outcome: UpdateOutcome;
    /** The one that failed first; missing when it was luo itself */
    participant?: string;
    /** Why, in the words of the participant where it gave any */
    reason: string;
    state: UpdateState;
    /** A sentence for people */
    message: string;
  };
  /** The live update is not in a state that allows this step. */
  WrongUpdateState: {
    /** The step that was asked for */
    step: string;
    state: UpdateState;
    /** A sentence for people */
    message: string;
  };
  /** The request cannot be right, whatever the state: a bad name, token, command line, image. */
  BadRequest: {
    /** A sentence for people */
    message: string;
  };
  /** The access rules of the agent do not allow this client to do that. */
  NotAllowed: {
    /** A sentence for people */
    message: string;
  };
  /** All places for clients are taken. This comes in place of an answer, and the connection ends. */
  Busy: {
    /** The number of places */
    clients: number;
  };
  /** A mistake in the agent. Whether the call had an effect is not known: ask for the status. */
  InternalError: {
    /** A sentence for people */
    message: string;
  };
}

/** The name of an error. */
export type ErrorName = keyof Errors;
