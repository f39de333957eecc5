/** The device, and the sessions that it creates and retrieves. */
import {
  LIVEUPDATE_DEVICE,
  LIVEUPDATE_IOCTL_CREATE_SESSION,
  LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
} from "../ffi/abi/liveupdate.ts";
import { IoctlMemory } from "../ffi/abi/ioctl_memory.ts";
import { O_CLOEXEC, O_RDWR } from "../ffi/abi/fcntl.ts";
import { Errno } from "../ffi/abi/errno.ts";
import { LuoError } from "./error.ts";
import { Fd } from "./fd.ts";
import { IncomingSession, OutgoingSession, type RestorableSession } from "./open_session.ts";
import type { SystemCalls } from "./system_calls.ts";

export { IncomingSession, OutgoingSession, type RestorableSession } from "./open_session.ts";

/** The longest name of a session, in bytes of UTF-8. */
export const SESSION_NAME_MAX = 63;

/** Why the kernel refuses `name` for a session, or undefined when it takes it. */
export function sessionNameProblem(name: string): string | undefined {
  if (name === "") return "a session name must not be empty";
  if (!name.isWellFormed()) return "a session name must be UTF-8";
  if (name.includes("\0")) return "a session name must not hold a NUL";
  // No character of a text takes more than three bytes for each of its UTF-16 units.
  if (3 * name.length <= SESSION_NAME_MAX) return undefined;
  const length = new TextEncoder().encode(name).length;
  if (length > SESSION_NAME_MAX) {
    return `a session name has at most ${SESSION_NAME_MAX} bytes, this one has ${length}`;
  }
  return undefined;
}

/**
 * Opens `/dev/liveupdate`. One open in the whole machine at a time.
 *
 * @throws LuoError `open`: ENOENT (no LUO), EACCES or EPERM, EBUSY (a process has it open), EIO (the handover
 * cannot be read; that lasts until the next kexec)
 */
export function openDevice(sys: SystemCalls): Device {
  const fd = Fd.of(sys, sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC), "open", LIVEUPDATE_DEVICE);
  return new Device(fd);
}

/** The opened device. Closing it does nothing to sessions. */
export class Device implements Disposable {
  /** The file descriptor of the device. */
  readonly fd: Fd;
  /** Sessions that `restoreAll` has retrieved and not finished, by name; they outlive the open device. */
  readonly #unfinished = new Map<string, IncomingSession>();
  readonly #taking = new Set<string>();
  readonly #memory = new IoctlMemory();

  /** Takes the fd of the device over. */
  constructor(fd: Fd) {
    this.fd = fd;
  }

  /**
   * A new outgoing session. Keep it open until the kexec: closing it forgets all its files.
   *
   * @throws LuoError `create`: EINVAL (name), EEXIST, ENOMEM, ENOSPC, EMFILE
   */
  create(name: string): OutgoingSession {
    try {
      return this.#create(name);
    } catch (error) {
      if (error instanceof LuoError && error.is("EEXIST")) this.settle();
      throw error;
    }
  }

  #create(name: string): OutgoingSession {
    const fd = this.#session(LIVEUPDATE_IOCTL_CREATE_SESSION, "create", name);
    return new OutgoingSession(fd, name, this.#memory);
  }

  /**
   * Call this before a kexec when other programs may have used the device. Linux 7.2 and 7.3 make room for a session before they
   * see that its name is taken, and keep the room. After 51 sessions (102 ...) that is an empty block, and **the next kernel
   * panics** on it: all data is lost. Closing any session gives the room back (kho_block_set_shrink), so this creates and closes
   * one. Seen on 7.3.4. `create` does it after EEXIST.
   */
  settle(): void {
    try {
      // A live update waits for this. The first `crypto.randomUUID()` of a process takes longer than all of it.
      this.#create(`luo-${Math.random()}`).close();
    } catch (error) {
      // There is no other way to give the room back, and most likely there is none to give back.
      if (!(error instanceof LuoError)) throw error;
    }
  }

  /**
   * Retrieves the session of that name that the previous kernel handed over. **Its end is the end of its data**: `finish`, and the
   * end of this process, drop all files that were not restored. `restoreAll` finishes no earlier than is right.
   *
   * @throws LuoError `retrieve`: ENOENT (none, or finished and closed), EINVAL (retrieved already), EMFILE
   */
  retrieve(name: string): IncomingSession {
    const fd = this.#session(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, "retrieve", name);
    return new IncomingSession(fd, name, this.#memory);
  }

  /**
   * Retrieves a session, lets `take` restore its files, and finishes the session when `take` has returned, or when the promise that
   * `take` returned is fulfilled. When `take` fails, the session stays open in this process: call `restoreAll` of the same `Device`
   * again, and `take` gets the same session. `take` should return only when the data is safe: files that it did not restore are
   * gone then.
   *
   * ```ts ignore
   * const cache = device.restoreAll("cache", (session) => readCache(session.restore(7n)));
   * ```
   *
   * @throws LuoError `retrieve` as of `retrieve`, `finish`: EBUSY; whatever `take` throws
   */
  restoreAll<T>(name: string, take: (session: RestorableSession) => Promise<T>): Promise<T>;
  /**
   * Retrieves a session, lets `take` restore its files, and finishes the session when `take` has returned. When `take` throws, the
   * session stays open in this process, and the next `restoreAll` of the same `Device` gives it to `take` again.
   */
  restoreAll<T>(name: string, take: (session: RestorableSession) => T): T;
  restoreAll<T>(name: string, take: (session: RestorableSession) => T | Promise<T>): T | Promise<T> {
    if (this.#taking.has(name)) throw new TypeError(`Session "${name}" is being restored already`);
    const session = this.#unfinished.get(name) ?? this.retrieve(name);
    this.#unfinished.set(name, session);
    const finish = (taken: T): T => {
      session.finish();
      this.#unfinished.delete(name);
      return taken;
    };
    this.#taking.add(name);
    let pending = false;
    try {
      const taken = take(session);
      if (!(taken instanceof Promise)) return finish(taken);
      pending = true;
      return taken.then(finish).finally(() => this.#taking.delete(name));
    } finally {
      if (!pending) this.#taking.delete(name);
    }
  }

  #session(request: number, operation: "create" | "retrieve", name: string): Fd {
    const problem = sessionNameProblem(name);
    // The kernel ends the name at a NUL, and refuses 64 bytes without one. It must see the caller's name or none.
    if (problem !== undefined) {
      const subject = `session "${name}"`;
      throw new LuoError(operation, subject, Errno.EINVAL, `Cannot ${operation} ${subject}: ${problem}`);
    }
    const argument = this.#memory.encodeSession(name);
    const answer = this.fd.sys.ioctl(this.fd.number, request, argument);
    if (answer < 0) throw new LuoError(operation, `session "${name}"`, -answer);
    return new Fd(this.fd.sys, this.#memory.decodeFd());
  }

  /** Closes the device. Sessions stay as they are. */
  close(): void {
    this.fd.close();
  }

  /** Closes the device, also after the end of the process. */
  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}
