/** memfd_create(2): checks the flags and the name, and creates the file (mm/memfd.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import type { FdTable } from "./fd_table.ts";
import type { OpenFile } from "./file.ts";
import { hugetlb_file } from "./hugetlb.ts";
import type { Ram } from "../memory/ram.ts";
import { memfd_file } from "./shmem_file.ts";

const ALL_FLAGS = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING | abi.MFD_HUGETLB | abi.MFD_NOEXEC_SEAL |
  abi.MFD_EXEC;
/** The bits of MFD_HUGETLB that hold the exponent of the page size. */
const HUGE_SIZE_MASK = 0xfc000000;
/** NAME_MAX less `memfd:`. */
const NAME_MAX = 249;

export function memfd_create(
  ram: Ram,
  new_ino: () => bigint,
  uid: number,
  name: string,
  flags: number,
  fds: FdTable,
): OpenFile | Ret {
  const huge = (flags & abi.MFD_HUGETLB) !== 0;
  if (flags & ~(huge ? ALL_FLAGS | HUGE_SIZE_MASK : ALL_FLAGS)) return -Errno.EINVAL;
  if (flags & abi.MFD_EXEC && flags & abi.MFD_NOEXEC_SEAL) return -Errno.EINVAL;
  if (new TextEncoder().encode(name).length > NAME_MAX) return -Errno.EINVAL;
  const fd = fds.unused();
  if (fd < 0) return fd;
  return huge
    ? hugetlb_file(new_ino(), uid, name, flags)
    : memfd_file(ram, new_ino(), uid, `memfd:${name}`, flags);
}
