/**
 * What is said on the agent's socket: Varlink interface `io.luo.Agent`. The types below are the only place where requests
 * and answers are written in TypeScript; the library, the commands' `--json` and the interface description
 * (`lib/agent/interface.ts`) all follow them, and a test holds that they agree.
 *
 * u64 tokens are decimal strings. Sizes are bytes. Times are RFC 3339 in UTC. A number named `...Fd` is an index into the
 * file descriptors that came with the message (SCM_RIGHTS), as systemd's sd-varlink does it. Optional fields are left out, never null.
 */

export const INTERFACE = "io.luo.Agent";

/** `preserved`: in an outgoing session. `waiting`: handed over, not retrieved yet. `retrieved`: handed over and given out at least once. */
export type FileState = "preserved" | "waiting" | "retrieved";

export interface FileInfo {
  token: string;
  label?: string;
  size: number;
  /** `sha256:` and 64 hex digits: of the contents when they were preserved. */
  digest?: string;
  /** F_SEAL_ flags when it was preserved: these survive. */
  seals: number;
  preservedAt: string;
  state: FileState;
}

/**
 * `outgoing`: created in this kernel, goes into the next one. `incoming`: handed over by the previous kernel and still safe
 * there, not retrieved. `retrieved`: handed over and held by the agent; finished when the agent closes it, or dies.
 */
export type SessionState = "outgoing" | "incoming" | "retrieved";

export interface SessionInfo {
  name: string;
  state: SessionState;
  /** For a session with unknown files: when the agent first saw the session. */
  createdAt: string;
  files: FileInfo[];
  /**
   * False: the session may hold files that `files` does not list, because another program preserved them or the agent's record of
   * them is lost. The kernel cannot list files. Left out when the list is complete.
   */
  filesKnown?: boolean;
}

/** Preserved data that is gone, and why. */
export interface Loss {
  session: string;
  /** What the session was when it was lost. */
  state: SessionState;
  files: { token: string; label?: string; size: number }[];
  /** As in `SessionInfo`. */
  filesKnown?: boolean;
  reason: string;
  at: string;
}

export interface ImageInfo {
  /** False: nothing is loaded. */
  loaded: boolean;
  /** Who loaded it, as far as this agent knows: another program's image may be one that drops all sessions. */
  by?: "luo" | "other";
  kernel?: string;
  /** Several files are named `a + b`, in the order in which they lie in memory. */
  initrd?: string;
  size?: number;
  /** `sha256:` and 64 hex digits of the kernel as it was judged and loaded. */
  digest?: string;
  initrdSize?: number;
  initrdDigest?: string;
  /** The release in the image's own header. */
  release?: string;
  commandLine?: string;
  loadedAt?: string;
  /** Whether this agent has a sealed copy of the image and loads it once more before it is executed. */
  held?: boolean;
}

export interface LastUpdate {
  fromRelease: string;
  toRelease: string;
  /** When the agent of the new kernel found the manifest. */
  at: string;
  /** Live updates in a row that this manifest has come through. */
  count: number;
  sessions: number;
  files: number;
  bytes: number;
}

export interface Status {
  backend: "linux" | "model";
  kernel: { release: string; machine: string; bootId: string; commandLine: string };
  /** `ready`: the agent holds it. Otherwise why it does not. */
  device: { path: string; state: "ready" | "absent" | "busy" | "denied" | "broken"; errno?: string };
  agent: { pid: number; version: string; socket: string; startedAt: string };
  image: ImageInfo;
  sessions: SessionInfo[];
  lastUpdate?: LastUpdate;
  /** What was lost in this boot or in the live update that began it. */
  losses: Loss[];
}

