/** System calls on the whole machine, and ioctl. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
import { decodeUtsname, UTSNAME_FIELD_SIZE } from "./abi/stat.ts";
import type { Ret, UserPointer, Utsname } from "./abi/values.ts";
import { ARCH, errno, libc, ret } from "./libc.ts";
import { GuardedMemory } from "./memory.ts";

export function uname(): Utsname {
  const into = new Uint8Array(6 * UTSNAME_FIELD_SIZE);
  libc().uname(into);
  return decodeUtsname(into);
}

/** `command`: LINUX_REBOOT_CMD_*. No file system is synced and no process is told to end. */
export function reboot(command: number): Ret {
  // reboot(2) documents a u32; glibc declares an int.
  return ret(libc().reboot(command | 0), errno[0]);
}

export function sync(): void {
  libc().sync();
}

/** ioctl(2) with any kind of pointer. The kernel's answer is in the argument's bytes afterwards. */
export function ioctl(fd: number, request: number, argument: UserPointer): Ret {
  if (argument === null) return ret(libc().ioctl_address(fd, request >>> 0, 0n), errno[0]);
  if (ArrayBuffer.isView(argument)) return ret(libc().ioctl(fd, request >>> 0, argument), errno[0]);
  using memory = new GuardedMemory(argument);
  const answer = ret(libc().ioctl_address(fd, request >>> 0, memory.address), errno[0]);
  memory.copyBack();
  return answer;
}

/** `cmdline_len` counts the NUL. `flags`: KEXEC_FILE_*. */
export function kexec_file_load(
  kernel_fd: number,
  initrd_fd: number,
  cmdline_len: bigint,
  cmdline: UserPointer,
  flags: bigint,
): Ret {
  const number = BigInt(ARCH.kexec_file_load);
  const load = (address: bigint) =>
    ret(libc().syscall_kexec_file_load(number, kernel_fd, initrd_fd, cmdline_len, address, flags), errno[0]);
  if (cmdline === null) return load(0n);
  // `cmdline_len` may be larger than `cmdline`. After guarded memory the kernel then faults; it reads no other memory of ours.
  using memory = new GuardedMemory(
    cmdline instanceof Uint8Array ? { bytes: cmdline, writable: true } : cmdline,
  );
  return load(memory.address);
}
