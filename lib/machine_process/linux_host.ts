/** The host of a model: brings files of this host into the model and files of the model out. */
import * as abi from "../../ffi/abi/fcntl.ts";
import { close, dup_cloexec, fchmod, fcntl, fstat, ftruncate, lseek, open, pwrite } from "../../ffi/file.ts";
import type { Ret } from "../system_calls.ts";
import { check } from "../error.ts";
import type { Host, Leaving } from "../model/fs/host_interface.ts";
import { LinuxHostFile } from "./linux_host_file.ts";
import { HostPages, newMemfd } from "./host_pages.ts";

/** The flags that an open file description keeps: the access mode and the flags that F_SETFL can set. */
const KEPT_FLAGS = abi.O_ACCMODE | abi.O_APPEND | abi.O_NONBLOCK;
const CHUNK = 1 << 20;

/** The files of this host that are open in the model. */
export class LinuxHost implements Host {
  readonly #open = new Set<LinuxHostFile>();

  adopt(host_fd: number): LinuxHostFile | Ret {
    const stat = fstat(host_fd);
    if (typeof stat === "number") {
      close(host_fd);
      return stat;
    }
    return this.#track(host_fd);
  }

  materialize(file: Leaving): LinuxHostFile | Ret {
    const memfd = this.#ownMemfd(file) ?? copy(file);
    let answer = ftruncate(memfd, file.size);
    // The new description must have flags and a position of its own, so open the memfd again.
    const fd = answer < 0
      ? answer
      : open(`/proc/self/fd/${memfd}`, (file.flags & KEPT_FLAGS) | abi.O_CLOEXEC);
    if (fd < 0) {
      close(memfd);
      return fd;
    }
    lseek(fd, file.position, abi.SEEK_SET);
    answer = fchmod(memfd, file.mode & 0o7777);
    // Seals come last, because they can forbid the steps above.
    if (answer >= 0 && file.seals !== 0) answer = fcntl(memfd, abi.F_ADD_SEALS, file.seals);
    close(memfd);
    if (answer >= 0) return this.#track(fd);
    close(fd);
    return answer;
  }

  /** Called at a kexec: closes every open file of the old kernel. */
  closeAll(): void {
    for (const file of [...this.#open]) file.close();
  }

  #track(fd: number): LinuxHostFile {
    const file = new LinuxHostFile(fd, (closed) => this.#open.delete(closed));
    this.#open.add(file);
    return file;
  }

  /** The memfd that the machine copied the file into at a kexec. No other process has it, so it can be given out as it is. */
  #ownMemfd(file: Leaving): number | undefined {
    if (!(file.pages instanceof HostPages) || !file.pages.exclusive) return undefined;
    const fd = dup_cloexec(file.pages.fd);
    return fd < 0 ? undefined : fd;
  }
}

function copy(file: Leaving): number {
  const memfd = newMemfd(file.name);
  const buffer = new Uint8Array(CHUNK);
  for (let at = 0n; at < file.size; at += BigInt(CHUNK)) {
    const left = file.size - at;
    const piece = left < BigInt(CHUNK) ? buffer.subarray(0, Number(left)) : buffer;
    file.read(at, piece);
    if (piece.every((byte) => byte === 0)) continue;
    check(pwrite(memfd, piece, at), "write", `memfd "${file.name}"`);
  }
  return memfd;
}
