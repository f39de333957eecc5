/** Where a file is in procfs, sysfs or debugfs, by whatever mount it is reached: its own mount, a bind mount of a part, another root. */
import { S_IFMT } from "../../ffi/abi/fcntl.ts";
import {
  DEBUGFS_MAGIC,
  FUSE_SUPER_MAGIC,
  PROC_SUPER_MAGIC,
  SYSFS_MAGIC,
  TMPFS_MAGIC,
} from "../../ffi/abi/stat.ts";
import { lstat, mount_id, statfs_type } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";

/** The file systems of the kernel, and the directories by which luo names their files. */
const NAMES: ReadonlyMap<number, readonly string[]> = new Map([
  [PROC_SUPER_MAGIC, ["proc"]],
  [SYSFS_MAGIC, ["sys"]],
  [DEBUGFS_MAGIC, ["sys", "kernel", "debug"]],
]);
/** Where tripwires lie (tripwires.ts): the tripwires, and the directories that were made for them. */
const OF_MACHINE = new Set([FUSE_SUPER_MAGIC, TMPFS_MAGIC]);
const SOURCE = "luo";
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
  const type = statfs_type(at(there));
  const system = NAMES.get(type) ?? (OF_MACHINE.has(type) ? [] : undefined);
  const mount = system && mount_id(at(there));
  if (system === undefined || mount === undefined) return undefined;
  let top = there;
  while (top > 0 && mount_id(at(top - 1)) === mount) top--;
  const shown = rootOf(tid, mount, type) ?? (NAMES.has(type) && isTop(at(top)) ? "/" : undefined);
  if (shown !== undefined) return [...system, ...namesOf(shown), ...parts.slice(top)];
  // What lies there lies on its own name, as long as nobody has bound it elsewhere.
  const upper = top > 0 ? namesInSystem(tid, base, parts.slice(0, top - 1)) : undefined;
  return upper && [...upper, ...parts.slice(top - 1)];
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
function rootOf(tid: number, mount: bigint | number, type: number): string | undefined {
  const line = new RegExp(`^${mount} \\d+ \\S+ (\\S+) .* - \\S+ (\\S+) `, "m");
  const [, root, source = ""] = line.exec(read_text(`/proc/${tid}/mountinfo`) ?? "") ?? [];
  if (root === undefined || NAMES.has(type)) return root;
  if (!source.startsWith(SOURCE)) return undefined;
  // launcher/tripwires.c: a tripwire is called as the path of its name, and a directory has its path in the name of its mount.
  return type === TMPFS_MAGIC ? `${source.slice(SOURCE.length + 1)}${root}` : root.replaceAll(":", "/");
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
