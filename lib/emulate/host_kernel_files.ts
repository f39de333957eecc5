/** Files by which the host's kernel shows itself: a mode, an owner or an attribute that root gives them stays until the host reboots. */
import { DEBUGFS_MAGIC, PROC_SUPER_MAGIC, SYSFS_MAGIC } from "../../ffi/abi/stat.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { statfs_type } from "../../ffi/file.ts";
import type { PathArguments, Subjects } from "./call_subject.ts";

/** linux/magic.h */
const [TRACEFS_MAGIC, SECURITYFS_MAGIC] = [0x7472_6163, 0x7363_6673];
const LASTING = new Set([SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC]);
const MAYBE_LASTING = new Set([PROC_SUPER_MAGIC, ...LASTING]);
/** What is of a process ends with the process, and sysctl refuses by itself. */
const OF_PROCESSES = /^\/proc\/(\d+|sys)(\/|$)/;

/** Whether the file is such a one. `named` undefined: the fd in the first argument. */
export function isHostKernelFile(
  subjects: Subjects,
  { tid, args: [fd] }: Notification,
  named: PathArguments | undefined,
): boolean {
  const byFd = named === undefined || named.path === 0n;
  const text = byFd ? "" : subjects.program.path(tid, named.path);
  if (typeof text === "number") return false;
  if (text === "") return isLasting(`/proc/${tid}/fd/${BigInt.asIntN(32, fd)}`, "");
  if (named === undefined) return false;
  const direct = subjects.paths.direct(tid, named.dirfd, text, named);
  if (direct !== undefined && !MAYBE_LASTING.has(statfs_type(direct))) return false;
  const place = subjects.paths.resolve(tid, named.dirfd, text, named);
  return place?.is === "file" && isLasting(place.path, place.inside);
}

function isLasting(path: string, inside: string): boolean {
  const type = statfs_type(path);
  return LASTING.has(type) || (type === PROC_SUPER_MAGIC && inside !== "" && !OF_PROCESSES.test(inside));
}
