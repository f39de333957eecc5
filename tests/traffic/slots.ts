/** The fds that random traffic has made, by slot. */
import { F_GETFD, FD_CLOEXEC, S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import type { Ret, SystemCalls } from "../../lib/system_calls.ts";

/** Operations take their fds from slots and put new fds into slots. An empty slot is fd -1. */
export class Slots {
  readonly #fds: number[];

  constructor(readonly sys: SystemCalls, count: number) {
    this.#fds = new Array(count).fill(-1);
  }

  fd(slot: number): number {
    return this.#fds[slot] ?? -1;
  }

  /** Puts a new fd into a slot and closes the old one, which was still open during the call. */
  keep(slot: number, fd: Ret): string {
    if (fd < 0) return errnoName(fd);
    const before = this.fd(slot);
    this.#fds[slot] = fd;
    if (before >= 0) this.sys.close(before);
    return "fd";
  }

  close(slot: number): string {
    const fd = this.fd(slot);
    this.#fds[slot] = -1;
    return result(this.sys.close(fd));
  }

  isRegular(slot: number): boolean {
    const stat = this.sys.fstat(this.fd(slot));
    return typeof stat !== "number" && (stat.mode & S_IFMT) === S_IFREG;
  }

  /** The fds that a child inherits, lowest first. */
  inherited(): number[] {
    const open = this.#fds.filter((fd) => fd >= 0).toSorted((a, b) => a - b);
    return open.filter((fd) => (this.sys.fcntl(fd, F_GETFD) & FD_CLOEXEC) === 0);
  }
}

export function result(answer: Ret): string {
  return answer < 0 ? errnoName(answer) : String(answer);
}
