/** The kind of a file that the kernel has taken: which of the kernel's handlers it was. */
import { S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { HUGETLBFS_MAGIC, TMPFS_MAGIC } from "../../ffi/abi/stat.ts";
import type { Stat } from "../system_calls.ts";
import type { FileInfo } from "./protocol.ts";

/**
 * The kernel does not say which handler took a file, so the rules of the handlers are applied to the file. A shmem file without a name
 * is memfd's (memfd_luo_can_preserve() of mm/memfd_luo.c). The file system is not enough: devices have a name in a tmpfs too.
 *
 * @param fileSystem the answer of `fstatfs_type`
 * @returns nothing when the kind is not known
 */
export function kindOfFile(fileSystem: number, { mode, nlink }: Stat): Pick<FileInfo, "kind"> {
  if ((mode & S_IFMT) !== S_IFREG || nlink > 0) return {};
  if (fileSystem === TMPFS_MAGIC) return { kind: "memfd" };
  return fileSystem === HUGETLBFS_MAGIC ? { kind: "hugetlb" } : {};
}
