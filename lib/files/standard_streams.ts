/** Tells closed standard input and output from open ones. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_GETFL, O_ACCMODE, O_RDWR } from "../../ffi/abi/fcntl.ts";
import { fcntl, readlink } from "../../ffi/file.ts";
import { LuoError } from "../error.ts";

/**
 * Refuses standard input or output that the caller closed. The runtime opens /dev/null in its place, for reading and writing
 * (library/std/src/sys/pal/unix/mod.rs of Rust). Without this check nothing would be preserved, or all output lost, without an
 * error. A shell's `</dev/null` and `>/dev/null` open it in one direction only, and pass.
 *
 * @throws LuoError `operation`: EBADF
 */
export function checkStandard(fd: 0 | 1, operation: "read" | "write", name: string): void {
  const flags = fcntl(fd, F_GETFL);
  const closed = flags < 0 ||
    (flags & O_ACCMODE) === O_RDWR && readlink(`/proc/self/fd/${fd}`) === "/dev/null";
  if (closed) throw new LuoError(operation, name, Errno.EBADF);
}