/** Request and answer of every method. `force` overrides what is answered with `Refused`. */
export interface Methods {
  /** Whose kernel this is: who expects Linux must not talk to a model. */
  Identify: {
    request: Record<string, never>;
    reply: { backend: Status["backend"]; version: string; pid: number };
  };
  /** With `more`: an answer now and one after every change. */
  GetStatus: { request: Record<string, never>; reply: { status: Status } };
  CreateSession: { request: { name: string }; reply: { session: SessionInfo } };
  ListSessions: { request: Record<string, never>; reply: { sessions: SessionInfo[] } };
  /** `force`: the session `systemd` too, which PID 1 expects to retrieve. */
  RetrieveSession: { request: { name: string; force?: boolean }; reply: { session: SessionInfo } };
  /** Ends a retrieved session. Refused while a file of it was never retrieved. */
  FinishSession: { request: { name: string; force?: boolean }; reply: { session: SessionInfo } };
  /** Ends an outgoing session (or, as Linux does, finishes a retrieved one). Refused while files would be lost by it. */
  CloseSession: { request: { name: string; force?: boolean }; reply: { session: SessionInfo } };
  PreserveFile: {
    request: {
      session: string;
      token: string;
      fileFd: number;
      label?: string;
      digest?: string;
      force?: boolean;
    };
    reply: { file: FileInfo };
  };
  /**
   * The file may be asked for again and again until the session is finished. It counts as retrieved from then on, unless `mark`
   * is false: then the caller says so with MarkFile once the contents are safe.
   */
  RestoreFile: {
    request: { session: string; token: string; mark?: boolean };
    reply: { file: FileInfo; fileFd: number };
  };
  /** Whether a file of a retrieved session is safe elsewhere: while one is not, FinishSession is refused. */
  MarkFile: { request: { session: string; token: string; retrieved: boolean }; reply: { file: FileInfo } };
  /** `commandLine` wins over `reuseCommandLine`; `append` is added to either. `kernel` and `initrd` are the names to show. */
  LoadImage: {
    request: {
      kernelFd: number;
      kernel: string;
      initrdFd?: number;
      initrd?: string;
      commandLine?: string;
      reuseCommandLine?: boolean;
      append?: string;
      force?: boolean;
    };
    reply: { image: ImageInfo };
  };
  ShowImage: { request: Record<string, never>; reply: { image: ImageInfo } };
  /** `unloaded`: what was loaded before. */
  UnloadImage: { request: Record<string, never>; reply: { image: ImageInfo; unloaded?: ImageInfo } };
  /** Success does not answer: the connection ends, and with it the kernel. */
  ExecImage: { request: { force?: boolean }; reply: Record<string, never> };
  /** Ends the agent. Refused while it holds sessions or knows of incoming ones. */
  Stop: { request: { force?: boolean }; reply: Record<string, never> };
}

export type MethodName = keyof Methods;

/** Why something is refused, for programs: a command maps each code to the step that keeps the data. */
export type ProblemCode =
  | "file_not_restored"
  | "files_unknown"
  | "file_preserved"
  | "session_outgoing"
  | "session_of_systemd"
  | "session_not_retrieved"
  | "session_not_finished"
  | "image_foreign"
  | "image_changed"
  | "image_not_held"
  | "image_truncated"
  | "image_old"
  | "liveupdate_off"
  | "kho_off"
  | "access_changes"
  | "sealed_exec"
  | "memory_short";

/** One problem; `session` and `token` name what it is about. */
export interface Problem {
  code: ProblemCode;
  session?: string;
  token?: string;
}

/** Errors of `io.luo.Agent`, with their parameters. Those of `org.varlink.service` are used as that interface defines them. */
export interface Errors {
  /** A system call failed. `operation` and `errno` (`EBUSY`) key the hint. */
  KernelError: { operation: string; subject: string; errno: string; message: string };
  /** Data would be lost. `force` overrides it. `reasons` are clauses for people; `problems` says the same in the same order. */
  Refused: { operation: string; subject: string; reasons: string[]; problems?: Problem[] };
  NoSuchSession: { session: string; known: string[] };
  NoSuchFile: { session: string; token: string; known: string[] };
  /** The session is there, but not in a state that allows this. */
  WrongState: { session: string; state: SessionState; operation: string; message: string };
  /** What was asked for cannot be right, whatever the state: a bad name, token, command line, image. */
  BadRequest: { message: string };
  /** All places for clients are taken: it is said in place of an answer, and the connection ended. */
  Busy: { clients: number };
  /** A mistake in the agent. Whether the call had an effect is not known: ask for the status. */
  InternalError: { message: string };
}

export type ErrorName = keyof Errors;
