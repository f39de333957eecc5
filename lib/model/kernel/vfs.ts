/** Paths: finds the file system that a name belongs to, and opens /proc/self/fd/N (fs/namei.c, fs/proc/fd.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../../ffi/abi/liveupdate.ts";
import type { Ret } from "../../system_calls.ts";
import { O_DIRECT, takes_direct } from "../fs/fcntl.ts";
import { type OpenFile, path_file } from "../fs/file.ts";
import type { Task } from "./task.ts";
import { open_kmsg, open_null, open_proc } from "./proc.ts";
import type { Tmpfs } from "../fs/tmpfs.ts";

/** Bytes of a path, including the NUL. */
const PATH_MAX = 4096;
const PATH_FLAGS = abi.O_PATH | abi.O_DIRECTORY | abi.O_NOFOLLOW | abi.O_CLOEXEC;

export function vfs_open(task: Task, path: string, given: number, mode: number): OpenFile | Ret {
  const parts = resolve(path);
  if (typeof parts === "number") return parts;
  // build_open_flags(): beside O_PATH, flags that create or change a file do not count.
  const flags = given & abi.O_PATH ? given & PATH_FLAGS : given;
  const slash = path.endsWith("/");
  if (slash && flags & abi.O_CREAT) return -Errno.EISDIR;
  const file = open_parts(task, parts, slash ? flags | abi.O_DIRECTORY : flags, mode);
  if (typeof file === "number") return file;
  if (slash) file.flags = (file.flags & ~abi.O_DIRECTORY) | (flags & abi.O_DIRECTORY);
  if (!(flags & O_DIRECT) || file.path_only || takes_direct(file)) return file;
  file.put();
  return -Errno.EINVAL;
}

function open_parts(task: Task, parts: string[], flags: number, mode: number): OpenFile | Ret {
  const where = `/${parts.join("/")}`;
  const fd = proc_fd(task, parts);
  if (fd !== undefined) return fd < 0 ? -Errno.ENOENT : reopen(task, fd, flags);
  const mount = tmpfs_of(task, parts);
  if (mount !== undefined) return mount.tmpfs.open(mount.rest, flags, mode, task.uid);
  if (parts[0] === "dev") return open_node(task, where, flags);
  if (parts[0] === "proc" || parts[0] === "sys") {
    return open_proc(task.system, where, flags, task.uid) ?? -Errno.ENOENT;
  }
  return task.system.disk.open(where, flags, mode);
}

function open_node(task: Task, path: string, flags: number): OpenFile | Ret {
  const { luo } = task.system;
  const driver = task.system.drivers.get(path);
  const exists = driver || path === "/dev/null" || path === "/dev/kmsg" ||
    (path === LIVEUPDATE_DEVICE && luo);
  if (!exists) return path.startsWith(`${LIVEUPDATE_DEVICE}/`) && luo ? -Errno.ENOTDIR : -Errno.ENOENT;
  if (flags & abi.O_CREAT && flags & abi.O_EXCL) return -Errno.EEXIST;
  if (flags & abi.O_DIRECTORY) return -Errno.ENOTDIR;
  if (path === LIVEUPDATE_DEVICE && luo) {
    if (flags & abi.O_PATH) return path_file(luo.device.inode, () => path, flags, again(task, path));
    return task.uid === 0 ? luo.device.open(flags) : -Errno.EACCES;
  }
  if (driver) {
    if (flags & abi.O_PATH) return path_file(driver.inode, () => path, flags, again(task, path));
    return task.uid === 0 ? driver.open(flags) : -Errno.EACCES;
  }
  const file = path === "/dev/null" ? open_null(flags) : open_kmsg(task.system, flags);
  return flags & abi.O_PATH ? path_file(file.inode, file.link, flags, again(task, path)) : file;
}

function again(task: Task, path: string) {
  return (_file: OpenFile, flags: number) => open_node(task, path, flags);
}

/** Opens /proc/self/fd/N: creates a new description of the same inode. */
function reopen(task: Task, fd: number, flags: number): OpenFile | Ret {
  const file = task.fds.raw(fd);
  if (file === undefined) return -Errno.ENOENT;
  if (flags & abi.O_CREAT && flags & abi.O_EXCL) return -Errno.EEXIST;
  if (flags & abi.O_PATH) return path_file(file.inode, file.link, flags, file.operations.reopen);
  if (flags & abi.O_NOFOLLOW) return -Errno.ELOOP;
  const directory = (file.inode.stat().mode & abi.S_IFMT) === abi.S_IFDIR;
  if (flags & abi.O_DIRECTORY && !directory) return -Errno.ENOTDIR;
  return file.operations.reopen?.(file, flags) ?? -Errno.ENXIO;
}

/** readlink(2) of /proc/self/fd/N. EINVAL for any other file that exists. */
export function vfs_readlink(task: Task, path: string): string | Ret {
  const parts = resolve(path);
  if (typeof parts === "number") return parts;
  const fd = proc_fd(task, parts);
  if (fd === undefined) return path === "" ? -Errno.ENOENT : -Errno.EINVAL;
  return task.fds.raw(fd)?.link() ?? -Errno.ENOENT;
}

type Change = (tmpfs: Tmpfs, path: readonly string[]) => Ret;

/** Changes a name on the tmpfs that the path leads to, or else with `on_disk`. */
export function vfs_change(
  task: Task,
  path: string,
  on_tmpfs: Change,
  on_disk: (path: string) => Ret,
): Ret {
  const parts = resolve(path);
  if (typeof parts === "number") return parts;
  const mount = tmpfs_of(task, parts);
  if (mount !== undefined) return on_tmpfs(mount.tmpfs, mount.rest);
  if (parts[0] === "dev" || parts[0] === "proc" || parts[0] === "sys") return -Errno.EPERM;
  return on_disk(`/${parts.join("/")}`);
}

function tmpfs_of(
  task: Task,
  parts: readonly string[],
): { tmpfs: Tmpfs; rest: readonly string[] } | undefined {
  const { system } = task;
  if (parts[0] === "tmp") return { tmpfs: system.tmp, rest: parts.slice(1) };
  if (parts[0] === "dev" && parts[1] === "shm") return { tmpfs: system.shm, rest: parts.slice(2) };
  return undefined;
}

/** The number in /proc/self/fd/N; -1 when it is not a number, undefined for any other path. */
function proc_fd(task: Task, parts: readonly string[]): number | undefined {
  const [proc, pid, fd, number] = parts;
  if (proc !== "proc" || fd !== "fd" || parts.length !== 4) return undefined;
  if (pid !== "self" && pid !== "thread-self" && pid !== String(task.pid)) return undefined;
  return /^\d+$/.test(number ?? "") ? Number(number) : -1;
}

/** The parts of a path. The working directory is the root; `.` and `..` are removed by name. */
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
