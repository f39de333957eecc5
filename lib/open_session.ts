/** An open session: outgoing, of this kernel, or incoming, of the previous one. */
import {
  decodeName,
  encodeGetName,
  LIVEUPDATE_SESSION_FINISH,
  LIVEUPDATE_SESSION_GET_NAME,
  LIVEUPDATE_SESSION_PRESERVE_FD,
  LIVEUPDATE_SESSION_RETRIEVE_FD,
} from "../ffi/abi/liveupdate.ts";
import { IoctlMemory } from "../ffi/abi/ioctl_memory.ts";
import { LuoError, type Operation } from "./error.ts";
import { Fd } from "./fd.ts";

/**
 * A session of this kernel, for the next one. It lives until `close`, or until the end of this process. It is not disposable: a
 * session that ended with a block would forget its files before the kexec.
 */
export class OutgoingSession {
  /** The file descriptor that keeps the session alive, as every copy of it does. */
  readonly fd: Fd;
  /** The name that it was created with. */
  readonly name: string;

  readonly #memory: IoctlMemory;

  /** Takes the session's fd over. `memory` is shared by the sessions of a device. */
  constructor(fd: Fd, name: string, memory: IoctlMemory = new IoctlMemory()) {
    this.fd = fd;
    this.name = name;
    this.#memory = memory;
  }

  /**
   * Preserves the file of `fd` under `token`, until the session is closed. The caller may close `fd` afterwards. From
   * now on the file refuses to grow or shrink (EPERM); its contents can still change.
   *
   * @throws LuoError `preserve`: EEXIST (token), EBADF, ENOENT (no handler takes this file), EBUSY (preserved already), EFBIG,
   * ENOMEM, ENOSPC
   * @throws RangeError the token is not from 0 to 2^64-1
   * @throws TypeError `fd` is closed, or of another process or kernel
   */
  preserve(fd: Fd, token: bigint): void {
    const argument = this.#memory.encodeFd(checkToken(token), fd.numberIn(this.fd.sys));
    const subject = () => `file ${token} in session "${this.name}"`;
    call(this.fd, LIVEUPDATE_SESSION_PRESERVE_FD, argument, "preserve", subject);
  }

  /** The name as the kernel has it. Linux 6.19 does not know this call (EINVAL). */
  kernelName(): Uint8Array {
    return kernelName(this.fd, this.name);
  }

  /** Closes the session's fd. The last close forgets all files of the session: they do not reach the next kernel. */
  close(): void {
    this.fd.close();
  }
}

/** The calls of an incoming session that cannot lose data. */
export type RestorableSession = Pick<IncomingSession, "name" | "restore" | "kernelName">;

/**
 * A session that the previous kernel handed over. It ends with `finish`, or with this process, and so does all of its data that
 * was not restored. It is not disposable: a block that fails would drop the data.
 */
export class IncomingSession {
  /** The file descriptor that keeps the session alive, as every copy of it does. Closing the last one finishes the session. */
  readonly fd: Fd;
  /** The name that it was retrieved by. */
  readonly name: string;

  readonly #memory: IoctlMemory;

  /** Takes the session's fd over. `memory` is shared by the sessions of a device. */
  constructor(fd: Fd, name: string, memory: IoctlMemory = new IoctlMemory()) {
    this.fd = fd;
    this.name = name;
    this.#memory = memory;
  }

  /**
   * The file that was preserved under `token`. A second call gives another fd of the same open file description.
   *
   * @throws LuoError `restore`: ENOENT (token, or the session is finished), EMFILE, ENOMEM (sticky)
   * @throws RangeError the token is not from 0 to 2^64-1
   */
  restore(token: bigint): Fd {
    const argument = this.#memory.encodeFd(checkToken(token));
    const subject = () => `file ${token} of session "${this.name}"`;
    call(this.fd, LIVEUPDATE_SESSION_RETRIEVE_FD, argument, "restore", subject);
    return new Fd(this.fd.sys, this.#memory.decodeFd());
  }

  /**
   * Ends the session: the kernel lets go of all its files, and the fd is closed. **The data of a file never restored is gone.**
   * A second call does nothing. After an error the session is as before.
   *
   * @throws LuoError `finish`: EBUSY (a handler refuses)
   */
  finish(): void {
    if (this.fd.closed) return;
    const argument = this.#memory.encodeFinish();
    call(this.fd, LIVEUPDATE_SESSION_FINISH, argument, "finish", () => `session "${this.name}"`);
    this.fd.close();
  }

  /** The name as the kernel has it. Linux 6.19 does not know this call (EINVAL). */
  kernelName(): Uint8Array {
    return kernelName(this.fd, this.name);
  }
}

/** The kernel would see another token: BigUint64Array wraps around. */
function checkToken(token: bigint): bigint {
  if (token !== BigInt.asUintN(64, token)) {
    throw new RangeError(`A token is a number from 0 to 2^64-1, not ${token}`);
  }
  return token;
}

function kernelName(fd: Fd, name: string): Uint8Array {
  const argument = encodeGetName();
  call(fd, LIVEUPDATE_SESSION_GET_NAME, argument, "get_name", () => `session "${name}"`);
  return decodeName(argument);
}

/** `subject` is asked only after an error: the texts would cost a program with many files as much as the rest of a call. */
function call(
  fd: Fd,
  request: number,
  argument: Uint8Array,
  operation: Operation,
  subject: () => string,
): void {
  const answer = fd.sys.ioctl(fd.number, request, argument);
  if (answer < 0) throw new LuoError(operation, subject(), -answer);
}
