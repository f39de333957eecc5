/** Tells procfs and sysfs from directories of the same names, in a chroot for example. */
import { PROC_SUPER_MAGIC, SYSFS_MAGIC } from "../../ffi/abi/stat.ts";
import { statfs_type } from "../../ffi/file.ts";

/** The file systems of the kernel, by their directories. */
const MAGIC: Readonly<Record<string, number>> = { "/proc": PROC_SUPER_MAGIC, "/sys": SYSFS_MAGIC };

/** `path`: as luo can open it; `inside`: from the program's root. A host without sysfs has the model's files all the same. */
export function isProcOrSys(path: string, inside: string): boolean {
  const directory = inside.slice(0, inside.indexOf("/", 1));
  if (!path.endsWith(inside) || !(directory in MAGIC)) return false;
  const top = `${path.slice(0, -inside.length)}${directory}`;
  return /^\/proc\/\d+\/root$/.test(path.slice(0, -inside.length)) &&
    (statfs_type(top) === MAGIC[directory] || statfs_type(directory) !== MAGIC[directory]);
}
