/** The sockets of the agent: its own, and with access rules the one that it shares. */
import { close, dup_cloexec, unlink } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Access } from "./access.ts";
import { type AgentPaths, listen, listenAgain, takePlace } from "./agent_place.ts";
import type { ListenerOptions } from "./listener.ts";
import {
  leaveSharedPlace,
  listenShared,
  listenSharedAgain,
  sharedSocket,
  takeSharedPlace,
} from "./shared_place.ts";

const CLIENTS_MAX = 64;
/** The most clients at the shared socket: all users together, and one user. */
const SHARED_CLIENTS_MAX = 64;
const CLIENTS_OF_UID_MAX = 16;

type Log = (line: string) => void;

/** Takes the lock and returns its fd, and prepares the directory of the shared socket. @throws LuoError `lock`, `listen` */
export function takePlaces(paths: AgentPaths, { file }: Access): number {
  const lock = takePlace(paths);
  try {
    if (file !== undefined) takeSharedPlace(sharedSocket(paths.socket));
    return lock;
  } catch (error) {
    close(lock);
    throw error;
  }
}

/** Removes the sockets. The caller still holds the lock. A socket that the service manager listens on stays: it starts the agent again. */
export function leave(paths: AgentPaths, { file }: Access, given?: number): void {
  if (file !== undefined) leaveSharedPlace(sharedSocket(paths.socket));
  if (given === undefined) unlink(paths.socket);
}

/**
 * The sockets, listening. Clients at the shared one do not take the places of root and the agent's user.
 *
 * @param given the agent's own socket, when the service manager listens on it
 */
export function agentListeners(
  paths: AgentPaths,
  access: Access,
  log: Log,
  given: number | undefined,
): ListenerOptions[] {
  const socket = sharedSocket(paths.socket);
  // The shared socket listens first, so that an agent that answers at its own socket answers at the shared one too.
  const shared_fd = access.file === undefined ? undefined : listenShared(socket);
  const own: ListenerOptions = {
    listen_fd: given === undefined ? listen(paths) : check(dup_cloexec(given), "listen", paths.socket),
    clients_max: CLIENTS_MAX,
    allowed: (peer) => access.rightsOf(peer) === "all",
    ...given === undefined
      ? { path: paths.socket, listenAgain: () => again(paths.socket, listenAgain(paths), log) }
      : {},
  };
  if (shared_fd === undefined) return [own];
  return [own, {
    listen_fd: shared_fd,
    clients_max: SHARED_CLIENTS_MAX,
    clients_of_uid_max: CLIENTS_OF_UID_MAX,
    allowed: (peer) => access.rightsOf(peer).length > 0,
    path: socket,
    listenAgain: () => again(socket, listenSharedAgain(socket), log),
    shared: true,
  }];
}

function again(socket: string, fd: number | undefined, log: Log): number | undefined {
  if (fd !== undefined) log(`Made the socket "${socket}" again: it had been removed`);
  return fd;
}
