/** The place of an agent: the files beside its socket, the lock, and the directory that others may not enter. */
import { Errno } from "../../ffi/abi/errno.ts";
import {
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
} from "../../ffi/abi/fcntl.ts";
import { SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close, flock, fstat, ftruncate, mkdir, open, pread, pwrite, unlink } from "../../ffi/file.ts";
import { geteuid, getpid } from "../../ffi/process.ts";
import { unix_listen } from "../../ffi/socket.ts";
import { isPrivate, mayListen } from "../stale_socket.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";

/** The paths of an agent's files. All of them lie beside its socket. */
export interface AgentPaths {
  readonly socket: string;
  readonly directory: string;
  /** Locked with flock(2) as long as the agent lives; holds its pid. */
  readonly lock: string;
  /** The record: the journal for the next agent of the same boot. */
  readonly state: string;
  /** A record that could not be read, kept for people. */
  readonly damaged: string;
  /** The values of `luo put`, as a record of its own, and one that could not be read. */
  readonly values: string;
  readonly damagedValues: string;
  /** The socket of the model's machine. */
  readonly machine: string;
  /** The state of the live update, as one word for scripts. */
  readonly update: string;
  /** The record of the live update, for the next agent of the same boot. */
  readonly updateRecord: string;
  /** A directory with a `luo` for participants. */
  readonly bin: string;
}

export function agentPaths(socket: string): AgentPaths {
  const slash = socket.lastIndexOf("/");
  const directory = slash < 0 ? "." : socket.slice(0, slash) || "/";
  return {
    socket,
    directory,
    lock: `${socket}.lock`,
    state: `${socket}.state`,
    damaged: `${socket}.state.damaged`,
    values: `${socket}.values`,
    damagedValues: `${socket}.values.damaged`,
    machine: `${socket}.machine`,
    update: `${socket}.update`,
    updateRecord: `${socket}.update.json`,
    bin: `${socket}.bin`,
  };
}

/** The ends of the names of the files that agents and the model's machine leave; the path of the socket comes before them. */
const LEFT = [
  ".state",
  ".state.damaged",
  ".values",
  ".values.damaged",
  ".update",
  ".update.json",
  ".bin",
  ".log",
  ".lock",
  ".start",
  ".machine.log",
  ".machine.start",
];

/** The paths of those files that are there. */
export function leftBeside(socket: string): string[] {
  return LEFT.map((ending) => `${socket}${ending}`).filter((path) => {
    const fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) close(fd);
    return fd >= 0;
  });
}

const LOCK_EX_NB = 2 | 4;

/**
 * Takes the lock and returns its fd: the lock is held until the fd is closed.
 *
 * @throws LuoError `lock`: EAGAIN an agent runs; `listen`: ENOENT no directory, EPERM a directory that others may enter
 */
export function takePlace(paths: AgentPaths): number {
  checkDirectory(paths.directory);
  mayListen(paths.socket);
  const subject = `"${paths.lock}"`;
  const fd = check(open(paths.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600), "lock", subject);
  const locked = flock(fd, LOCK_EX_NB);
  const pid = new Uint8Array(20);
  const who = new TextDecoder().decode(pid.subarray(0, Math.max(0, pread(fd, pid, 0n)))).trim();
  if (!/^\d*$/.test(who)) {
    close(fd);
    const what =
      `Cannot take ${subject} as a lock: it holds something else; choose another place with --socket`;
    throw new LuoError("lock", subject, Errno.EEXIST, what);
  }
  if (locked < 0) {
    close(fd);
    throw new LuoError(
      "lock",
      subject,
      -locked,
      `Cannot start the agent: one is running already, process ${who || "unknown"}`,
    );
  }
  // The number only informs, so a full disk is no reason to end. Writing before cutting keeps the block that the file has.
  const line = new TextEncoder().encode(`${getpid()}\n`);
  if (pwrite(fd, line, 0n) === line.length) ftruncate(fd, BigInt(line.length));
  return fd;
}

/**
 * Makes a directory that only its owner may enter, or checks the one that is there.
 *
 * @throws LuoError `listen`: EPERM a directory that others may enter
 */
export function makeDirectory(directory: string): void {
  const subject = `directory "${directory}"`;
  const made = mkdir(directory, 0o700);
  if (made < 0 && made !== -Errno.EEXIST) {
    throw new LuoError("listen", subject, -made, `Cannot make ${subject}`);
  }
  checkDirectory(directory);
}

export function directoryExists(directory: string): boolean {
  const fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) close(fd);
  return fd !== -Errno.ENOENT;
}

/** @throws LuoError `listen`: ENOENT, ENOTDIR; EPERM a directory that others may enter */
export function checkDirectory(directory: string): void {
  const subject = `directory "${directory}"`;
  const fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw new LuoError("listen", subject, -fd, `Cannot listen in ${subject}`);
  const stat = check<Stat>(fstat(fd), "listen", subject);
  close(fd);
  if ((stat.mode & 0o077) === 0 && stat.uid === geteuid()) return;
  const what =
    `Cannot listen in ${subject}: others may enter it; make it private (chmod 700), or choose another with --socket`;
  throw new LuoError("listen", subject, Errno.EPERM, what);
}

/** A listening socket, mode 0600. The caller holds the lock, so a socket that is there belongs to a dead agent and is replaced. */
export function listen(paths: AgentPaths): number {
  unlink(paths.socket);
  return check(listenAt(paths.socket), "listen", `"${paths.socket}"`);
}

/**
 * A new listening socket, when the path of the agent's socket is gone: programs that clean up temporary files remove sockets too,
 * and no client could reach the sessions any more. Undefined: something is at the path, or no socket can be made there now.
 */
export function listenAgain(paths: AgentPaths): number | undefined {
  const there = open(paths.socket, O_PATH | O_CLOEXEC | O_NOFOLLOW);
  if (there >= 0) close(there);
  if (there !== -Errno.ENOENT || !isPrivate(paths.directory)) return undefined;
  const fd = listenAt(paths.socket);
  return fd < 0 ? undefined : fd;
}

function listenAt(path: string): number {
  return unix_listen(path, SOCK_STREAM | SOCK_NONBLOCK, 64);
}
