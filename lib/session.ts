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
import { check, LuoError } from "./error.ts";
import { Fd } from "./fd.ts";
import type { SystemCalls } from "./system_calls.ts";

/** Bytes a session's name may have, in UTF-8. */
export const SESSION_NAME_MAX = 63;

/** Why the kernel would not take `name` for a session, or undefined when it would. */
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
 * @throws LuoError `open`: ENOENT (no LUO), EACCES or EPERM, EBUSY (somebody has it open), EIO (what was handed over could not be read)
 */
export function openDevice(sys: SystemCalls): Device {
  const fd = check(sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC), "open", LIVEUPDATE_DEVICE);
  return new Device(new Fd(sys, fd));
}

/** The opened device. Closing it does nothing to sessions. */
export class Device implements Disposable {
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
   * Call it before a kexec when others may have used the device before. 7.2 and 7.3 make room for one more session before they
   * see that its name is taken, and keep it. Behind 51 sessions (or 102 ...) that is an empty block, which makes **the next kernel
   * panic**: all data would be lost. The next session that is closed gives the room back (kho_block_set_shrink), so one is made
   * and closed. Seen on 7.3.4. `create` does it when it has met such a name itself.
   */
  settle(): void {
    try {
      this.#create(`luo-${crypto.randomUUID()}`).close();
    } catch (error) {
      // Nothing to be done, and no reason not to go on.
      if (!(error instanceof LuoError)) throw error;
    }
  }

  /**
   * The session of that name which the previous kernel handed over. Closing it finishes it.
   *
   * @throws LuoError `retrieve`: ENOENT (none, or finished and closed), EINVAL (retrieved already), EMFILE
   */
  retrieve(name: string): Session {
    return this.#session(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, "retrieve", name);
  }

  #session(request: number, operation: string, name: string): Session {
    const subject = `session "${name}"`;
    const problem = sessionNameProblem(name);
    // The kernel would cut the name at a NUL or take 64 bytes as unterminated: never let it see another name than the caller's.
    if (problem !== undefined) {
      throw new LuoError(operation, subject, 22, `Cannot ${operation} ${subject}: ${problem}`);
    }
    const argument = encodeSession(name);
    check(this.fd.sys.ioctl(this.fd.number, request, argument), operation, subject);
    return new Session(new Fd(this.fd.sys, decodeFd(argument)), name);
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

/** One session, outgoing or incoming: it lives exactly as long as its fd (and copies of it) does. */
export class Session implements Disposable {
  constructor(readonly fd: Fd, readonly name: string) {}

  /**
   * Preserves the file behind `fd` under `token`, until the session is closed. The caller may close `fd` afterwards. From
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
   * The file preserved under `token` in the previous kernel. Again with the same token gives another fd of the same open file.
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
   * Drops the kernel's hold on every file of an incoming session. **A file never restored is gone.** A second call is harmless.
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

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}
