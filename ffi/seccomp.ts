/** Serving another process's system calls: each function a value >= 0 or -errno (see ffi/libc.ts). */
import * as abi from "./abi/seccomp.ts";
import type { Ret } from "./abi/values.ts";
import { libc, ret } from "./libc.ts";

/** One listener of seccomp's, with buffers of its own: a call is served before the next one is received. */
export class Listener {
  readonly #notif = new Uint8Array(abi.NOTIF_SIZE);
  readonly #view = new DataView(this.#notif.buffer);
  readonly #response = new Uint8Array(abi.RESPONSE_SIZE);
  readonly #answer = new DataView(this.#response.buffer);

  constructor(readonly fd: number) {
    // Refused before Linux 6.6: slower, and otherwise the same.
    libc().ioctl_address(fd, abi.SECCOMP_IOCTL_NOTIF_SET_FLAGS, abi.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  }

  /** The next call; blocks until there is one. -ENOENT: its thread was killed meanwhile, or nobody is left. */
  receive(): abi.Notification | Ret {
    this.#notif.fill(0);
    const answer = ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_RECV, this.#notif));
    return answer < 0 ? answer : abi.decodeNotification(this.#view);
  }

  /** The call returns `value`, or fails with -value. -ENOENT: the thread is dead. */
  answer(id: bigint, value: number | bigint): Ret {
    const failed = value < 0;
    this.#answer.setBigUint64(0, id, true);
    this.#answer.setBigInt64(8, failed ? 0n : BigInt(value), true);
    this.#answer.setInt32(16, failed ? Number(value) : 0, true);
    this.#answer.setUint32(20, 0, true);
    return ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_SEND, this.#response));
  }

  /** The kernel makes the call as if nobody had looked. */
  proceed(id: bigint): Ret {
    this.#response.fill(0);
    this.#answer.setBigUint64(0, id, true);
    this.#answer.setUint32(20, abi.SECCOMP_USER_NOTIF_FLAG_CONTINUE, true);
    return ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_SEND, this.#response));
  }

  /** Gives the calling process a copy of `fd`: its number there. -EMFILE. */
  addFd(id: bigint, fd: number, cloexec_flag: number): Ret {
    const request = new Uint8Array(abi.ADDFD_SIZE);
    const view = new DataView(request.buffer);
    view.setBigUint64(0, id, true);
    view.setUint32(12, fd, true);
    view.setUint32(20, cloexec_flag, true);
    return ret(libc().ioctl(this.fd, abi.SECCOMP_IOCTL_NOTIF_ADDFD, request));
  }
}
