/** The program behind a notification: its memory and its descriptors. Everything may be gone or lies at any moment. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { close, open, read, stat } from "../../ffi/file.ts";
import { pidfd_getfd, pidfd_open } from "../../ffi/process.ts";
import { process_vm_read, process_vm_write } from "../../ffi/seccomp.ts";
import type { Ret } from "../kernel.ts";

const PATH_MAX = 4096;
const PATH_MOSTLY = 256;

export class Caller {
  constructor(readonly tid: number) {}

  /** As much of `length` bytes as there is memory. */
  read(address: bigint, length: number): Uint8Array<ArrayBuffer> {
    const into = new Uint8Array(length);
    return into.subarray(0, Math.max(0, process_vm_read(this.tid, address, into)));
  }

  write(address: bigint, from: Uint8Array<ArrayBuffer>): Ret {
    const written = process_vm_write(this.tid, address, from);
    return written === from.length ? 0 : -Errno.EFAULT;
  }

  /** A path, or undefined where the kernel would say EFAULT or ENAMETOOLONG: it shall say so itself. */
  path(address: bigint): string | undefined {
    // A little first, mostly enough. A read ends where the memory ends.
    for (const length of [PATH_MOSTLY, PATH_MAX]) {
      const bytes = this.read(address, length);
      const end = bytes.indexOf(0);
      if (end >= 0) return new TextDecoder().decode(bytes.subarray(0, end));
    }
  }

  /** `dev:ino` of what its descriptor is. */
  identity(fd: number): string | undefined {
    const answer = stat(`/proc/${this.tid}/fd/${fd}`);
    return typeof answer === "number" ? undefined : `${answer.dev}:${answer.ino}`;
  }

  /** A copy of its descriptor, ours to close. -EBADF when it has none. */
  take(fd: number): Ret {
    let pidfd = pidfd_open(this.tid);
    // A thread that is not the first one: its process has the descriptors.
    if (pidfd < 0) pidfd = pidfd_open(processOf(this.tid));
    if (pidfd < 0) return -Errno.EBADF;
    const taken = pidfd_getfd(pidfd, fd);
    close(pidfd);
    return taken;
  }
}

/** Tgid of a thread. */
function processOf(tid: number): number {
  return Number(/^Tgid:\s*(\d+)/m.exec(readText(`/proc/${tid}/status`))?.[1] ?? -1);
}

/** The first 4 KiB of a file of /proc; nothing when it is gone. */
export function readText(path: string): string {
  const fd = open(path, O_CLOEXEC);
  if (fd < 0) return "";
  const into = new Uint8Array(4096);
  const bytes = read(fd, into);
  close(fd);
  return new TextDecoder().decode(into.subarray(0, Math.max(0, bytes)));
}
