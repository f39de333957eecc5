/** Whether a socket may be made at a path: nothing is there, or a socket that an ended process left, in a directory of this user alone. */
import { Errno } from "../ffi/abi/errno.ts";
import { O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, S_IFMT, S_IFSOCK } from "../ffi/abi/fcntl.ts";
import { close, fstat, open } from "../ffi/file.ts";
import { geteuid } from "../ffi/process.ts";
import { LuoError } from "./error.ts";

/**
 * Refuses a path with a file that is no socket: the file belongs to another program.
 *
 * @throws LuoError `listen`: EEXIST
 */
export function mayListen(path: string): void {
  const fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  const stat = fstat(fd);
  close(fd);
  if (typeof stat === "number" || (stat.mode & S_IFMT) === S_IFSOCK) return;
  throw new LuoError("listen", `"${path}"`, Errno.EEXIST, `Cannot listen at "${path}"`);
}

/** Whether only this user may enter the directory. False: there is none. */
export function isPrivate(directory: string): boolean {
  const fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const stat = fstat(fd);
  close(fd);
  return typeof stat !== "number" && (stat.mode & 0o077) === 0 && stat.uid === geteuid();
}
