/** The error numbers of Linux, by name and by number. Pure data. */

/** `include/uapi/asm-generic/errno-base.h` and `errno.h`: the same on x86-64 and aarch64. */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENOMSG: 42,
  ENODATA: 61,
  ETIME: 62,
  ENOPKG: 65,
  EPROTO: 71,
  EBADMSG: 74,
  EOVERFLOW: 75,
  ELIBBAD: 80,
  EILSEQ: 84,
  EUSERS: 87,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EALREADY: 114,
  EINPROGRESS: 115,
  ESTALE: 116,
  EDQUOT: 122,
  ECANCELED: 125,
  ENOKEY: 126,
  EKEYREJECTED: 129,
} as const;

/** The name of an error number: `EBUSY`. */
export type ErrnoName = keyof typeof Errno;

const names = new Map(
  Object.entries(Errno).map(([name, number]) => [number as number, name as ErrnoName]),
);

/** The name of an error number, or `errno 999` for a number without a name. */
export type ErrnoCode = ErrnoName | `errno ${number}`;

/** `EBUSY` for 16 and for -16; `errno 999` for a number without a name. */
export function errnoName(errno: number): ErrnoCode {
  return names.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`;
}
