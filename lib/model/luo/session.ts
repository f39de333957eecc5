/** Outgoing and incoming sessions, and their four commands (kernel/liveupdate/luo_session.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import { O_RDWR } from "../../../ffi/abi/fcntl.ts";
import * as luo from "../../../ffi/abi/liveupdate.ts";
import type { FileEntry, SessionEntry } from "../../kho/luo_entries.ts";
import type { Ret } from "../../system_calls.ts";
import type { Room } from "../kho/block_set.ts";
import { type FileOperations, type Inode, OpenFile, stat } from "../fs/file.ts";
import { answer_with_fd, type Call, commands, luo_ioctl } from "./luo_ioctl.ts";
import type { Handlers } from "./handler_registry.ts";
import { type IncomingFiles, OutgoingFiles } from "./session_files.ts";
import type { Release } from "../ground/releases.ts";

export class OutgoingSession {
  readonly files: OutgoingFiles;

  readonly name: Uint8Array;

  constructor(name: Uint8Array, handlers: Handlers, room: Room<FileEntry>) {
    this.name = name;
    this.files = new OutgoingFiles(handlers, room);
  }
}

export class IncomingSession {
  retrieved = false;

  readonly name: Uint8Array;
  readonly files: IncomingFiles;

  constructor(name: Uint8Array, files: IncomingFiles) {
    this.name = name;
    this.files = files;
  }
}

/** The memory of the lists that are handed over. */
export interface Rooms {
  readonly sessions: Room<SessionEntry>;
  /** The memory for the files of one more session. */
  files(): Room<FileEntry>;
}

/** The sessions of a kernel by name: those created here, and those of the previous kernel. */
export class Sessions {
  /** In creation order, which is also the order of freezing and serializing. */
  readonly outgoing: Map<string, OutgoingSession> = new Map();
  readonly incoming: Map<string, IncomingSession> = new Map();

  readonly handlers: Handlers;
  readonly release: Release;
  readonly rooms: Rooms;
  readonly anon_inode: Inode;

  constructor(
    handlers: Handlers,
    release: Release,
    rooms: Rooms,
    anon_inode: Inode = { stat: () => stat({ mode: 0o600 }) },
  ) {
    this.handlers = handlers;
    this.release = release;
    this.rooms = rooms;
    this.anon_inode = anon_inode;
  }

  /** luo_session_create(). */
  create(field: Uint8Array): OpenFile | Ret {
    const name = name_in(field);
    if (name === undefined || name.length === 0) return -Errno.EINVAL;
    if (this.handlers.faults.errno("alloc") < 0) return -Errno.ENOMEM;
    const key = key_of(name);
    // luo_session_insert() makes room before it looks at the name. When the name exists already, the room stays.
    const grown = this.rooms.sessions.grow(this.outgoing.size + 1);
    if (grown < 0) return grown;
    if (this.outgoing.has(key)) return -Errno.EEXIST;
    const session = new OutgoingSession(name, this.handlers, this.rooms.files());
    this.outgoing.set(key, session);
    return this.#file(session, () => {
      session.files.unpreserve();
      this.outgoing.delete(key);
      this.rooms.sessions.shrink(this.outgoing.size);
    });
  }

  /** luo_session_retrieve(). Closing the file finishes the session. */
  retrieve(field: Uint8Array): OpenFile | Ret {
    const name = name_in(field);
    const key = name === undefined ? undefined : key_of(name);
    const session = key === undefined ? undefined : this.incoming.get(key);
    if (session === undefined || key === undefined) return -Errno.ENOENT;
    if (session.retrieved) return -Errno.EINVAL;
    session.retrieved = true;
    return this.#file(session, () => {
      if (session.files.finish() === 0) this.incoming.delete(key);
      // The session stays, retrieved and unreachable, until the next kexec.
      else this.handlers.print(`luo: Unable to finish session [${printable(session.name)}] on release`);
    });
  }

  #file(session: OutgoingSession | IncomingSession, release: () => void): OpenFile {
    const commands = this.release.get_name ? session_commands : nameless_commands;
    const operations: FileOperations = {
      ioctl: (caller, _file, request, argument) => luo_ioctl(commands, caller, session, request, argument),
      release,
    };
    const link = `anon_inode:[luo_session] ${printable(session.name)}`;
    return new OpenFile({ stat: () => this.anon_inode.stat() }, operations, O_RDWR, () => link);
  }
}

