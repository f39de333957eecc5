import { Errno } from "../ffi/abi/errno.ts";
import { O_CLOEXEC, O_NOFOLLOW, O_PATH, S_IFMT, S_IFSOCK } from "../ffi/abi/fcntl.ts";
import { close, fstat, open } from "../ffi/file.ts";
import { LuoError } from "./error.ts";

/**
 * Nothing is at `path`, or a socket that somebody may have left there: it may be replaced.
 *
 * @throws LuoError `listen`: EEXIST for anything else, which is somebody's
 */
export function mayListen(path: string): void {
  const fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  const stat = fstat(fd);
  close(fd);
  if (typeof stat === "number" || (stat.mode & S_IFMT) === S_IFSOCK) return;
  const what =
    `Cannot listen at "${path}": there is a file that is no socket; choose another place with --socket`;
  throw new LuoError("listen", `"${path}"`, Errno.EEXIST, what);
}
