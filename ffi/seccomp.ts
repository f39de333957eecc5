/**
 * Seccomp user notification: receives and answers another process's system calls. Functions return a value >= 0 or
 * -errno (see ffi/libc.ts).
 */
import * as abi from "./abi/seccomp.ts";
import type { Ret } from "./abi/values.ts";
import { errno, libc, ret } from "./libc.ts";

/**
 * One seccomp listener. Its buffers are used again for every call: a call is answered before the next one is received.
 */
export class Listener {
  readonly #notif = new Uint8Array(abi.NOTIF_SIZE);
  readonly #view = new DataView(this.#notif.buffer);
  readonly #response = new Uint8Array(abi.RESPONSE_SIZE);
  readonly #answer = new DataView(this.#response.buffer);

  constructor(readonly fd: number) {
    // Before Linux 6.6 the kernel refuses the flag; the listener is slower then.
    libc().ioctl_address(fd, abi.SECCOMP_IOCTL_NOTIF_SET_FLAGS, abi.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  }

  /** Blocks until a call arrives. -ENOENT: its thread was killed in the meantime, or no process has the filter. */
  receive(): abi.Notification | Ret {
    this.#notif.fill(0);
    const answer = ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_RECV, this.#notif), errno[0]);
    return answer < 0 ? answer : abi.decodeNotification(this.#view);
  }

  /** Makes the call return `value`, or fail with errno -value. -ENOENT: the thread is dead. */
  answer(id: bigint, value: number | bigint): Ret {
    const failed = value < 0;
    this.#answer.setBigUint64(0, id, true);
    this.#answer.setBigInt64(8, failed ? 0n : BigInt(value), true);
    this.#answer.setInt32(16, failed ? Number(value) : 0, true);
    this.#answer.setUint32(20, 0, true);
    return ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_SEND, this.#response), errno[0]);
  }

  /** Lets the kernel make the call. */
  proceed(id: bigint): Ret {
    this.#response.fill(0);
    this.#answer.setBigUint64(0, id, true);
    this.#answer.setUint32(20, abi.SECCOMP_USER_NOTIF_FLAG_CONTINUE, true);
    return ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_SEND, this.#response), errno[0]);
  }

  /** Gives the calling process a copy of `fd`. Returns the number of the copy there, or -EMFILE. */
  addFd(id: bigint, fd: number, cloexec_flag: number): Ret {
    const request = new Uint8Array(abi.ADDFD_SIZE);
    const view = new DataView(request.buffer);
    view.setBigUint64(0, id, true);
    view.setUint32(12, fd, true);
    view.setUint32(20, cloexec_flag, true);
    return ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_ADDFD, request), errno[0]);
  }
}
