/** Starting a program in the background (`spawn.h`). fork() is out of the question: V8's threads would not be in the child. */
import type { Ret } from "./abi/values.ts";
import { F_GETFD, F_SETFD, FD_CLOEXEC } from "./abi/fcntl.ts";
import { fcntl } from "./file.ts";
import { addressOf, cString, libc } from "./libc.ts";

const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
/** glibc 2.26 and later. */
const POSIX_SPAWN_SETSID = 0x80;
/** Room for glibc's posix_spawnattr_t (336 bytes) and posix_spawn_file_actions_t (80). */
const STRUCT_SIZE = 512;
const SIGSET_SIZE = 128;
const SIGPIPE = 13;
/** Descriptors looked at: more are rarely inherited. */
const FD_LIMIT = 1024;

export interface Spawn {
  /** An absolute path, and what the program sees as its arguments (argv[0] first). */
  readonly path: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** Becomes standard output and standard error; standard input is /dev/null. */
  readonly output: number;
}

/**
 * Starts a program in a session of its own, with no other descriptor of ours, all signals as a program expects to find them.
 *
 * @returns its process number. The caller never waits for it: it outlives us.
 */
export function spawn_detached({ path, argv, env, output }: Spawn): Ret {
  const call = libc();
  const [actions, attributes] = [new Uint8Array(STRUCT_SIZE), new Uint8Array(STRUCT_SIZE)];
  const all_signals = new Uint8Array(SIGSET_SIZE).fill(0xff);
  call.posix_spawn_file_actions_init(actions);
  call.posix_spawn_file_actions_addopen(actions, 0, cString("/dev/null"), 0, 0);
  call.posix_spawn_file_actions_adddup2(actions, output, 1);
  call.posix_spawn_file_actions_adddup2(actions, output, 2);
  call.posix_spawnattr_init(attributes);
  call.posix_spawnattr_setflags(
    attributes,
    POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK,
  );
  call.posix_spawnattr_setsigdefault(attributes, all_signals);
  call.posix_spawnattr_setsigmask(attributes, new Uint8Array(SIGSET_SIZE));
  const inherited = inheritedFds();
  for (const fd of inherited) fcntl(fd, F_SETFD, FD_CLOEXEC);
  const [args, variables] = [argv.map(cString), env.map(cString)];
  const [argp, envp] = [pointers(args), pointers(variables)];
  const pid = new Int32Array(1);
  // Gives the error number itself, not -1 and errno.
  const error = call.posix_spawn(pid, cString(path), actions, attributes, argp, envp);
  for (const fd of inherited) fcntl(fd, F_SETFD, 0);
  call.posix_spawn_file_actions_destroy(actions);
  call.posix_spawnattr_destroy(attributes);
  keep(args, variables);
  return error === 0 ? pid[0] ?? 0 : -error;
}

export interface SpawnWith {
  /** With `search`, a name without a slash is searched in PATH as execvp(3) does. */
  readonly path: string;
  readonly search?: boolean;
  /** Signals that this process ignores stay ignored in the program, but for SIGPIPE, which Deno ignores. */
  readonly inheritIgnored?: boolean;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Descriptors of ours, each with its number in the child. */
  readonly fds: readonly (readonly [ours: number, theirs: number])[];
  /** Start it in a session of its own: Ctrl-C on our terminal does not reach it. */
  readonly apart?: boolean;
}

/** Starts a program as our child, with some descriptors of ours, in our session unless `apart`. @returns its pid */
export function spawn_with(options: SpawnWith): Ret {
  const { path, search, inheritIgnored, argv, env, fds, apart } = options;
  const call = libc();
  const [actions, attributes] = [new Uint8Array(STRUCT_SIZE), new Uint8Array(STRUCT_SIZE)];
  call.posix_spawn_file_actions_init(actions);
  for (const [ours, theirs] of fds) call.posix_spawn_file_actions_adddup2(actions, ours, theirs);
  call.posix_spawnattr_init(attributes);
  call.posix_spawnattr_setflags(
    attributes,
    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (apart ? POSIX_SPAWN_SETSID : 0),
  );
  const defaults = inheritIgnored ? sigset(SIGPIPE) : new Uint8Array(SIGSET_SIZE).fill(0xff);
  call.posix_spawnattr_setsigdefault(attributes, defaults);
  call.posix_spawnattr_setsigmask(attributes, new Uint8Array(SIGSET_SIZE));
  const [args, variables] = [argv.map(cString), env.map(cString)];
  const [argp, envp] = [pointers(args), pointers(variables)];
  const pid = new Int32Array(1);
  const start = search ? call.posix_spawnp : call.posix_spawn;
  const error = start(pid, cString(path), actions, attributes, argp, envp);
  call.posix_spawn_file_actions_destroy(actions);
  call.posix_spawnattr_destroy(attributes);
  keep(args, variables);
  return error === 0 ? pid[0] ?? 0 : -error;
}

/** A `sigset_t` with one signal. */
function sigset(signal: number): Uint8Array<ArrayBuffer> {
  const set = new Uint8Array(SIGSET_SIZE);
  set[(signal - 1) >> 3] = 1 << ((signal - 1) & 7);
  return set;
}

/** Descriptors the child would get: a pipe of the caller's caller among them would stay open for as long as the child lives. */
function inheritedFds(): number[] {
  const found: number[] = [];
  for (let fd = 3; fd < FD_LIMIT; fd++) {
    const flags = fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) === 0) found.push(fd);
  }
  return found;
}

/** A NULL-terminated array of addresses. */
function pointers(strings: readonly Uint8Array[]): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array([...strings.map(addressOf), 0n]);
}

/** Strings that only an array of addresses points to must be reachable until the call is over. */
function keep(..._strings: Uint8Array[][]): void {}
