/** Looks at a program's fd from outside: in /proc, or by a copy where /proc is closed. */
import { translateOpenFlags, X86_64 } from "../../ffi/abi/arch.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { F_GETFL } from "../../ffi/abi/fcntl.ts";
import { close, fcntl, fstat, lseek, readlink, stat } from "../../ffi/file.ts";
import { ARCH } from "../../ffi/libc.ts";
import { pidfd_getfd, pidfd_open } from "../../ffi/process.ts";
import { read_text } from "../../ffi/proc.ts";
import type { Ret, Stat } from "../system_calls.ts";

/** PIDFD_THREAD (linux/pidfd.h, Linux 6.9): pidfd_open() of a thread that does not lead its process. */
const PIDFD_THREAD = 0o200;
const SEEK_CUR = 1;

/** A copy in this process of the program's fd; the caller closes it; -EBADF. */
export function copyOfFd(tid: number, fd: number): Ret {
  const leader = pidfd_open(tid, 0);
  const pidfd = leader < 0 ? pidfd_open(tid, PIDFD_THREAD) : leader;
  if (pidfd < 0) return pidfd;
  const got = pidfd_getfd(pidfd, fd);
  close(pidfd);
  return got;
}

/**
 * After prctl(PR_SET_DUMPABLE, 0) the fds in /proc are root's, so that luo without root cannot look at them there. Copies it can
 * make: it owns the program's user namespace.
 */
function byCopy<T>(tid: number, fd: number, look: (copy: number) => T): T | undefined {
  const copy = copyOfFd(tid, fd);
  if (copy < 0) return undefined;
  try {
    return look(copy);
  } finally {
    close(copy);
  }
}

export function statOfFd(tid: number, fd: number): Stat | Ret {
  const found = stat(`/proc/${tid}/fd/${fd}`);
  return found === -Errno.EACCES ? byCopy(tid, fd, fstat) ?? found : found;
}

/** The text of the fd's link in /proc. */
export function textOfFd(tid: number, fd: number): string | Ret {
  const text = readlink(`/proc/${tid}/fd/${fd}`);
  return text === -Errno.EACCES ? byCopy(tid, fd, (copy) => readlink(`/proc/self/fd/${copy}`)) ?? text : text;
}

/** The position and the flags (in the numbers of this architecture) of an fd. */
export function descriptionOf(tid: number, fd: number): { position: bigint; flags: number } | undefined {
  const text = read_text(`/proc/${tid}/fdinfo/${fd}`);
  if (text === undefined) {
    return byCopy(tid, fd, (copy) => ({
      position: lseek(copy, 0n, SEEK_CUR),
      flags: translateOpenFlags(fcntl(copy, F_GETFL), X86_64, ARCH),
    }));
  }
  const [, position, flags] = /^pos:\s*(\d+)\nflags:\s*([0-7]+)/.exec(text) ?? [];
  if (position === undefined || flags === undefined) return undefined;
  return { position: BigInt(position), flags: parseInt(flags, 8) };
}
