/** Starts programs with posix_spawn (`spawn.h`). fork is not possible: the child would not have V8's threads. */
import type { Ret } from "./abi/values.ts";
import { F_GETFD, F_SETFD, FD_CLOEXEC } from "./abi/fcntl.ts";
import { fcntl } from "./file.ts";
import { addresses, cString, keepAlive, libc } from "./libc.ts";
import { heed, is_ignored } from "./process.ts";

const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
/** glibc 2.26 and later. */
const POSIX_SPAWN_SETSID = 0x80;
/** Room for glibc's posix_spawnattr_t (336 bytes) and posix_spawn_file_actions_t (80). */
const STRUCT_SIZE = 512;
const SIGSET_SIZE = 128;
const [SIGPIPE, SIGCHLD] = [13, 17];
/** The signals after these are for programs' own use (signal(7)). */
const LAST_SIGNAL = 31;
/** Fds below this number are checked for inheritance. Higher ones are rarely inherited. */
const FD_LIMIT = 1024;

export interface Spawn {
  /** Absolute. */
  readonly path: string;
  /** The program's arguments, argv[0] first. */
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** An fd for standard output and standard error. Standard input is /dev/null. */
  readonly output: number;
}

/**
 * Starts a program that outlives this process: in a terminal session of its own, with no other fd of this process, and with the
 * default action for every signal.
 *
 * @returns the program's pid. The caller does not wait for the program.
 */
export function spawn_detached({ path, argv, env, output }: Spawn): Ret {
  const call = libc();
  const [actions, attributes] = [new Uint8Array(STRUCT_SIZE), new Uint8Array(STRUCT_SIZE)];
  call.posix_spawn_file_actions_init(actions);
  call.posix_spawn_file_actions_addopen(actions, 0, cString("/dev/null"), 0, 0);
  call.posix_spawn_file_actions_adddup2(actions, output, 1);
  call.posix_spawn_file_actions_adddup2(actions, output, 2);
  call.posix_spawnattr_init(attributes);
  call.posix_spawnattr_setflags(
    attributes,
    POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK,
  );
  call.posix_spawnattr_setsigdefault(attributes, allSignals());
  call.posix_spawnattr_setsigmask(attributes, new Uint8Array(SIGSET_SIZE));
  const inherited = inheritedFds();
  for (const fd of inherited) fcntl(fd, F_SETFD, FD_CLOEXEC);
  const [args, variables] = [argv.map(cString), env.map(cString)];
  const [argp, envp] = [addresses(args), addresses(variables)];
  const pid = new Int32Array(1);
  // posix_spawn returns the error number and leaves errno alone.
  const error = call.posix_spawn(pid, cString(path), actions, attributes, argp, envp);
  for (const fd of inherited) fcntl(fd, F_SETFD, 0);
  call.posix_spawn_file_actions_destroy(actions);
  call.posix_spawnattr_destroy(attributes);
  keepAlive(args, variables);
  return error === 0 ? pid[0] ?? 0 : -error;
}

export interface SpawnWith {
  readonly path: string;
  /** Search PATH for a name without a slash, as execvp(3) does. */
  readonly search?: boolean;
  /**
   * The program ignores the signals that this process ignores, except SIGPIPE, which Deno ignores, and SIGCHLD unless it is named: this
   * process cannot wait for the program then.
   */
  readonly inheritIgnored?: boolean | "SIGCHLD too";
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Fds of this process, each with its number in the child. */
  readonly fds: readonly (readonly [ours: number, theirs: number])[];
  /** Start the child in a terminal session of its own: Ctrl-C on our terminal does not reach it. */
  readonly apart?: boolean;
}

/** Starts a child with some fds of this process, on the terminal of this process unless `apart`. @returns the child's pid */
export function spawn_with(options: SpawnWith): Ret {
  const { path, search, inheritIgnored, argv, env, fds, apart } = options;
  // A process that was started with SIGCHLD ignored cannot wait for its children: wait(2) gives ECHILD.
  if (inheritIgnored !== "SIGCHLD too" && is_ignored(SIGCHLD)) heed(SIGCHLD);
  const call = libc();
  const [actions, attributes] = [new Uint8Array(STRUCT_SIZE), new Uint8Array(STRUCT_SIZE)];
  call.posix_spawn_file_actions_init(actions);
  for (const [ours, theirs] of fds) call.posix_spawn_file_actions_adddup2(actions, ours, theirs);
  call.posix_spawnattr_init(attributes);
  call.posix_spawnattr_setflags(
    attributes,
    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (apart ? POSIX_SPAWN_SETSID : 0),
  );
  call.posix_spawnattr_setsigdefault(attributes, inheritIgnored ? allButIgnored() : allSignals());
  call.posix_spawnattr_setsigmask(attributes, new Uint8Array(SIGSET_SIZE));
  const [args, variables] = [argv.map(cString), env.map(cString)];
  const [argp, envp] = [addresses(args), addresses(variables)];
  const pid = new Int32Array(1);
  const start = search ? call.posix_spawnp : call.posix_spawn;
  const error = start(pid, cString(path), actions, attributes, argp, envp);
  call.posix_spawn_file_actions_destroy(actions);
  call.posix_spawnattr_destroy(attributes);
  keepAlive(args, variables);
  return error === 0 ? pid[0] ?? 0 : -error;
}

/** A `sigset_t` with every signal. */
function allSignals(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(SIGSET_SIZE).fill(0xff);
}

/**
 * Every signal but those that this process ignores, and SIGPIPE in any case. A signal that is not in the set would keep its default
 * action as well, except the C library's own two (32 and 33), which posix_spawn(3) would make ignored.
 */
function allButIgnored(): Uint8Array<ArrayBuffer> {
  const set = allSignals();
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    if (signal === SIGPIPE || !is_ignored(signal)) continue;
    const byte = (signal - 1) >> 3;
    set[byte] = (set[byte] ?? 0) & ~(1 << ((signal - 1) & 7));
  }
  return set;
}

/** The fds without FD_CLOEXEC. A pipe among them would stay open as long as the child lives. */
function inheritedFds(): number[] {
  const found: number[] = [];
  for (let fd = 3; fd < FD_LIMIT; fd++) {
    const flags = fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) === 0) found.push(fd);
  }
  return found;
}
