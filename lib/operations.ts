/** The operations that can fail, and the reason that an errno gives for each. */
import type { ErrnoName } from "../ffi/abi/errno.ts";
import type { SystemCalls } from "./system_calls.ts";

/** The name of a plain system call of the seam. */
export type SystemCallName = Exclude<keyof SystemCalls, symbol | "load" | "store">;

/**
 * The operation of a `LuoError`, a stable word: of the device and its sessions (`open`, `create`, `retrieve`, `preserve`,
 * `restore`, `finish`, `get_name`), of the next kernel (`kexec load`, `kexec unload`, `kexec exec`), of luo's own files, sockets and
 * processes (`record`, `lock`, `listen`, `connect` ...), or the name of a system call.
 */
export type Operation =
  | SystemCallName
  | "create"
  | "retrieve"
  | "preserve"
  | "restore"
  | "finish"
  | "get_name"
  | "kexec load"
  | "kexec unload"
  | "kexec exec"
  | "configure"
  | "connect"
  | "epoll_create1"
  | "inotify_init1"
  | "epoll_ctl"
  | "execute"
  | "listen"
  | "lock"
  | "make"
  | "receive"
  | "record"
  | "seal"
  | "send"
  | "share"
  | "start"
  | "store";

/** Keyed by operation and errno: EBUSY from `open` means something else than EBUSY from `preserve`. */
const REASONS: Readonly<Partial<Record<`${Operation} ${ErrnoName}`, string>>> = {
  "create EEXIST": "this kernel has a session of that name already",
  "create EINVAL": "a session name has 1 to 63 bytes and no NUL",
  "create EMFILE": "this process may hold no more file descriptors (RLIMIT_NOFILE)",
  "create ENOSPC": "the kernel takes no more sessions",
  "retrieve ENOENT": "the previous kernel handed over no session of that name, or the session is finished",
  "retrieve EINVAL": "a process has retrieved this session already",
  "retrieve EMFILE": "this process may hold no more file descriptors (RLIMIT_NOFILE)",
  "preserve EEXIST": "the session has a file with this token already",
  "preserve EBADF": "the file descriptor must be open for reading or writing (not O_PATH)",
  "preserve ENOENT": "the kernel preserves memfds and unlinked tmpfs files only",
  "preserve EBUSY": "this file is preserved already, in this session or in another one",
  "preserve EFBIG": "a preserved file has at most 2^32-1 pages",
  "preserve ENOMEM": "all pages of a preserved file stay in memory: free some, or preserve less",
  "preserve ENOSPC": "the kernel takes no more files in this session: use another session",
  "preserve EINVAL": "files go into outgoing sessions only",
  "restore ENOENT": "the session has no file with this token, or the session is finished",
  "restore ENOMEM": "the kernel keeps this failure for the file",
  "restore EMFILE": "this process may hold no more file descriptors (RLIMIT_NOFILE)",
  "share EOPNOTSUPP":
    "a session of the model is in the model's process and cannot be passed to a program of the host",
  "finish EBUSY": "the kernel still uses a file of this session: try again",
  "kexec load ENOEXEC": "this machine cannot boot this file: a bzImage (x86-64) or Image (arm64) is needed",
  "kexec load EPERM": "loading needs CAP_SYS_BOOT, and /proc/sys/kernel/kexec_load_disabled must be 0",
  "kexec load ETXTBSY": "a program has the file open for writing",
  "kexec load EBUSY":
    "another program is loading an image, or (arm64) this kernel cannot switch its CPUs off",
  "kexec load EINVAL":
    "the files must be regular and not empty; x86-64: the command line shorter than 2,017 bytes; arm64: the file an Image",
  "kexec load ENOMEM": "kernel and initramfs are read into memory: free some",
  "kexec load EADDRNOTAVAIL": "the image does not fit the scratch area: raise kho_scratch=",
  "kexec load EACCES": "this kernel's policy (IMA, SELinux or IPE) refuses the image",
  "kexec load ENOSYS": "this kernel has no kexec_file_load(2) (CONFIG_KEXEC_FILE)",
  "kexec load ENODATA": "this kernel takes signed images only, and this one has no signature",
  "kexec load ENOKEY": "this kernel takes signed images only, and does not know the key of this one",
  "kexec load EKEYREJECTED": "this kernel takes signed images only",
  "kexec load ELIBBAD": "this kernel takes signed images only",
  "kexec exec EINVAL": "load an image first",
  "kexec exec EPERM": "a kexec needs CAP_SYS_BOOT in the first PID namespace",
  "kexec exec EBUSY": "an image is being loaded, or a file could not be frozen: the kernel's log says which",
};

/** The meaning of an errno of /dev/liveupdate; `open` is also the operation of other files. */
const DEVICE_REASONS: Readonly<Partial<Record<string, string>>> = {
  ENOENT: "this kernel has no live update: it needs CONFIG_LIVEUPDATE, and liveupdate=on on its command line",
  EACCES: "only root may open the device",
  EPERM: "only root may open the device",
  EBUSY: "another process has the device open",
  EIO: "the kernel cannot read the handover of the previous kernel, and cannot do so until the next kexec",
};

/** The reason in words, or undefined where the errno says it all. `code` is the errno's name. */
export function reasonFor(operation: Operation, subject: string, code: string): string | undefined {
  if (operation === "open" && subject === "/dev/liveupdate") return DEVICE_REASONS[code];
  return Object.entries(REASONS).find(([key]) => key === `${operation} ${code}`)?.[1];
}
