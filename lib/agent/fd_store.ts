/** The fd store: the place where the service manager keeps copies of the agent's file descriptors, which outlive the agent. */
import { notify } from "./notify.ts";

/** A file descriptor that the service manager gave to this process at its start. */
export interface StoredFd {
  /** Its name in the store. */
  readonly name: string;
  readonly fd: number;
}

export interface FdStore {
  /** The most entries. The service manager drops an entry for which there is no room, and does not tell. */
  readonly room: number;
  /** The descriptors that the store held when this process was started. */
  readonly given: readonly StoredFd[];
  /** Adds a copy of the fd. @throws LuoError `store` */
  push(name: string, fd: number): void;
  /** Removes all entries of that name. @throws LuoError `store` */
  remove(name: string): void;
}

/** systemd's store: the unit has FileDescriptorStoreMax=, and systemd 254 and later sets FDSTORE to it. */
export function systemdStore(socket: string, room: number, given: readonly StoredFd[]): FdStore {
  return {
    room,
    given,
    // systemd would drop an fd that reports a hang-up. A session never does.
    push: (name, fd) => notify(socket, `FDSTORE=1\nFDPOLL=0\nFDNAME=${name}`, [fd]),
    remove: (name) => notify(socket, `FDSTOREREMOVE=1\nFDNAME=${name}`),
  };
}

/** FDNAME_MAX in systemd's fd-util.h. */
const NAME_MAX = 255;

/**
 * A session's name as a name in the store: printable ASCII without ":" (fdname_is_valid() in systemd's fd-util.c). All other bytes, and
 * "%", are written as "%" and two hex digits. `count` tells entries of sessions with one name apart.
 */
export function storeName(session: string, count = 0): string {
  const bytes = new TextEncoder().encode(session);
  const text = Array.from(bytes, (byte) => isPlain(byte) ? String.fromCharCode(byte) : escaped(byte)).join(
    "",
  );
  const ending = count === 0 ? "" : `%${count}`;
  return `${text.slice(0, NAME_MAX - ending.length)}${ending}`;
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== ":".charCodeAt(0) && byte !== "%".charCodeAt(0);
}

function escaped(byte: number): string {
  return `%${byte.toString(16).padStart(2, "0")}`;
}
