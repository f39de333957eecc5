import type { MethodName, Methods } from "./protocol.ts";

/** The type of a parameter, as the description writes it; `?` marks what may be left out. */
export type ParameterType = "string" | "int" | "bool" | "?string" | "?int" | "?bool";

type Base<T> = T extends string ? "string" : T extends number ? "int" : T extends boolean ? "bool" : never;
type Kind<T> = undefined extends T ? `?${Base<Exclude<T, undefined>>}` : Base<T>;
type Parameters<R> = string extends keyof R ? Record<never, never>
  : { readonly [P in keyof R]-?: Kind<R[P]> };

/** The parameters every method takes, for checking. The compiler holds it to `Methods`, a test to the description below. */
export const PARAMETERS: { readonly [M in MethodName]: Parameters<Methods[M]["request"]> } = {
  Identify: {},
  GetStatus: {},
  CreateSession: { name: "string" },
  ListSessions: {},
  RetrieveSession: { name: "string", force: "?bool" },
  FinishSession: { name: "string", force: "?bool" },
  CloseSession: { name: "string", force: "?bool" },
  PreserveFile: {
    session: "string",
    token: "string",
    fileFd: "int",
    label: "?string",
    digest: "?string",
    force: "?bool",
  },
  RestoreFile: { session: "string", token: "string", mark: "?bool" },
  MarkFile: { session: "string", token: "string", retrieved: "bool" },
  LoadImage: {
    kernelFd: "int",
    kernel: "string",
    initrdFd: "?int",
    initrd: "?string",
    commandLine: "?string",
    reuseCommandLine: "?bool",
    append: "?string",
    force: "?bool",
  },
  ShowImage: {},
  UnloadImage: {},
  ExecImage: { force: "?bool" },
  Stop: { force: "?bool" },
};

