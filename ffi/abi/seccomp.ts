/** Seccomp with user notification (linux/seccomp.h, linux/audit.h): numbers and struct layouts. */

export const SECCOMP_SET_MODE_FILTER = 1;
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
/** Linux 5.19: a call that is being served is interrupted by fatal signals only, so it is never served twice. */
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32;
export const SECCOMP_RET_ALLOW = 0x7fff_0000;
export const SECCOMP_RET_TRACE = 0x7ff0_0000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;

export const SECCOMP_IOCTL_NOTIF_RECV = 0xc050_2100;
export const SECCOMP_IOCTL_NOTIF_SEND = 0xc018_2101;
export const SECCOMP_IOCTL_NOTIF_ID_VALID = 0x4008_2102;
export const SECCOMP_IOCTL_NOTIF_ADDFD = 0x4018_2103;
/** The argument is the flags themselves. Linux 6.6. */
export const SECCOMP_IOCTL_NOTIF_SET_FLAGS = 0x4008_2104;
export const SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1n;
export const SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;

/** struct seccomp_data: nr i32@0, arch u32@4, instruction_pointer u64@8, args u64[6]@16. */
export const DATA_NR = 0;
export const DATA_ARCH = 4;
/** The low half of argument `index` on a little-endian machine. */
export const dataArgument = (index: number) => 16 + 8 * index;

/** struct seccomp_notif: id u64@0, pid u32@8, flags u32@12, data@16. */
export const NOTIF_SIZE = 80;
/** struct seccomp_notif_resp: id u64@0, val i64@8, error i32@16, flags u32@20. */
export const RESPONSE_SIZE = 24;
/** struct seccomp_notif_addfd: id u64@0, flags u32@8, srcfd u32@12, newfd u32@16, newfd_flags u32@20. */
export const ADDFD_SIZE = 24;

export interface Notification {
  readonly id: bigint;
  /** The thread that called. */
  readonly tid: number;
  readonly nr: number;
  readonly args: readonly [bigint, bigint, bigint, bigint, bigint, bigint];
  /** The call comes from the tracer, not from seccomp's listener. */
  readonly traced?: true;
}

/** `bytes`: a struct seccomp_notif. */
export function decodeNotification(view: DataView): Notification {
  const argument = (index: number) => view.getBigUint64(32 + 8 * index, true);
  return {
    id: view.getBigUint64(0, true),
    tid: view.getUint32(8, true),
    nr: view.getInt32(16, true),
    args: [argument(0), argument(1), argument(2), argument(3), argument(4), argument(5)],
  };
}