/** linux/kern_levels.h */
const KERN_WARNING = 4;

function printable(name: Uint8Array): string {
  return new TextDecoder().decode(name);
}

/** The bytes before the NUL; undefined when the field has no NUL. */
function name_in(field: Uint8Array): Uint8Array | undefined {
  const end = field.indexOf(0);
  return end < 0 ? undefined : field.slice(0, end);
}

/** A map key for a name. Names may hold any byte but NUL, and a text decoder would make different names equal. */
export function key_of(name: Uint8Array): string {
  return String.fromCharCode(...name);
}

type Session = OutgoingSession | IncomingSession;

/** The commands of 6.19 and before, which have no GET_NAME. */
const nameless_commands = commands<Session>(
  {
    request: luo.LIVEUPDATE_SESSION_PRESERVE_FD,
    size: luo.FD_STRUCT_SIZE,
    min_size: luo.FD_STRUCT_SIZE,
    allowed: (session) => session instanceof OutgoingSession,
    run: preserve_fd,
  },
  {
    request: luo.LIVEUPDATE_SESSION_RETRIEVE_FD,
    size: luo.FD_STRUCT_SIZE,
    min_size: luo.FD_STRUCT_SIZE,
    allowed: (session) => session instanceof IncomingSession,
    run: retrieve_fd,
  },
  {
    request: luo.LIVEUPDATE_SESSION_FINISH,
    size: luo.FINISH_STRUCT_SIZE,
    min_size: luo.FINISH_STRUCT_SIZE,
    allowed: (session) => session instanceof IncomingSession,
    run: finish,
  },
);

const session_commands = commands<Session>(...nameless_commands.values(), {
  request: luo.LIVEUPDATE_SESSION_GET_NAME,
  size: luo.GET_NAME_STRUCT_SIZE,
  min_size: luo.GET_NAME_STRUCT_SIZE,
  run: get_name,
});

function preserve_fd(call: Call<Session>): Ret {
  if (!(call.target instanceof OutgoingSession)) return -Errno.EINVAL;
  const fd = call.view.getInt32(4, true);
  const answer = call.target.files.preserve(call.view.getBigUint64(8, true), call.caller.fds.get(fd));
  if (answer < 0) return answer;
  const answered = call.respond();
  if (answered < 0) {
    call.target.files.handlers.print(
      "luo: The file was successfully preserved, but response to user failed",
      KERN_WARNING,
    );
  }
  return answered;
}

function retrieve_fd(call: Call<Session>): Ret {
  const session = call.target;
  if (!(session instanceof IncomingSession)) return -Errno.EINVAL;
  return answer_with_fd(
    call,
    () => session.files.retrieve(call.view.getBigUint64(8, true), call.caller.uid),
  );
}

function finish(call: Call<Session>): Ret {
  if (!(call.target instanceof IncomingSession)) return -Errno.EINVAL;
  if (call.view.getUint32(4, true) !== 0) return -Errno.EINVAL;
  const answer = call.target.files.finish();
  return answer < 0 ? answer : call.respond();
}

function get_name(call: Call<Session>): Ret {
  if (call.view.getUint32(4, true) !== 0) return -Errno.EINVAL;
  const { name } = call.target;
  // strscpy() copies words of 8 bytes. It writes zeros up to the end of the word with the NUL; bytes after that word
  // stay as the caller sent them.
  const word_end = Math.floor(name.length / 8) * 8 + 8;
  call.struct.fill(0, 8, 8 + word_end);
  call.struct.set(name, 8);
  return call.respond();
}
