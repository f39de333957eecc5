/** What the program's device and session descriptors are: sockets to it, open files of the model to us. */
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL } from "../../ffi/abi/epoll.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { epoll_ctl } from "../../ffi/epoll.ts";
import { close, fstat } from "../../ffi/file.ts";
import { notify_add_fd } from "../../ffi/seccomp.ts";
import { socketpair } from "../../ffi/socket.ts";
import type { Kernel, Ret } from "../kernel.ts";

interface Served {
  readonly identity: string;
  readonly model_fd: number;
}

export class Objects {
  /** By our end of the pair: it hangs up when the last copy of the other end is closed, wherever it was sent. */
  readonly #by_end = new Map<number, Served>();
  readonly #by_identity = new Map<string, number>();

  constructor(readonly epfd: number) {}

  /** The model's fd behind an inode of the program, if it is one of ours. */
  find(identity: string | undefined): number | undefined {
    return identity === undefined ? undefined : this.#by_identity.get(identity);
  }

  /** Gives the caller of a notification a descriptor for the model's fd, which is taken over. */
  give(listener: number, id: bigint, kernel: Kernel, model_fd: number, cloexec: boolean): Ret {
    const pair = socketpair(SOCK_SEQPACKET);
    const stat = typeof pair === "number" ? pair : fstat(pair[1]);
    if (typeof pair === "number" || typeof stat === "number") {
      kernel.close(model_fd);
      return -Errno.ENOMEM;
    }
    const [ours, theirs] = pair;
    const number = notify_add_fd(listener, id, theirs, cloexec ? O_CLOEXEC : 0);
    close(theirs);
    if (number < 0) {
      close(ours);
      kernel.close(model_fd);
      return number;
    }
    const identity = `${stat.dev}:${stat.ino}`;
    this.#by_end.set(ours, { identity, model_fd });
    this.#by_identity.set(identity, model_fd);
    epoll_ctl(this.epfd, EPOLL_CTL_ADD, ours);
    return number;
  }

  /** The last copy is closed: so is the model's file. */
  hangUp(end: number, kernel: Kernel | undefined): void {
    const served = this.#by_end.get(end);
    if (served === undefined) return;
    this.#by_end.delete(end);
    this.#by_identity.delete(served.identity);
    epoll_ctl(this.epfd, EPOLL_CTL_DEL, end);
    close(end);
    kernel?.close(served.model_fd);
  }

  /** A kexec: the model's files are gone already. */
  forget(): void {
    for (const end of [...this.#by_end.keys()]) this.hangUp(end, undefined);
  }
}
