/** The places where a fault can be injected, and the errnos that each can give. */
import type { ErrnoName } from "../../../ffi/abi/errno.ts";

/** A place that can answer an errno: a system call, or a place inside the kernel. */
export type FailingPlace =
  | "open"
  | "dup"
  | "ioctl"
  | "memfd_create"
  | "read"
  | "pread"
  | "write"
  | "pwrite"
  | "poll"
  | "fallocate"
  | "mmap"
  | "madvise"
  | "mkdir"
  | "mkfifo"
  | "pipe2"
  | "socketpair"
  | "sendmsg"
  | "recvmsg"
  | "pidfd_open"
  | "pidfd_getfd"
  | "kexec_file_load"
  | "reboot"
  | "alloc"
  | "preserve"
  | "freeze"
  | "retrieve"
  | "can_finish";

/** A system call, or "call" for any, that can be slow or the last one of its process, and answers no errno of a fault. */
export type OtherCall =
  | "call"
  | "close"
  | "fcntl"
  | "lseek"
  | "ftruncate"
  | "fchmod"
  | "fstat"
  | "munmap"
  | "load"
  | "store"
  | "unlink"
  | "link_fd"
  | "readlink"
  | "sync"
  | "adopt"
  | "expose";

/** The place of a fault: a system call, "call" for any, or a place inside the kernel. */
export type FaultPlace = FailingPlace | OtherCall | "handover" | "page";

const IO: readonly ErrnoName[] = ["EINTR", "EIO", "ENOMEM"];
const OPEN: readonly ErrnoName[] = ["EINTR", "EMFILE", "ENFILE", "ENOMEM"];

/** The errnos that each place can give on Linux without any mistake of the caller. No other errno is accepted. */
const ERRNOS: Readonly<Record<FailingPlace, readonly ErrnoName[]>> = {
  open: [...OPEN, "EIO"],
  dup: ["EMFILE"],
  ioctl: ["ENOMEM", "EMFILE", "ENFILE"],
  memfd_create: OPEN.slice(1),
  read: IO,
  pread: IO,
  write: [...IO, "ENOSPC"],
  pwrite: [...IO, "ENOSPC"],
  poll: ["ENOMEM"],
  fallocate: ["EINTR", "ENOMEM", "ENOSPC"],
  mmap: ["ENOMEM"],
  madvise: ["ENOMEM", "EAGAIN"],
  mkdir: ["ENOMEM", "ENOSPC"],
  mkfifo: ["ENOMEM", "ENOSPC"],
  pipe2: ["EMFILE", "ENFILE", "ENOMEM"],
  socketpair: ["EMFILE", "ENFILE", "ENOMEM"],
  sendmsg: ["EINTR", "ENOMEM", "ENOBUFS"],
  recvmsg: ["EINTR", "ENOMEM"],
  pidfd_open: ["EMFILE", "ENFILE", "ENOMEM"],
  pidfd_getfd: ["EMFILE"],
  kexec_file_load: ["EBUSY", "EINTR", "EKEYREJECTED", "ENOEXEC", "ENOMEM", "EPERM", "EADDRNOTAVAIL"],
  reboot: ["EBUSY", "EPERM"],
  alloc: ["ENOMEM"],
  preserve: ["EBUSY", "EINVAL", "EIO", "ENOMEM", "EOPNOTSUPP"],
  freeze: ["EBUSY", "EINVAL", "EIO", "ENOMEM"],
  retrieve: ["EINVAL", "EIO", "ENOMEM", "EOPNOTSUPP"],
  can_finish: ["EBUSY"],
};

/** Calls that accept only `slow` and `crash`, no errno. */
const OTHER_CALLS: readonly OtherCall[] = [
  "call",
  "close",
  "fcntl",
  "lseek",
  "ftruncate",
  "fchmod",
  "fstat",
  "munmap",
  "load",
  "store",
  "unlink",
  "link_fd",
  "readlink",
  "sync",
  "adopt",
  "expose",
];

/** Places inside the kernel, which accept neither `slow` nor `crash`. */
const INSIDE: readonly string[] = ["alloc", "preserve", "freeze", "retrieve", "can_finish"];

/** Calls that may transfer fewer bytes than they were asked for. */
const SHORT: readonly string[] = ["read", "pread", "write", "pwrite"];

/** Whether there is a place of that name. */
export function is_place(place: string): place is FaultPlace {
  return Object.hasOwn(ERRNOS, place) || is_call(place) || place === "handover" || place === "page";
}

/** Whether the place is a system call, which can be slow or the last one of its process. */
export function is_call(place: string): boolean {
  const other: readonly string[] = OTHER_CALLS;
  return other.includes(place) || (Object.hasOwn(ERRNOS, place) && !INSIDE.includes(place));
}

/** Whether the place is a system call that transfers bytes, and may transfer fewer. */
export function can_be_short(place: string): boolean {
  return SHORT.includes(place);
}

/** The errnos that the place can give. */
export function errnos_of(place: string): readonly ErrnoName[] {
  const table: Readonly<Record<string, readonly ErrnoName[]>> = ERRNOS;
  return Object.hasOwn(table, place) ? table[place] ?? [] : [];
}
