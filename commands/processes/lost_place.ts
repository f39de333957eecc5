/** Finds an agent or a machine whose socket still listens, and has lost its path: its directory was removed. */
import { lstat, readlink } from "../../ffi/file.ts";
import { list_directory, read_text } from "../../ffi/proc.ts";
import { geteuid } from "../../ffi/process.ts";

/** How long such a process may take to make its socket again when the directory is there: it looks every second. */
export const RETURN_MS = 5000;

/**
 * The process number of an owner of a socket that listens, and that was bound to this path. The caller has found that nobody listens at
 * the path now. Undefined: there is none, or not of this user and its mounts. PID 1 holds sockets for services.
 */
export function lostOwner(socket: string): number | undefined {
  const inodes = listening(socket);
  if (inodes.size === 0) return undefined;
  const links = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  const mounts = readlink("/proc/self/ns/mnt");
  return list_directory("/proc").filter((name) => /^\d+$/.test(name)).map(Number).find((pid) => {
    const process = lstat(`/proc/${pid}`);
    if (pid === 1) return false;
    if (typeof process === "number" || process.uid !== geteuid()) return false;
    if (readlink(`/proc/${pid}/ns/mnt`) !== mounts) return false;
    return list_directory(`/proc/${pid}/fd`).some((fd) =>
      links.has(String(readlink(`/proc/${pid}/fd/${fd}`)))
    );
  });
}

/**
 * The inodes of listening sockets that were bound to this path. A line of /proc/net/unix keeps the path that bind(2) was given (unix(7)):
 * `Num RefCount Protocol Flags Type St Inode Path`, with the flag __SO_ACCEPTCON.
 */
function listening(socket: string): Set<string> {
  const lines = (read_text("/proc/net/unix") ?? "").split("\n");
  return new Set(lines.flatMap((line) => {
    const [, flags = "", inode = "", path] = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +(\d+) (.*)$/.exec(line) ?? [];
    return path === socket && (parseInt(flags, 16) & ACCEPTS) !== 0 ? [inode] : [];
  }));
}

/** __SO_ACCEPTCON of <linux/net.h>. */
const ACCEPTS = 1 << 16;
