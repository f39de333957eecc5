/** sendmsg(2) and recvmsg(2) with SCM_RIGHTS (net/core/scm.c): passes files from one fd table to another. */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Received, Ret } from "../../system_calls.ts";
import type { FdTable } from "./fd_table.ts";
import type { OpenFile } from "./file.ts";
import { SCM_MAX_FD, socket_of } from "./socket.ts";

/** Sends data and files. The message takes a reference to each file. */
export function do_sendmsg(
  table: FdTable,
  file: OpenFile | undefined,
  data: Uint8Array,
  fds: readonly number[],
): Ret {
  if (file === undefined) return -Errno.EBADF;
  const socket = socket_of(file);
  if (socket === undefined) return -Errno.ENOTSOCK;
  if (fds.length > SCM_MAX_FD) return -Errno.EINVAL;
  const files: OpenFile[] = [];
  for (const fd of fds) {
    const sent = table.raw(fd);
    if (sent === undefined) return -Errno.EBADF;
    files.push(sent);
  }
  return socket.send(data, files);
}

/** Closes the received files that do not fit `max_fds` or the fd table, as the kernel does (MSG_CTRUNC). */
export function do_recvmsg(
  table: FdTable,
  file: OpenFile | undefined,
  into: Uint8Array,
  max_fds: number,
): Received | Ret {
  if (file === undefined) return -Errno.EBADF;
  const got = socket_of(file)?.receive(into) ?? -Errno.ENOTSOCK;
  if (typeof got === "number") return got;
  const fds: number[] = [];
  for (const received of got.files) {
    const fd = fds.length < max_fds ? table.install(received, true) : -Errno.EMFILE;
    if (fd < 0) received.put();
    else fds.push(fd);
  }
  return { bytes: got.bytes, fds };
}
