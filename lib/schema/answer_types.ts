/** The answers of commands as types of TypeScript: `deno task reference` writes this file from its neighbours. */
import type {
  Agent,
  Check,
  Device,
  FileInfo,
  ImageInfo,
  Loss,
  SessionInfo,
  Status,
  UpdateNow,
  UpdateRecord,
  UpdateSummary,
  Value,
} from "./types.ts";
import type { Timeline } from "./report_types.ts";
import type { Doctor, FailureInfo, KhoReport, Rehearsal, Systemd, Version } from "./answer_parts.ts";

export type * from "./answer_parts.ts";

/** The object that each command prints with `--json`. */
export interface Answers {
  /** The answer of `status`. With `--watch` a line after every change, without `systemd`. */
  "status": {
    status: Status;
    /** Missing on the model, and where process 1 is another program */
    systemd?: Systemd;
  };
  /** The answer of `losses`. */
  "losses": {
    /** All losses, or with --clear those that were cleared */
    losses: Loss[];
    /** Whether they are forgotten now */
    cleared: boolean;
  };
  /** The answer of `session create`. */
  "session create": {
    session: SessionInfo;
    /** False: the session was there already, and --if-absent was given */
    created: boolean;
  };
  /** The answer of `session list`. */
  "session list": {
    sessions: SessionInfo[];
    /**
     * Why sessions may wait in the kernel that are not listed: it was started by a live update, and luo
     * has no list of what was handed over. Left out when the list is complete
     */
    unlisted?: string;
  };
  /** The answer of `session show`. */
  "session show": { session: SessionInfo };
  /** The answer of `session keep`. */
  "session keep": { session: SessionInfo };
  /** The answer of `session retrieve`. */
  "session retrieve": {
    /** The session that was named */
    session?: SessionInfo;
    /** With --all: those that this command changed */
    sessions?: SessionInfo[];
    /** With --all: why sessions may be left that luo does not know */
    unlisted?: string;
  };
  /** The answer of `session finish`. The sessions as they were before. */
  "session finish": {
    /** The session that was named */
    session?: SessionInfo;
    /** With --all: those that this command changed */
    sessions?: SessionInfo[];
  };
  /** The answer of `session close`. The session as it was before. */
  "session close": { session: SessionInfo };
  /** The answer of `file preserve`. */
  "file preserve": {
    /** The name of the session */
    session: string;
    file: FileInfo;
  };
  /** The answer of `file restore`. With `--to`. `--stdout` takes no `--json`. */
  "file restore": {
    /** The name of the session */
    session: string;
    file: FileInfo;
    /** Missing when the bytes went elsewhere */
    to?: string;
    /** Whether a digest was recorded and found right */
    verified: boolean;
  };
  /** The answer of `file list`. */
  "file list": {
    /** The name of the session */
    session: string;
    files: FileInfo[];
    /**
     * False: the session may hold files that are not listed, because another program preserved them or the
     * agent's record of them is lost; the kernel cannot list files. Left out when the list is complete
     */
    filesKnown?: boolean;
  };
  /** The answer of `put`. */
  "put": { value: Value };
  /** The answer of `get`. */
  "get": {
    /** Missing when there is none, and --default was given */
    value?: Value;
    /** The bytes */
    base64: string;
    /** The bytes as text, when they are UTF-8 */
    text?: string;
  };
  /** The answer of `keys`. */
  "keys": { values: Value[] };
  /** The answer of `drop`. */
  "drop": { value: Value };
  /** The answer of `kexec check`. With exit code 0, 4 or 1: the verdict. */
  "kexec check": { check: Check };
  /** The answer of `kexec load`. */
  "kexec load": {
    image: ImageInfo;
    /** What was found out before the load */
    check?: Check;
  };
  /** The answer of `kexec show`. */
  "kexec show": { image: ImageInfo };
  /** The answer of `kexec unload`. */
  "kexec unload": {
    image: ImageInfo;
    /** The image that was loaded before */
    unloaded?: ImageInfo;
  };
  /**
   * The answer of `kexec exec`. The status of the next kernel, on the model. On Linux no process is left
   * to print it.
   */
  "kexec exec": { status: Status };
  /** The answer of `update run`. On the model. On Linux no process is left to print it. */
  "update run": UpdateNow;
  /** The answer of `update prepare`. */
  "update prepare": UpdateNow;
  /** The answer of `update freeze`. */
  "update freeze": UpdateNow;
  /** The answer of `update cancel`. */
  "update cancel": UpdateNow;
  /** The answer of `update finish`. */
  "update finish": UpdateNow;
  /** The answer of `update state`. */
  "update state": UpdateNow;
  /** The answer of `update report`. Of the last update, or of the one that was named. */
  "update report": { update: UpdateRecord; timeline: Timeline };
  /** The answer of `update history`. The oldest first. */
  "update history": { updates: UpdateSummary[] };
  /** The answer of `kho show`. */
  "kho show": { handover: KhoReport };
  /** The answer of `agent start`. */
  "agent start": {
    agent: Agent;
    device: Device;
    /** False: the agent was already running */
    started: boolean;
  };
  /** The answer of `agent stop`. */
  "agent stop": {
    /** False: no agent was running */
    stopped: boolean;
    /** The paths of the files that stay beside the socket */
    left: string[];
  };
  /** The answer of `agent status`. */
  "agent status": { agent: Agent };
  /** The answer of `batch`. A line for each request. */
  "batch": {
    /** The id of the request: a number or a text */
    id?: unknown;
    /** The exit code of the command */
    exit: number;
    /** The object that the command prints, missing when it failed */
    result?: unknown;
    /** Why the command failed */
    error?: FailureInfo;
  };
  /** The answer of `machine stop`. */
  "machine stop": {
    /** False: no machine was running */
    stopped: boolean;
  };
  /** The answer of `doctor`. With every exit code. */
  "doctor": { doctor: Doctor };
  /** The answer of `rehearse`. For an image, with every verdict. `rehearse -- CMD` takes no `--json`. */
  "rehearse": { rehearsal: Rehearsal };
  /** The answer of `completion`. */
  "completion": {
    /** The shell */
    shell: "bash" | "zsh" | "fish";
    /** The script */
    script: string;
  };
  /** The answer of `man`. */
  "man": {
    /** The page in the format of man(7) */
    page: string;
  };
  /** The answer of `schema`. */
  "schema": {
    /** A JSON Schema, draft 2020-12 */
    schema: unknown;
  };
  /** The answer of `--version`. */
  "--version": Version;
  /** The answer of `error`. On standard error, from every command that fails. */
  "error": { error: FailureInfo };
}
