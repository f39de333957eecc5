/** The sockets of the agent: its own, and with access rules the one that it shares. */
import { dup_cloexec, unlink } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Access } from "./access.ts";
import { type AgentPaths, listen, listenAgain } from "./agent_place.ts";
import { HeldPlace } from "./held_place.ts";
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

/** The agent whose sockets these are. */
export interface Listening {
  readonly paths: AgentPaths;
  readonly place: HeldPlace;
  readonly access: Access;
  readonly log: Log;
  /** The agent's own socket, when the service manager listens on it. */
  readonly given: number | undefined;
  /** Called when the agent has its place again: the files beside the socket are gone. */
  readonly returned: () => void;
  /** Called again and again while the agent has lost its place. */
  readonly lost: () => void;
}

/** Takes the lock, and prepares the directory of the shared socket. @throws LuoError `lock`, `listen` */
export function takePlaces(paths: AgentPaths, { file }: Access): HeldPlace {
  const place = new HeldPlace(paths);
  try {
    if (file !== undefined) takeSharedPlace(sharedSocket(paths.socket));
    return place;
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
}

/**
 * Removes the sockets. The caller still holds the lock: an agent that has lost its place removes nothing of the next one. A socket that
 * the service manager listens on stays: it starts the agent again.
 */
export function leave(paths: AgentPaths, place: HeldPlace, { file }: Access, given?: number): void {
  if (!place.isHeld) return;
  if (file !== undefined) leaveSharedPlace(sharedSocket(paths.socket));
  if (given === undefined) unlink(paths.socket);
}

/** The sockets, listening. Clients at the shared one do not take the places of root and the agent's user. */
export function agentListeners(listening: Listening): ListenerOptions[] {
  const { paths, access, log, given } = listening;
  const socket = sharedSocket(paths.socket);
  // The shared socket listens first, so that an agent that answers at its own socket answers at the shared one too.
  const shared_fd = access.file === undefined ? undefined : listenShared(socket);
  const own: ListenerOptions = {
    listen_fd: given === undefined ? listen(paths) : check(dup_cloexec(given), "listen", paths.socket),
    clients_max: CLIENTS_MAX,
    allowed: (peer) => access.rightsOf(peer) === "all",
    ...given === undefined ? { path: paths.socket, listenAgain: () => ownAgain(listening) } : {},
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

/** The agent's own socket again, and before that the place when its directory was removed. */
function ownAgain({ paths, place, log, returned, lost }: Listening): number | undefined {
  if (place.isHeld) return again(paths.socket, listenAgain(paths), log);
  if (!place.takeAgain()) {
    lost();
    return undefined;
  }
  // A socket at the path is of an agent that has ended: this agent has the lock.
  unlink(paths.socket);
  const fd = listenAgain(paths);
  log(
    `Took "${paths.directory}" again: it had been removed, with the record, which is written anew, and the log`,
  );
  returned();
  return fd;
}

function again(socket: string, fd: number | undefined, log: Log): number | undefined {
  if (fd !== undefined) log(`Made the socket "${socket}" again: it had been removed`);
  return fd;
}
