/** Seccomp user notification (`include/uapi/linux/seccomp.h`, Linux 6.6) and the calls that are trapped. Pure data. */

export const SECCOMP_SET_MODE_FILTER = 1;
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
/** Linux 5.19: once received, only a fatal signal interrupts the call. Without it a timer makes programs repeat it. */
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32;
export const SECCOMP_RET_USER_NOTIF = 0x7fc00000;
export const SECCOMP_RET_ALLOW = 0x7fff0000;

export const SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100;
export const SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;
export const SECCOMP_IOCTL_NOTIF_ID_VALID = 0x40082102;
export const SECCOMP_IOCTL_NOTIF_ADDFD = 0x40182103;
/** Linux 6.6. */
export const SECCOMP_IOCTL_NOTIF_SET_FLAGS = 0x40082104;
export const SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1n;
export const SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;

/** Offsets in `struct seccomp_data`; of an argument, its low half. */
export const DATA_NR = 0;
export const DATA_ARCH = 4;
export const dataArgument = (index: number) => 16 + index * 8;

export const NOTIFICATION_SIZE = 80;

/** `struct seccomp_notif`. `tid` is a thread. */
export interface Notification {
  readonly id: bigint;
  readonly tid: number;
  readonly nr: number;
  readonly args: readonly bigint[];
}

/** u64 id @0; u32 pid @8; u32 flags @12; then `struct seccomp_data` @16: s32 nr, u32 arch, u64 ip, u64 args[6]. */
export function decodeNotification(bytes: Uint8Array<ArrayBuffer>): Notification {
  const view = new DataView(bytes.buffer);
  return {
    id: view.getBigUint64(0, true),
    tid: view.getUint32(8, true),
    nr: view.getInt32(16, true),
    args: [0, 1, 2, 3, 4, 5].map((index) => view.getBigUint64(32 + index * 8, true)),
  };
}

/** `struct seccomp_notif_resp`: id @0; s64 value @8; s32 error @16, negative; u32 flags @20. */
export function encodeResponse(id: bigint, value: number, flags = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, id, true);
  if (value < 0) view.setInt32(16, value, true);
  else view.setBigInt64(8, BigInt(value), true);
  view.setUint32(20, flags, true);
  return bytes;
}

/** `struct seccomp_notif_addfd`: id @0; flags @8; srcfd @12; newfd @16; newfd_flags @20. */
export function encodeAddFd(id: bigint, fd: number, fd_flags: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, id, true);
  view.setUint32(12, fd, true);
  view.setUint32(20, fd_flags, true);
  return bytes;
}

/** The calls that may be trapped, by name. */
export type TrappedCall =
  | "open"
  | "openat"
  | "openat2"
  | "ioctl"
  | "reboot"
  | "kexec_file_load"
  | "ftruncate"
  | "fallocate"
  | "access"
  | "faccessat"
  | "faccessat2"
  | "stat"
  | "lstat"
  | "newfstatat"
  | "statx"
  | "write"
  | "pwrite64"
  | "writev"
  | "pwritev"
  | "pwritev2";

export interface SeccompArch {
  /** AUDIT_ARCH (`include/uapi/linux/audit.h`). */
  readonly audit: number;
  readonly calls: Readonly<Partial<Record<TrappedCall, number>>>;
}

/** `arch/x86/entry/syscalls/syscall_64.tbl`. */
export const SECCOMP_X86_64: SeccompArch = {
  audit: 0xc000003e,
  calls: {
    open: 2,
    openat: 257,
    openat2: 437,
    ioctl: 16,
    reboot: 169,
    kexec_file_load: 320,
    ftruncate: 77,
    fallocate: 285,
    access: 21,
    faccessat: 269,
    faccessat2: 439,
    stat: 4,
    lstat: 6,
    newfstatat: 262,
    statx: 332,
    write: 1,
    pwrite64: 18,
    writev: 20,
    pwritev: 296,
    pwritev2: 328,
  },
};

/** `include/uapi/asm-generic/unistd.h`. Untested. */
export const SECCOMP_AARCH64: SeccompArch = {
  audit: 0xc00000b7,
  calls: {
    openat: 56,
    openat2: 437,
    ioctl: 29,
    reboot: 142,
    kexec_file_load: 294,
    ftruncate: 46,
    fallocate: 47,
    faccessat: 48,
    faccessat2: 439,
    newfstatat: 79,
    statx: 291,
    write: 64,
    pwrite64: 68,
    writev: 66,
    pwritev: 70,
    pwritev2: 287,
  },
};
