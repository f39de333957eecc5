/** Starts a part of luo in the background, once, and connects to it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_APPEND, O_CLOEXEC, O_CREAT, O_RDONLY, O_RDWR } from "../../ffi/abi/fcntl.ts";
import { flock, fstat, ftruncate, open, pread } from "../../ffi/file.ts";
import { pidfd_open } from "../../ffi/process.ts";
import { spawn_detached } from "../../ffi/spawn.ts";
import { checkDirectory, directoryExists, makeDirectory } from "../../lib/agent/agent_place.ts";
import { check } from "../../lib/error.ts";
import { inheritedEnvironment } from "../../lib/files/inherited_environment.ts";
import { HostFd } from "../../lib/files/host_fd.ts";
import type { Stat } from "../../lib/system_calls.ts";
import { checkDevNull } from "../../lib/files/system_files.ts";
import { BINARY } from "../../lib/version.ts";
import { PlaceWatch } from "../../lib/waits/place_watch.ts";
import { operand } from "../base/text.ts";
import { Failure } from "../errors/failure.ts";
import { lostOwner, RETURN_MS } from "./lost_place.ts";

/** A part of luo that runs in the background and listens at a socket. */
export interface Service<Client> {
  /** Its name in messages. */
  readonly name: string;
  readonly socket: string;
  /** Whether the socket is at the default place, whose directory luo makes. */
  readonly isDefault: boolean;
  /** The file that the running service holds a flock on. */
  readonly lock: string;
  /** Its output goes to this file. */
  readonly log: string;
  /** The program and its arguments. Called only to start the service. */
  readonly argv: () => readonly string[];
  /** The connection, or undefined when nothing answers. */
  readonly connect: () => Client | undefined;
  /** How long the start may take. */
  readonly limit_ms: number;
}

/** The default limit: long enough for slow machines right after boot, with nothing cached. A child that ends is noticed at once. */
export const START_LIMIT_MS = 60_000;
const LOG_LIMIT_BYTES = 1n << 20n;
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Connects, and starts the service first when nothing answers. Two commands that do this at the same moment start one service:
 * the second command waits for the first one's lock and then finds the service running.
 */
export function ensureRunning<Client>(service: Service<Client>): { client: Client; started: boolean } {
  const running = service.connect();
  if (running !== undefined) return { client: running, started: false };
  // The directory is checked before anything is written there: in a shared directory the log could be another user's link.
  prepareDirectory(service);
  const end = Date.now() + service.limit_ms;
  using place = new PlaceWatch(service.socket);
  using starter = lockFile(`${service.socket}.start`);
  waitForLock(starter, place, service, end);
  using log = openLog(service.log);
  const from = check<Stat>(fstat(log.number), "read", service.log).size;
  let child: HostFd | undefined;
  let started = false;
  const returns = Date.now() + RETURN_MS;
  try {
    while (Date.now() < end) {
      // Looked for first: it makes its new socket before it closes the old one.
      const returning = child === undefined && comesBack(service, returns);
      const client = service.connect();
      if (client !== undefined) return { client, started };
      if (returning) {
        place.wait(returns - Date.now());
        continue;
      }
      if (child === undefined && !isLocked(service.lock)) {
        child = spawn(service, log);
        place.add(child.number);
        started = true;
      }
      if (place.wait(end - Date.now()).length === 0) continue;
      // Another command's service was quicker, or the last one has not ended yet: then this is no failure.
      if (!isLocked(service.lock)) throw startFailure(service, log, from, "it ended at once");
      child?.[Symbol.dispose]();
      child = undefined;
    }
  } finally {
    child?.[Symbol.dispose]();
  }
  throw startFailure(service, log, from, `it does not answer after ${service.limit_ms / 1000} seconds`);
}

/**
 * Whether a service of this place runs whose directory was removed: it takes the place again, and a second one beside it would not have
 * its sessions.
 *
 * @throws Failure it does not come back
 */
function comesBack({ name, socket }: Pick<Service<unknown>, "name" | "socket">, returns: number): boolean {
  const pid = lostOwner(socket);
  if (pid === undefined || Date.now() < returns) return pid !== undefined;
  throw new Failure(
    "unavailable",
    `Cannot start ${name}: one runs whose directory was removed, process ${pid}`,
    {
      reasons: ["it does not make its socket again, and may hold sessions"],
      hints: [`to end it, and lose what it holds: kill ${pid}`],
    },
  );
}

/** Waits for an agent whose directory was removed: it has its lock again then. @throws Failure it does not come back */
export function waitForReturn(socket: string): void {
  using place = new PlaceWatch(socket);
  const returns = Date.now() + RETURN_MS;
  while (!isLocked(`${socket}.lock`) && comesBack({ name: "the agent", socket }, returns)) {
    place.wait(returns - Date.now());
  }
}

