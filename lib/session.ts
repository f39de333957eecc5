/** Sessions and the device: one function per ioctl of /dev/liveupdate. */
import {
  decodeFd,
  decodeName,
  encodeFd,
  encodeFinish,
  encodeGetName,
  encodeSession,
  LIVEUPDATE_DEVICE,
  LIVEUPDATE_IOCTL_CREATE_SESSION,
  LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
  LIVEUPDATE_SESSION_FINISH,
  LIVEUPDATE_SESSION_GET_NAME,
  LIVEUPDATE_SESSION_PRESERVE_FD,
  LIVEUPDATE_SESSION_RETRIEVE_FD,
} from "../ffi/abi/liveupdate.ts";
import { O_CLOEXEC, O_RDWR } from "../ffi/abi/fcntl.ts";
import { Errno } from "../ffi/abi/errno.ts";
import { check, LuoError } from "./error.ts";
import { Fd } from "./fd.ts";
import type { SystemCalls } from "./system_calls.ts";

/** The longest name of a session, in bytes of UTF-8. */
export const SESSION_NAME_MAX = 63;

/** Why the kernel refuses `name` for a session, or undefined when it takes it. */
export function sessionNameProblem(name: string): string | undefined {
  if (name === "") return "a session name must not be empty";
  if (!name.isWellFormed()) return "a session name must be UTF-8";
  if (name.includes("\0")) return "a session name must not hold a NUL";
  const length = new TextEncoder().encode(name).length;
  if (length > SESSION_NAME_MAX) {
    return `a session name has at most ${SESSION_NAME_MAX} bytes, this one has ${length}`;
  }
}

/**
 * Opens `/dev/liveupdate`. One open in the whole machine at a time.
 *
 * @throws LuoError `open`: ENOENT (no LUO), EACCES or EPERM, EBUSY (a process has it open), EIO (the handover
 * cannot be read; that lasts until the next kexec)
 */
export function openDevice(sys: SystemCalls): Device {
  const fd = check(sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC), "open", LIVEUPDATE_DEVICE);
  return new Device(new Fd(sys, fd));
}

/** The opened device. Closing it does nothing to sessions. */
export class Device implements Disposable {
  /** Takes the fd of the device over. */
  constructor(readonly fd: Fd) {}

  /**
   * A new outgoing session. Keep it open until the kexec: closing it forgets all its files.
   *
   * @throws LuoError `create`: EINVAL (name), EEXIST, ENOMEM, ENOSPC, EMFILE
   */
  create(name: string): Session {
    try {
      return this.#create(name);
    } catch (error) {
      if (error instanceof LuoError && error.is("EEXIST")) this.settle();
      throw error;
    }
  }

  #create(name: string): Session {
    return this.#session(LIVEUPDATE_IOCTL_CREATE_SESSION, "create", name);
  }

  /**
   * Call this before a kexec when other programs may have used the device. Linux 7.2 and 7.3 make room for a session before they
   * see that its name is taken, and keep the room. After 51 sessions (102 ...) that is an empty block, and **the next kernel
   * panics** on it: all data is lost. Closing any session gives the room back (kho_block_set_shrink), so this creates and closes
   * one. Seen on 7.3.4. `create` does it after EEXIST.
   */
  settle(): void {
    try {
      this.#create(`luo-${crypto.randomUUID()}`).close();
    } catch (error) {
      // There is no other way to give the room back, and most likely there is none to give back.
      if (!(error instanceof LuoError)) throw error;
    }
  }

  /**
   * Retrieves the session of that name that the previous kernel handed over. Closing the session finishes it.
   *
   * @throws LuoError `retrieve`: ENOENT (none, or finished and closed), EINVAL (retrieved already), EMFILE
   */
  retrieve(name: string): Session {
    return this.#session(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, "retrieve", name);
  }

  #session(request: number, operation: string, name: string): Session {
    const subject = `session "${name}"`;
    const problem = sessionNameProblem(name);
    // The kernel ends the name at a NUL, and refuses 64 bytes without one. It must see the caller's name or none.
    if (problem !== undefined) {
      throw new LuoError(operation, subject, Errno.EINVAL, `Cannot ${operation} ${subject}: ${problem}`);
    }
    const argument = encodeSession(name);
    check(this.fd.sys.ioctl(this.fd.number, request, argument), operation, subject);
    return new Session(new Fd(this.fd.sys, decodeFd(argument)), name);
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

/** One session, outgoing or incoming. It lives as long as its fd or a copy of the fd. */
export class Session implements Disposable {
  /** Takes the session's fd over. */
  constructor(readonly fd: Fd, readonly name: string) {}

  /**
   * Preserves the file of `fd` under `token`, until the session is closed. The caller may close `fd` afterwards. From
   * now on the file refuses to grow or shrink (EPERM); its contents can still change.
   *
   * @throws LuoError `preserve`: EEXIST (token), EBADF, ENOENT (no handler takes this file), EBUSY (preserved already), EFBIG,
   * ENOMEM, ENOSPC, EINVAL (an incoming session)
   */
  preserve(fd: Fd | number, token: bigint): void {
    const number = typeof fd === "number" ? fd : fd.number;
    this.#ioctl(
      LIVEUPDATE_SESSION_PRESERVE_FD,
      encodeFd(token, number),
      "preserve",
      `file ${token} in session "${this.name}"`,
    );
  }

  /**
   * The file that was preserved under `token`. A second call gives another fd of the same open file description.
   *
   * @throws LuoError `restore`: ENOENT (token, or the session is finished), EINVAL (an outgoing session), EMFILE, ENOMEM (sticky)
   */
  restore(token: bigint): Fd {
    const argument = encodeFd(token);
    this.#ioctl(
      LIVEUPDATE_SESSION_RETRIEVE_FD,
      argument,
      "restore",
      `file ${token} of session "${this.name}"`,
    );
    return new Fd(this.fd.sys, decodeFd(argument));
  }

  /**
   * The kernel lets go of every file of an incoming session. **The data of a file never restored is gone.** A second
   * call does nothing.
   *
   * @throws LuoError `finish`: EBUSY (a handler refuses), EINVAL (an outgoing session)
   */
  finish(): void {
    this.#ioctl(LIVEUPDATE_SESSION_FINISH, encodeFinish(), "finish", `session "${this.name}"`);
  }

  /** The name as the kernel has it. Linux 6.19 does not know this call (EINVAL). */
  kernelName(): Uint8Array {
    const argument = encodeGetName();
    this.#ioctl(LIVEUPDATE_SESSION_GET_NAME, argument, "get_name", `session "${this.name}"`);
    return decodeName(argument);
  }

  #ioctl(request: number, argument: Uint8Array, operation: string, subject: string): void {
    check(this.fd.sys.ioctl(this.fd.number, request, argument), operation, subject);
  }

  /** Closes the session's fd. The last close forgets an outgoing session's files, and finishes an incoming session. */
  close(): void {
    this.fd.close();
  }

  /** Closes as `close` does, also after the end of the process. */
  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}
