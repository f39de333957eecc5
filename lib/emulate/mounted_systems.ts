/** Where a file is in procfs, sysfs or debugfs, by whatever mount it is reached: its own mount, a bind mount of a part, another root. */
import { S_IFMT } from "../../ffi/abi/fcntl.ts";
import { DEBUGFS_MAGIC, PROC_SUPER_MAGIC, SYSFS_MAGIC } from "../../ffi/abi/stat.ts";
import { lstat, mount_id, statfs_type } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";

/** The file systems of the kernel, and the directories by which luo names their files. */
const NAMES: ReadonlyMap<number, readonly string[]> = new Map([
  [PROC_SUPER_MAGIC, ["proc"]],
  [SYSFS_MAGIC, ["sys"]],
  [DEBUGFS_MAGIC, ["sys", "kernel", "debug"]],
]);
const S_IFLNK = 0o120000;
/** The inode of the top directory of each of them. */
const TOP = 1n;

/** The names from / as usual, of the file `parts` below `base`, which luo can open; undefined in all other file systems. */
export function namesInSystem(tid: number, base: string, parts: readonly string[]): string[] | undefined {
  const at = (count: number) => count === 0 ? `${base}/` : `${base}/${parts.slice(0, count).join("/")}`;
  // The last names need not exist on the host, and the last one may be a link.
  const there = parts.length -
    [...parts.keys(), parts.length].findIndex((missing) => isThere(at(parts.length - missing)));
  if (there > parts.length) return undefined;
  const system = NAMES.get(statfs_type(at(there)));
  const mount = system && mount_id(at(there));
  if (system === undefined || mount === undefined) return undefined;
  let top = there;
  while (top > 0 && mount_id(at(top - 1)) === mount) top--;
  const root = rootOf(tid, mount) ?? (isTop(at(top)) ? "/" : undefined);
  return root === undefined ? undefined : [...system, ...namesOf(root), ...parts.slice(top)];
}

function isThere(path: string): boolean {
  const found = lstat(path);
  return typeof found !== "number" && (found.mode & S_IFMT) !== S_IFLNK;
}

function isTop(path: string): boolean {
  const found = lstat(path);
  return typeof found !== "number" && found.ino === TOP;
}

/** The part of its file system that a mount shows. The mounts outside the root of a process are not listed. */
function rootOf(tid: number, mount: bigint | number): string | undefined {
  const line = new RegExp(`^${mount} \\d+ \\S+ (\\S+) `, "m");
  return line.exec(read_text(`/proc/${tid}/mountinfo`) ?? "")?.[1];
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