/** Makes the directory of the default place. A directory that the user named must exist: its name may be a typo. */
function prepareDirectory({ name, socket, isDefault }: Service<unknown>): void {
  const directory = socket.slice(0, socket.lastIndexOf("/")) || "/";
  if (isDefault) return makeDirectory(directory);
  if (directoryExists(directory)) return checkDirectory(directory);
  const lost = lostOwner(socket);
  if (lost !== undefined) throw directoryRemoved(socket, lost);
  throw new Failure(
    "unavailable",
    `Cannot start ${name} at "${socket}": there is no directory "${directory}"`,
    {
      operation: "listen",
      subject: directory,
      errno: "ENOENT",
      hints: [
        "check --socket and LUO_SOCKET",
        `if the path is right, make the directory: mkdir -p -m 700 ${operand(directory)}`,
      ],
    },
  );
}

/** The failure of a command whose agent or machine runs, in a directory that was removed. */
export function directoryRemoved(socket: string, pid: number): Failure {
  const directory = socket.slice(0, socket.lastIndexOf("/")) || "/";
  return new Failure(
    "unavailable",
    `Cannot reach the agent at "${socket}": its directory was removed while it ran (process ${pid})`,
    {
      operation: "connect",
      subject: directory,
      errno: "ENOENT",
      hints: [
        `to reach it again, with all its sessions: mkdir -p -m 700 ${operand(directory)}`,
        `to end it, and lose what it holds: kill ${pid}`,
      ],
    },
  );
}

/** Another command holds the lock while it starts the service. */
function waitForLock(
  lock: HostFd,
  place: PlaceWatch,
  { name, socket }: Service<unknown>,
  end: number,
): void {
  for (;;) {
    const locked = flock(lock.number, LOCK_EX | LOCK_NB);
    if (locked !== -Errno.EAGAIN && locked !== -Errno.EINTR) {
      return void check(locked, "lock", `${socket}.start`);
    }
    if (Date.now() > end) {
      throw new Failure("unavailable", `Cannot start ${name}: another command still starts it`, {
        hints: ["wait longer with --timeout SECONDS, or look into its log beside the socket"],
      });
    }
    place.wait(end - Date.now());
  }
}

/** Waits until no process holds the lock. False: one still does after `limit_ms`. */
export function waitForEnd(lock: string, limit_ms: number): boolean {
  if (!isLocked(lock)) return true;
  using place = new PlaceWatch(lock);
  const end = Date.now() + limit_ms;
  while (isLocked(lock)) {
    if (Date.now() > end) return false;
    place.wait(end - Date.now());
  }
  return true;
}

function spawn({ argv: command, name }: Service<unknown>, log: HostFd): HostFd {
  const argv = command();
  const path = argv[0] ?? "";
  // Deno would ask its site for newer versions. The single executable does not.
  const env = [...inheritedEnvironment(), ...BINARY ? [] : ["DENO_NO_UPDATE_CHECK=1"]];
  checkDevNull();
  const pid = check(spawn_detached({ path, argv, env, output: log.number }), "start", `${name} with ${path}`);
  return new HostFd(check(pidfd_open(pid, 0), "pidfd_open", `process ${pid}`));
}

function lockFile(path: string): HostFd {
  return new HostFd(check(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600), "open", `"${path}"`));
}

/** Whether a process holds the lock. */
export function isLocked(path: string): boolean {
  // The file is not opened for writing: the close would wake all that wait for the lock's end.
  const number = open(path, O_RDONLY | O_CLOEXEC);
  if (number < 0) return false;
  using fd = new HostFd(number);
  return flock(fd.number, LOCK_EX | LOCK_NB) === -Errno.EAGAIN;
}

function openLog(path: string): HostFd {
  const flags = O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC;
  const log = new HostFd(check(open(path, flags, 0o600), "open", `"${path}"`));
  if (check<Stat>(fstat(log.number), "read", path).size > LOG_LIMIT_BYTES) ftruncate(log.number, 0n);
  return log;
}

/** The failure with the last lines that the service wrote to its log. */
function startFailure(
  { name, log: path }: Service<unknown>,
  log: HostFd,
  from: bigint,
  why: string,
): Failure {
  const buffer = new Uint8Array(4096);
  const bytes = pread(log.number, buffer, from);
  const said = new TextDecoder().decode(buffer.subarray(0, Math.max(0, bytes))).trim().split("\n");
  const reasons = said.filter((line) => line !== "").slice(-6);
  return new Failure("unavailable", `Cannot start ${name}: ${why}`, { reasons, hints: [`its log: ${path}`] });
}
