/** Paths: which file system a name belongs to, and /proc/self/fd (fs/namei.c, fs/proc/fd.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../../ffi/abi/liveupdate.ts";
import type { Ret } from "../../system_calls.ts";
import { type OpenFile, path_file } from "../fs/file.ts";
import type { Process } from "./process.ts";
import { open_kmsg, open_null, open_proc } from "./proc.ts";
import type { Tmpfs } from "../fs/tmpfs.ts";

/** Bytes of a path, the NUL included. */
const PATH_MAX = 4096;

/** open(2). */
export function vfs_open(process: Process, path: string, flags: number, mode: number): OpenFile | Ret {
  const parts = resolve(path);
  if (typeof parts === "number") return parts;
  const where = `/${parts.join("/")}`;
  const fd = proc_fd(process, parts);
  if (fd !== undefined) return fd < 0 ? -Errno.ENOENT : reopen(process, fd, flags);
  const mount = tmpfs_of(process, parts);
  if (mount !== undefined) return mount.tmpfs.open(mount.rest, flags, mode, process.uid);
  if (parts[0] === "dev") return open_node(process, where, flags);
  if (parts[0] === "proc" || parts[0] === "sys") {
    return open_proc(process.system, where, flags, process.uid) ?? -Errno.ENOENT;
  }
  return process.system.disk.open(where, flags, mode);
}

function open_node(process: Process, path: string, flags: number): OpenFile | Ret {
  const { luo } = process.system;
  const driver = process.system.drivers.get(path);
  const exists = driver || path === "/dev/null" || path === "/dev/kmsg" ||
    (path === LIVEUPDATE_DEVICE && luo);
  if (!exists) return -Errno.ENOENT;
  if (flags & abi.O_CREAT && flags & abi.O_EXCL) return -Errno.EEXIST;
  if (flags & abi.O_DIRECTORY) return -Errno.ENOTDIR;
  if (path === LIVEUPDATE_DEVICE && luo) {
    if (flags & abi.O_PATH) return path_file(luo.device.inode, () => path, flags, again(process, path));
    return process.uid === 0 ? luo.device.open(flags) : -Errno.EACCES;
  }
  if (driver) {
    if (flags & abi.O_PATH) return path_file(driver.inode, () => path, flags, again(process, path));
    return process.uid === 0 ? driver.open(flags) : -Errno.EACCES;
  }
  const file = path === "/dev/null" ? open_null(flags) : open_kmsg(process.system, flags);
  return flags & abi.O_PATH ? path_file(file.inode, file.link, flags, again(process, path)) : file;
}

function again(process: Process, path: string) {
  return (_file: OpenFile, flags: number) => open_node(process, path, flags);
}

/** Opening /proc/self/fd/N: a new description of the same inode. */
function reopen(process: Process, fd: number, flags: number): OpenFile | Ret {
  const file = process.fds.raw(fd);
  if (file === undefined) return -Errno.ENOENT;
  if (flags & abi.O_CREAT && flags & abi.O_EXCL) return -Errno.EEXIST;
  if (flags & abi.O_PATH) return path_file(file.inode, file.link, flags, file.operations.reopen);
  if (flags & abi.O_NOFOLLOW) return -Errno.ELOOP;
  const directory = (file.inode.stat().mode & abi.S_IFMT) === abi.S_IFDIR;
  if (flags & abi.O_DIRECTORY && !directory) return -Errno.ENOTDIR;
  return file.operations.reopen?.(file, flags) ?? -Errno.ENXIO;
}

/** readlink(2) of /proc/self/fd/N; EINVAL for anything else that exists. */
export function vfs_readlink(process: Process, path: string): string | Ret {
  const parts = resolve(path);
  if (typeof parts === "number") return parts;
  const fd = proc_fd(process, parts);
  if (fd === undefined) return path === "" ? -Errno.ENOENT : -Errno.EINVAL;
  return process.fds.raw(fd)?.link() ?? -Errno.ENOENT;
}

type Change = (tmpfs: Tmpfs, path: readonly string[]) => Ret;

/** A change of the name space: done on a tmpfs, else by `on_disk`. */
export function vfs_change(
  process: Process,
  path: string,
  on_tmpfs: Change,
  on_disk: (path: string) => Ret,
): Ret {
  const parts = resolve(path);
  if (typeof parts === "number") return parts;
  const mount = tmpfs_of(process, parts);
  if (mount !== undefined) return on_tmpfs(mount.tmpfs, mount.rest);
  if (parts[0] === "dev" || parts[0] === "proc" || parts[0] === "sys") return -Errno.EPERM;
  return on_disk(`/${parts.join("/")}`);
}

function tmpfs_of(
  process: Process,
  parts: readonly string[],
): { tmpfs: Tmpfs; rest: readonly string[] } | undefined {
  const { system } = process;
  if (parts[0] === "tmp") return { tmpfs: system.tmp, rest: parts.slice(1) };
  if (parts[0] === "dev" && parts[1] === "shm") return { tmpfs: system.shm, rest: parts.slice(2) };
}

/** The number in /proc/self/fd/N, -1 for one that is no number; undefined when the path is another. */
function proc_fd(process: Process, parts: readonly string[]): number | undefined {
  const [proc, pid, fd, number] = parts;
  if (proc !== "proc" || fd !== "fd" || parts.length !== 4) return undefined;
  if (pid !== "self" && pid !== "thread-self" && pid !== String(process.pid)) return undefined;
  return /^\d+$/.test(number ?? "") ? Number(number) : -1;
}

/** The working directory is the root; `.` and `..` are taken out by name. */
function resolve(path: string): string[] | Ret {
  if (path === "") return -Errno.ENOENT;
  if (new TextEncoder().encode(path).length >= PATH_MAX) return -Errno.ENAMETOOLONG;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}
