/** The object that each command prints with `--json`. */
import { Check } from "./check_result.ts";
import { Doctor } from "./doctor.ts";
import { FailureObject } from "./failure.ts";
import { Handover } from "./handover.ts";
import {
  about,
  anything,
  bool,
  int,
  list,
  map,
  maybe,
  named,
  oneOf,
  type Schema,
  struct,
  text,
} from "./parts.ts";
import { Report } from "./report.ts";
import { Rehearsal } from "./rehearsal.ts";
import { File, filesKnown, Loss, Session } from "./session.ts";
import { Agent, Device, Image, Status, unlisted, Value } from "./status.ts";
import { Systemd } from "./systemd.ts";
import { UpdateNow, UpdateSummary } from "./update.ts";

/** The type `Version`. */
export const Version: Schema = named(
  "Version",
  struct({
    version: about(text, "The version of luo"),
    commit: maybe(about(
      text,
      "The commit of the single executable, with + when files had changed since. A checkout does not know its commit",
    )),
    deno: about(text, "The version of Deno"),
    v8: about(text, "The version of V8"),
    arch: about(text, "x86_64 or aarch64"),
    dependencies: about(map(text), "Packages by name, each with its version"),
  }),
  "The parts of the program.",
);

/** The answer of one command. */
export interface Answer {
  /** When it is printed, or another fact that its fields do not show. */
  readonly remark?: string;
  /** The object. */
  readonly object: Schema;
}

const one = struct({ session: Session });
const oneOrAll = {
  session: maybe(about(Session, "The session that was named")),
  sessions: maybe(about(list(Session), "With --all: those that this command changed")),
};
const session = about(text, "The name of the session");
const status = struct({ status: Status });

/** The answers by command, in the order of `luo --help`. */
export const ANSWERS: Readonly<Record<string, Answer>> = {
  "status": {
    object: struct({
      status: Status,
      systemd: maybe(about(Systemd, "Missing on the model, and where process 1 is another program")),
    }),
    remark: "With `--watch` a line after every change, without `systemd`.",
  },
  "losses": {
    object: struct({
      losses: about(list(Loss), "All losses, or with --clear those that were cleared"),
      cleared: about(bool, "Whether they are forgotten now"),
    }),
  },
  "session create": {
    object: struct({
      session: Session,
      created: about(bool, "False: the session was there already, and --if-absent was given"),
    }),
  },
  "session list": { object: struct({ sessions: list(Session), unlisted }) },
  "session show": { object: one },
  "session keep": { object: one },
  "session retrieve": {
    object: struct({
      ...oneOrAll,
      unlisted: maybe(about(text, "With --all: why sessions may be left that luo does not know")),
    }),
  },
  "session finish": { object: struct(oneOrAll), remark: "The sessions as they were before." },
  "session close": { object: one, remark: "The session as it was before." },
  "file preserve": { object: struct({ session, file: File }) },
  "file restore": {
    object: struct({
      session,
      file: File,
      to: maybe(about(text, "Missing when the bytes went elsewhere")),
      verified: about(bool, "Whether a digest was recorded and found right"),
    }),
    remark: "With `--to`. `--stdout` takes no `--json`.",
  },
  "file list": { object: struct({ session, files: list(File), filesKnown }) },
  "put": { object: struct({ value: Value }) },
  "get": {
    object: struct({
      value: maybe(about(Value, "Missing when there is none, and --default was given")),
      base64: about(text, "The bytes"),
      text: maybe(about(text, "The bytes as text, when they are UTF-8")),
    }),
  },
  "keys": { object: struct({ values: list(Value) }) },
  "drop": { object: struct({ value: Value }) },
  "kexec check": { object: struct({ check: Check }), remark: "With exit code 0, 4 or 1: the verdict." },
  "kexec load": {
    object: struct({ image: Image, check: maybe(about(Check, "What was found out before the load")) }),
  },
  "kexec show": { object: struct({ image: Image }) },
  "kexec unload": {
    object: struct({ image: Image, unloaded: maybe(about(Image, "The image that was loaded before")) }),
  },
  "kexec exec": {
    object: status,
    remark: "The status of the next kernel, on the model. On Linux no process is left to print it.",
  },
  "update run": { object: UpdateNow, remark: "On the model. On Linux no process is left to print it." },
  "update prepare": { object: UpdateNow },
  "update freeze": { object: UpdateNow },
  "update cancel": { object: UpdateNow },
  "update finish": { object: UpdateNow },
  "update state": { object: UpdateNow },
  "update report": { object: Report, remark: "Of the last update, or of the one that was named." },
  "update history": { object: struct({ updates: list(UpdateSummary) }), remark: "The oldest first." },
  "kho show": { object: struct({ handover: Handover }) },
  "agent start": {
    object: struct({
      agent: Agent,
      device: Device,
      started: about(bool, "False: the agent was already running"),
    }),
  },
  "agent stop": {
    object: struct({
      stopped: about(bool, "False: no agent was running"),
      left: about(list(text), "The paths of the files that stay beside the socket"),
    }),
  },
  "agent status": { object: struct({ agent: Agent }) },
  "batch": {
    object: struct({
      id: maybe(about(anything, "The id of the request: a number or a text")),
      exit: about(int, "The exit code of the command"),
      result: maybe(about(anything, "The object that the command prints, missing when it failed")),
      error: maybe(about(FailureObject, "Why the command failed")),
    }),
    remark: "A line for each request.",
  },
  "machine stop": { object: struct({ stopped: about(bool, "False: no machine was running") }) },
  "doctor": { object: struct({ doctor: Doctor }), remark: "With every exit code." },
  "rehearse": {
    object: struct({ rehearsal: Rehearsal }),
    remark: "For an image, with every verdict. `rehearse -- CMD` takes no `--json`.",
  },
  "completion": {
    object: struct({
      shell: about(oneOf("bash", "zsh", "fish"), "The shell"),
      script: about(text, "The script"),
    }),
  },
  "man": { object: struct({ page: about(text, "The page in the format of man(7)") }) },
  "schema": { object: struct({ schema: about(anything, "A JSON Schema, draft 2020-12") }) },
  "--version": { object: Version },
  "error": {
    object: struct({ error: FailureObject }),
    remark: "On standard error, from every command that fails.",
  },
};
