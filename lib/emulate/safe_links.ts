/** Which links in directories that all may write to are followed (fs/namei.c: may_follow_link()). The sysctl is the host's. */
import { lstat, owner } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";

/** S_ISVTX with S_IWOTH: a directory such as /tmp. */
const PUBLIC = 0o1002;

/** Whether the thread `tid` may follow the link at the end of a path: its own link, or the directory's owner's. */
export function isSafeLink(directory: string, name: string, tid: number): boolean {
  const parent = owner(directory);
  if (typeof parent === "number" || (parent.mode & PUBLIC) !== PUBLIC) return true;
  const link = lstat(`${directory}/${name}`);
  if (typeof link === "number" || link.uid === parent.uid) return true;
  const uid = Number(/^Uid:(?:\t\d+){3}\t(\d+)$/m.exec(read_text(`/proc/${tid}/status`) ?? "")?.[1] ?? -1);
  return uid === link.uid || read_text("/proc/sys/fs/protected_symlinks") === "0\n";
}
