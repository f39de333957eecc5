/** Why no call makes, removes or moves a name in the directories of /proc and /sys that are the model's. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR } from "../../ffi/abi/fcntl.ts";
import { type Subject, whyNoFile } from "./call_subject.ts";
import type { Credentials } from "./credentials.ts";
import type { KernelFileNode } from "./kernel_file_nodes.ts";

type KernelSubject = Extract<Subject, { is: "kernel" }>;

/** The errno for mkdir, mknod, symlink, bind and the like. */
export function whyNotMade(subject: KernelSubject, credentials: Credentials): number {
  const missing = whyNoFile(subject, () => credentials);
  if (missing === undefined) return Errno.EEXIST;
  return missing === Errno.ENOENT ? whyNoChange(undefined, credentials) : missing;
}

/** The errno for unlink, and for rmdir with `directory`. */
export function whyNotRemoved(subject: KernelSubject, credentials: Credentials, directory: boolean): number {
  const missing = whyNoFile(subject, () => credentials);
  if (missing !== undefined) return missing;
  const change = whyNoChange(subject.file, credentials);
  if (change === Errno.EACCES) return change;
  const isDirectory = subject.file?.type === S_IFDIR;
  if (directory) return isDirectory ? change : Errno.ENOTDIR;
  return isDirectory ? Errno.EISDIR : change;
}

/** The file systems' directories have no operation that changes them: EPERM to whom may write there, and EACCES to others. */
export function whyNoChange(file: KernelFileNode | undefined, credentials: Credentials): number {
  return file?.system === "sysctl" || credentials.uid !== 0 ? Errno.EACCES : Errno.EPERM;
}
