/** The fds of one process (fs/file.c): the lowest free number first, at most RLIMIT_NOFILE of them. */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret } from "../../system_calls.ts";
import type { OpenFile } from "./file.ts";

interface Slot {
  readonly file: OpenFile;
  cloexec: boolean;
}

export class FdTable {
  #slots: (Slot | undefined)[] = [];
  /** All numbers below this one are in use. */
  #next = 0;

  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** get_unused_fd_flags(): the lowest free number, which is not reserved yet. -EMFILE when there is none. */
  unused(from = 0): Ret {
    let fd = Math.max(from, this.#next);
    while (this.#slots[fd] !== undefined) fd++;
    if (from <= this.#next) this.#next = fd;
    return fd < this.limit ? fd : -Errno.EMFILE;
  }

  /** Takes the caller's reference over on success. On -EMFILE the caller keeps it. */
  install(file: OpenFile, cloexec: boolean, from = 0): Ret {
    const fd = this.unused(from);
    if (fd >= 0) this.#slots[fd] = { file, cloexec };
    return fd;
  }

  /** As `install`, but drops the reference on -EMFILE. */
  install_or_put(file: OpenFile, cloexec: boolean): Ret {
    const fd = this.install(file, cloexec);
    if (fd < 0) file.put();
    return fd;
  }

  /** Installs both files. On -EMFILE it installs none and drops both references. */
  install_pair([a, b]: readonly [OpenFile, OpenFile], cloexec: boolean): [number, number] | Ret {
    const first = this.install_or_put(a, cloexec);
    const second = this.install_or_put(b, cloexec);
    if (second >= 0) return [first, second];
    if (first >= 0) this.close(first);
    return -Errno.EMFILE;
  }

  /** fget_raw(): finds O_PATH fds too. */
  raw(fd: number): OpenFile | undefined {
    return this.#slots[fd]?.file;
  }

  /** fget(): does not find O_PATH fds. */
  get(fd: number): OpenFile | undefined {
    const file = this.raw(fd);
    return file?.path_only ? undefined : file;
  }

  cloexec(fd: number): boolean {
    return this.#slots[fd]?.cloexec ?? false;
  }

  set_cloexec(fd: number, cloexec: boolean): void {
    const slot = this.#slots[fd];
    if (slot !== undefined) slot.cloexec = cloexec;
  }

  close(fd: number): Ret {
    const slot = this.#slots[fd];
    if (slot === undefined) return -Errno.EBADF;
    this.#slots[fd] = undefined;
    this.#next = Math.min(this.#next, fd);
    slot.file.put();
    return 0;
  }

  /** The fds in use, lowest first. */
  *entries(): Iterable<[fd: number, file: OpenFile]> {
    for (const [fd, slot] of this.#slots.entries()) if (slot !== undefined) yield [fd, slot.file];
  }

  /** Closes every fd at the end of the process, lowest first. */
  close_all(): void {
    for (let fd = 0; fd < this.#slots.length; fd++) this.close(fd);
  }

  /** Forgets every fd at a reset of the machine. No file is closed. */
  forget(): void {
    this.#slots = [];
  }
}