/** What `org.varlink.service.GetInterfaceDescription` serves. */
export const DESCRIPTION =
  `# The agent of luo: it holds /dev/liveupdate and the sessions, so that scripts need not.
# Tokens are unsigned 64-bit numbers in decimal. Sizes are bytes. Times are RFC 3339, in UTC.
# A parameter called ...Fd is an index into the file descriptors sent with the message (SCM_RIGHTS).
# A method that would lose data answers Refused, unless force is true.
interface io.luo.Agent

# outgoing: created in this kernel, goes into the next one. incoming: handed over by the previous kernel, not retrieved.
# retrieved: handed over and held by the agent; finished when the agent closes it, or dies.
type SessionState (outgoing, incoming, retrieved)

# preserved: in an outgoing session. waiting: handed over, not retrieved yet. retrieved: given out at least once.
type FileState (preserved, waiting, retrieved)

# digest is "sha256:" and 64 hex digits; seals are F_SEAL_ flags.
type File (
  token: string,
  label: ?string,
  size: int,
  digest: ?string,
  seals: int,
  preservedAt: string,
  state: FileState
)

# createdAt is kept across the kexec. filesKnown is false when the session may hold files that are not listed.
type Session (name: string, state: SessionState, createdAt: string, files: []File, filesKnown: ?bool)

# A file of a lost session; size in bytes.
type LostFile (token: string, label: ?string, size: int)

# Preserved data that is gone, and why.
type Loss (
  session: string,
  state: SessionState,
  files: []LostFile,
  filesKnown: ?bool,
  reason: string,
  at: string
)

# The loaded image; other: another program loaded it. size and digest are the kernel's; held: the agent has a sealed copy of
# kernel and initrd, and loads it once more before it is executed.
type Image (
  loaded: bool,
  by: ?(luo, other),
  kernel: ?string,
  initrd: ?string,
  size: ?int,
  digest: ?string,
  initrdSize: ?int,
  initrdDigest: ?string,
  release: ?string,
  commandLine: ?string,
  loadedAt: ?string,
  held: ?bool
)

# The live update that began this boot.
type LastUpdate (
  fromRelease: string,
  toRelease: string,
  at: string,
  count: int,
  sessions: int,
  files: int,
  bytes: int
)

# Everything there is to know. device: ready, or why the agent does not hold it. losses: of this boot, and of the live update
# that began it.
type Status (
  backend: (linux, model),
  kernel: (release: string, machine: string, bootId: string, commandLine: string),
  device: (path: string, state: (ready, absent, busy, denied, broken), errno: ?string),
  agent: (pid: int, version: string, socket: string, startedAt: string),
  image: Image,
  sessions: []Session,
  lastUpdate: ?LastUpdate,
  losses: []Loss
)

# Why something is refused, as a stable word.
type ProblemCode (
  file_not_restored,
  files_unknown,
  file_preserved,
  session_outgoing,
  session_of_systemd,
  session_not_retrieved,
  session_not_finished,
  image_foreign,
  image_changed,
  image_not_held,
  image_truncated,
  image_old,
  liveupdate_off,
  kho_off,
  access_changes,
  sealed_exec,
  memory_short
)

# One problem, with the session and the token it is about.
type Problem (code: ProblemCode, session: ?string, token: ?string)

# Whose kernel this is: who expects Linux must not talk to a model.
method Identify() -> (backend: (linux, model), version: string, pid: int)

# With more: an answer now and one after every change.
method GetStatus() -> (status: Status)

# A new outgoing session. Its name must be free: WrongState while an incoming or retrieved session has it.
method CreateSession(name: string) -> (session: Session)

# The sessions of the status alone.
method ListSessions() -> (sessions: []Session)

# Takes an incoming session over. From now on it lives as long as the agent. Refused for the session "systemd", which PID 1
# expects to retrieve.
method RetrieveSession(name: string, force: ?bool) -> (session: Session)

# Ends a retrieved session. Refused while a file was never restored or the session's files are unknown: data would be gone.
method FinishSession(name: string, force: ?bool) -> (session: Session)

# Ends an outgoing session (or finishes a retrieved one). Refused while files would be lost by it.
method CloseSession(name: string, force: ?bool) -> (session: Session)

# Preserves the file sent as fileFd in an outgoing session.
method PreserveFile(
  session: string,
  token: string,
  fileFd: int,
  label: ?string,
  digest: ?string,
  force: ?bool
) -> (file: File)

# Gives out a file of a retrieved session, as fileFd; again and again until the session is finished. A token that nobody
# recorded is asked of the kernel.
# It counts as retrieved from then on, unless mark is false: then MarkFile says so once the contents are safe.
method RestoreFile(session: string, token: string, mark: ?bool) -> (file: File, fileFd: int)

# Whether a file of a retrieved session is safe elsewhere: while one is not, FinishSession is refused.
method MarkFile(session: string, token: string, retrieved: bool) -> (file: File)

# Loads the next kernel, from copies of the files sent: they may change afterwards. commandLine wins over reuseCommandLine; append is added to either.
method LoadImage(
  kernelFd: int,
  kernel: string,
  initrdFd: ?int,
  initrd: ?string,
  commandLine: ?string,
  reuseCommandLine: ?bool,
  append: ?string,
  force: ?bool
) -> (image: Image)

# The loaded image: that there is one the kernel says, the rest is what the agent remembers of loading it.
method ShowImage() -> (image: Image)

# Unloads the next kernel, whoever loaded it; unloaded: what was loaded before.
method UnloadImage() -> (image: Image, unloaded: ?Image)

# Executes the loaded kernel. Success does not answer: the connection ends, and with it this kernel.
method ExecImage(force: ?bool) -> ()

# Ends the agent. Refused while it holds sessions or knows of incoming ones.
method Stop(force: ?bool) -> ()

# A system call failed; errno by its name.
error KernelError (operation: string, subject: string, errno: string, message: string)

# Data would be lost, for these reasons; problems says the same for programs, in the same order. force overrides it.
error Refused (operation: string, subject: string, reasons: []string, problems: ?[]Problem)

# No session of that name; known are those there are.
error NoSuchSession (session: string, known: []string)

# No file with that token in the session; known are those there are.
error NoSuchFile (session: string, token: string, known: []string)

# The session is there, but not in a state that allows this.
error WrongState (session: string, state: SessionState, operation: string, message: string)

# It cannot be right, whatever the state.
error BadRequest (message: string)

# All places for clients are taken: said in place of an answer, and the connection ends.
error Busy (clients: int)

# A mistake in the agent. Whether the call had an effect is not known: ask for the status.
error InternalError (message: string)
`;
