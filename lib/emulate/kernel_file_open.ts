/** open(2) of a file of /proc or /sys that is the model's: the program gets a memfd with the content of this moment. */
import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_ADD_SEALS,
  F_SEAL_GROW,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  S_IFDIR,
} from "../../ffi/abi/fcntl.ts";
import { close, fchmod, fcntl, memfd_create, open, write } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { type Subject, whyNoFile } from "./call_subject.ts";
import { type Credentials, R_OK, W_OK } from "./credentials.ts";
import { type KernelFileNode, mayUse, ownsFile } from "./kernel_file_nodes.ts";
import { readKernelFile } from "./kernel_files.ts";

/** In the numbers of x86-64, as all flags here. */
const [O_DIRECT, O_NOATIME, TMPFILE] = [0o40000, 0o1000000, 0o20000000];
const SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;

/** The errno for an open with these flags; undefined: it succeeds. */
export function whyNotOpened(
  subject: Extract<Subject, { is: "kernel" }>,
  flags: number,
  credentials: Credentials,
): number | undefined {
  const missing = whyNoFile(subject, () => credentials);
  const { file } = subject;
  if (missing !== undefined || file === undefined) {
    const creates = (flags & (O_CREAT | O_PATH)) === O_CREAT;
    if (creates && flags & O_DIRECTORY) return Errno.EINVAL;
    return missing === Errno.ENOENT && creates ? Errno.EACCES : missing;
  }
  if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return Errno.EEXIST;
  const directory = file.type === S_IFDIR;
  if (flags & O_CREAT && flags & O_DIRECTORY && !(flags & O_PATH)) return Errno.EINVAL;
  if (flags & O_DIRECTORY && !directory) return Errno.ENOTDIR;
  if (file.link !== undefined && !(flags & O_PATH)) return Errno.ELOOP;
  if (flags & O_PATH) return undefined;
  if (directory && flags & TMPFILE) return mayUse(file, W_OK, credentials) ? Errno.EOPNOTSUPP : Errno.EACCES;
  if (directory && flags & (O_ACCMODE | O_CREAT | O_TRUNC)) return Errno.EISDIR;
  return whyNotAllowed(file, flags, credentials);
}

function whyNotAllowed(file: KernelFileNode, flags: number, credentials: Credentials): number | undefined {
  const access = flags & O_ACCMODE;
  const wanted = (access === O_WRONLY ? 0 : R_OK) |
    (access === O_RDONLY && !(flags & O_TRUNC) ? 0 : W_OK);
  if (!mayUse(file, wanted, credentials)) return Errno.EACCES;
  // fs/kernfs/file.c: kernfs_fop_open() asks for the bits of the mode, of root too.
  const { system, mode } = file;
  // An fd of access mode 3 can neither read nor write.
  const bits = access === O_ACCMODE ? 0 : access === O_RDONLY ? 0o444 : access === O_WRONLY ? 0o222 : 0o666;
  const missing = [0o444, 0o222].some((one) => (bits & one) !== 0 && (mode & one) === 0);
  if (system === "sysfs" && missing) return Errno.EACCES;
  if (flags & O_NOATIME && !ownsFile(file, credentials)) return Errno.EPERM;
  return flags & O_DIRECT ? Errno.EINVAL : undefined;
}

/** The caller closes the file. */
export function openKernelFile(
  sys: SystemCalls,
  { path, mode, link }: KernelFileNode,
  flags: number,
  name: string,
): Ret {
  // A file of sysctl that is written is empty, so that all that is in it was written.
  const takes = takesWrites(path, flags);
  const content = takes || link !== undefined ? new Uint8Array(0) : readKernelFile(sys, path);
  return typeof content === "number" ? content : contentFile(name, content, { flags, mode, sealed: !takes });
}

/** The files of the model that a program can change. */
export const TAKE_WRITES: ReadonlySet<string> = new Set([
  "/proc/sys/kernel/kexec_load_disabled",
  "/proc/sys/kernel/kexec_load_limit_reboot",
  "/proc/sys/kernel/kexec_load_limit_panic",
  "/sys/kernel/kexec/crash_size",
]);

/** Whether a write to the file has an effect in the model. */
export function takesWrites(path: string, flags: number): boolean {
  return TAKE_WRITES.has(path) && (flags & O_ACCMODE) === O_WRONLY &&
    (flags & O_PATH) === 0;
}

interface Content {
  /** Those of open(2). Default: read-only. */
  readonly flags?: number;
  readonly mode?: number;
  /** The host refuses every write. */
  readonly sealed?: boolean;
}

/** A memfd of the host with this content. The caller closes it. */
export function contentFile(
  name: string,
  content: Uint8Array,
  { flags = O_RDONLY, mode = 0o444, sealed = true }: Content = {},
): Ret {
  const memfd = check(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create", name);
  try {
    check(write(memfd, content), "write", name);
    if (sealed) fcntl(memfd, F_ADD_SEALS, SEALS);
    // seccomp gives a program no fd of O_PATH: see EmulatedFds.
    const kept = flags & O_PATH ? O_ACCMODE : flags & (O_ACCMODE | O_APPEND | O_NONBLOCK);
    const again = open(`/proc/self/fd/${memfd}`, kept | O_CLOEXEC);
    // The mode may not let luo itself open the file, when luo is not root.
    fchmod(memfd, mode);
    return again;
  } finally {
    close(memfd);
  }
}
