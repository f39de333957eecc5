/**
 * The numbers of Linux's ABI that live update needs: errnos, flags of open(2), memfd_create(2), fcntl(2) and kexec_file_load(2), and
 * the ioctls of /dev/liveupdate with their structs. `check` turns the answer of a system call into a value or a `LuoError`.
 *
 * ```ts ignore
 * import { check, MFD_CLOEXEC } from "@luo/luo/abi";
 *
 * const fd = check(sys.memfd_create("state", MFD_CLOEXEC), "memfd_create", "the state");
 * ```
 *
 * @module
 */
export { Errno, type ErrnoCode, type ErrnoName, errnoName } from "../ffi/abi/errno.ts";
export * from "../ffi/abi/fcntl.ts";
export * from "../ffi/abi/kexec.ts";
export * from "../ffi/abi/liveupdate.ts";
export { check, LuoError, type Operation, type SystemCallName } from "./error.ts";
export type { Received, Ret, Stat, SystemCalls, UserMemory, UserPointer, Utsname } from "./system_calls.ts";
