/** An open file description of its own for a restored file: no other reader moves its position. */
import { O_CLOEXEC, O_RDWR, SEEK_SET } from "../../ffi/abi/fcntl.ts";
import { lseek, open } from "../../ffi/file.ts";
import { check } from "../error.ts";
import { HostFd } from "./host_fd.ts";

/**
 * Opens the file once more, at `position`. LIVEUPDATE_SESSION_RETRIEVE_FD gives the same description every time, so a
 * program that reads from `file` moves the position for all that come later. Where the file cannot be opened again (no
 * /proc), `file` itself is returned, moved to the position.
 *
 * @throws LuoError `restore`
 */
export function descriptionAt(file: HostFd, position: bigint, name: string): HostFd {
  const again = open(`/proc/self/fd/${file.number}`, O_RDWR | O_CLOEXEC);
  const fd = again < 0 ? new HostFd(file.release()) : new HostFd(again);
  try {
    check(lseek(fd.number, position, SEEK_SET), "restore", name);
    return fd;
  } catch (error) {
    fd[Symbol.dispose]();
    throw error;
  }
}
