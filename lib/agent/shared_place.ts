/**
 * The socket for clients with access rules. It lies in a directory of its own, which everybody may enter: the agent's own directory
 * stays closed, with the record, the lock and the agent's own socket.
 */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { SOCK_NONBLOCK, SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { chmod, close, fchmod, fstat, mkdir, open, rename, rmdir, unlink } from "../../ffi/file.ts";
import { geteuid } from "../../ffi/process.ts";
import { unix_listen } from "../../ffi/socket.ts";
import { check, LuoError } from "../error.ts";
import { mayListen } from "../stale_socket.ts";
import type { Stat } from "../system_calls.ts";

/** The path of the shared socket: /run/luo/agent.sock has /run/luo-shared/agent.sock. */
export function sharedSocket(socket: string): string {
  const slash = socket.lastIndexOf("/");
  return `${directoryOf(socket)}-shared${socket.slice(slash)}`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/**
 * Makes the directory, or checks the one that is there: an operator may have made it, for a group only. One that nobody else may
 * enter (systemd makes it so, with the mode of the agent's own directory) is opened.
 *
 * @throws LuoError `listen`: EPERM another user's directory, or one in which others may write
 */
export function takeSharedPlace(socket: string): void {
  const directory = directoryOf(socket);
  const subject = `directory "${directory}"`;
  const made = mkdir(directory, 0o700);
  if (made < 0 && made !== -Errno.EEXIST) check(made, "listen", subject);
  const fd = check(open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "listen", subject);
  try {
    const { uid, mode } = check<Stat>(fstat(fd), "listen", subject);
    if (uid === geteuid() && (mode & 0o022) === 0) {
      if ((mode & 0o011) === 0) check(fchmod(fd, 0o711), "listen", subject);
      return mayListen(socket);
    }
    const why = uid === geteuid() ? "others may write in it (chmod 711)" : `it belongs to uid ${uid}`;
    throw new LuoError("listen", subject, Errno.EPERM, `Cannot share a socket in ${subject}: ${why}`);
  } finally {
    close(fd);
  }
}

/** A listening socket that everybody who enters the directory may connect to. */
export function listenShared(socket: string): number {
  unlink(socket);
  return check(listenAt(socket), "listen", `"${socket}"`);
}

/** A new listening socket, when the path is free: something has removed the old one. Undefined: there is one, or none can be made. */
export function listenSharedAgain(socket: string): number | undefined {
  const there = open(socket, O_PATH | O_CLOEXEC | O_NOFOLLOW);
  if (there >= 0) close(there);
  if (there !== -Errno.ENOENT) return undefined;
  const fd = listenAt(socket);
  return fd < 0 ? undefined : fd;
}

/**
 * The mode is set afterwards: bind(2) would take the umask from it. The socket gets its name last, so that a client that finds it may
 * connect. Others cannot put another file at the path.
 */
function listenAt(socket: string): number {
  const unnamed = `${socket}~`;
  unlink(unnamed);
  const fd = unix_listen(unnamed, SOCK_STREAM | SOCK_NONBLOCK, 64);
  if (fd < 0) return fd;
  let done = chmod(unnamed, 0o666);
  if (done >= 0) done = rename(unnamed, socket);
  if (done >= 0) return fd;
  close(fd);
  return done;
}

/** Removes the socket, and the directory when nothing else is there. */
export function leaveSharedPlace(socket: string): void {
  unlink(socket);
  rmdir(directoryOf(socket));
}
