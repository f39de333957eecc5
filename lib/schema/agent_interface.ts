/** The interface of the agent as a whole: what holds for all of it, and its types in the order in which documents list them. */
import { Check, CheckCode, CheckLine, CheckVerdict } from "./check_result.ts";
import { Problem, ProblemCode } from "./errors.ts";
import type { Schema } from "./parts.ts";
import { File, FileState, KindOfFile, Loss, LostFile, Session, SessionState } from "./session.ts";
import { Agent, Device, Image, Kernel, LastUpdate, Status, Value } from "./status.ts";
import { UPDATE_TYPES } from "./update.ts";

/** The rules for every type and method, one or two sentences a line. */
export const INTERFACE_NOTES: readonly string[] = [
  "The agent of luo: it holds the sessions, so that scripts need not.",
  "Tokens are unsigned 64-bit numbers in decimal. Sizes are bytes. Times are RFC 3339, in UTC.",
  "A parameter called ...Fd is an index into the file descriptors sent with the message (SCM_RIGHTS).",
  "A method that would lose data answers Refused, unless force is true.",
];

/** All types that methods and errors refer to. */
export const INTERFACE_TYPES: readonly Schema[] = [
  SessionState,
  FileState,
  KindOfFile,
  File,
  Session,
  LostFile,
  Loss,
  Image,
  LastUpdate,
  Kernel,
  Device,
  Agent,
  Value,
  Status,
  CheckVerdict,
  CheckCode,
  CheckLine,
  Check,
  ProblemCode,
  Problem,
  ...UPDATE_TYPES,
];
