/** Calls that change the mode, the owner or the times of the device or of a session. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD } from "../../ffi/abi/stat.ts";
import { fchmod } from "../../ffi/file.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { isPathOnly, type PathArguments, type Subject, type Subjects } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_FOWNER } from "./credentials.ts";
import type { Node } from "./device_nodes.ts";

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
/** An owner that chown(2) leaves as it is. */
const UNCHANGED = 0xffff_ffff;
/** Bytes of struct timespec[2] and timeval[2]; struct utimbuf has half of them. */
const TIMES_SIZE = 32;

export class AttributeCalls {
  constructor(readonly program: CallingProgram, readonly subjects: Subjects) {}

  readonly handlers: Handlers<
    | ("chmod" | "fchmod" | "fchmodat" | "fchmodat2" | "chown" | "lchown" | "fchown" | "fchownat")
    | ("utime" | "utimes" | "futimesat" | "utimensat")
  > = {
    chmod: (call) => this.#chmod(call, at(AT_FDCWD, call.args[0]), call.args[1]),
    fchmod: (call) => this.#chmod(call, undefined, call.args[1]),
    fchmodat: (call) => this.#chmod(call, at(int(call.args[0]), call.args[1]), call.args[2]),
    fchmodat2: (call) =>
      this.#chmod(call, at(int(call.args[0]), call.args[1], int(call.args[3])), call.args[2]),
    chown: (call) => this.#chown(call, at(AT_FDCWD, call.args[0]), call.args[1], call.args[2]),
    lchown: (call) =>
      this.#chown(call, at(AT_FDCWD, call.args[0], AT_SYMLINK_NOFOLLOW), call.args[1], call.args[2]),
    fchown: (call) => this.#chown(call, undefined, call.args[1], call.args[2]),
    fchownat: (call) =>
      this.#chown(call, at(int(call.args[0]), call.args[1], int(call.args[4])), call.args[2], call.args[3]),
    utime: (call) => this.#times(call, at(AT_FDCWD, call.args[0]), call.args[1], TIMES_SIZE / 2),
    utimes: (call) => this.#times(call, at(AT_FDCWD, call.args[0]), call.args[1]),
    futimesat: (call) => this.#times(call, at(int(call.args[0]), call.args[1]), call.args[2]),
    utimensat: (call) =>
      this.#times(call, at(int(call.args[0]), call.args[1], int(call.args[3])), call.args[2]),
  };

  #chmod(call: Notification, named: PathArguments | undefined, mode: bigint): CallAnswer {
    return this.#change(call, named, (node) => {
      node.mode = int(mode) & 0o7777;
    });
  }

  #chown(call: Notification, named: PathArguments | undefined, uid: bigint, gid: bigint): CallAnswer {
    const [user, group] = [Number(BigInt.asUintN(32, uid)), Number(BigInt.asUintN(32, gid))];
    return this.#change(call, named, (node) => {
      if (user !== UNCHANGED) node.uid = user;
      if (group !== UNCHANGED) node.gid = group;
    });
  }

  /** The times of the device are not kept: nothing reads them but stat(2), which says 0. */
  #times(call: Notification, named: PathArguments, times: bigint, size = TIMES_SIZE): CallAnswer {
    if (named.path === 0n && (named.flags ?? 0) !== 0) return undefined;
    const bytes = times === 0n ? undefined : this.program.bytes(call.tid, times, size);
    if (bytes !== undefined && (typeof bytes === "number" || bytes.length < size)) return undefined;
    if (named.path !== 0n) return this.#change(call, named, () => {});
    // utimensat(fd, NULL): futimens.
    return this.#change(call, { ...named, flags: AT_EMPTY_PATH }, () => {});
  }

  /** `named` undefined: the fd in the first argument. */
  #change(call: Notification, named: PathArguments | undefined, change: (node: Node) => void): CallAnswer {
    if ((named?.flags ?? 0) & ~AT_FLAGS) return undefined;
    const subject = named === undefined
      ? this.subjects.byFd(call.tid, int(call.args[0]))
      : this.subjects.byPath(call, named);
    if (named === undefined && subject !== undefined && isPathOnly(subject)) return -Errno.EBADF;
    return this.#apply(call, subject, change);
  }

  #apply(call: Notification, subject: Subject | undefined, change: (node: Node) => void): CallAnswer {
    if (subject?.is === "below") return -Errno.ENOTDIR;
    if (subject?.is === "session") return -Errno.EOPNOTSUPP;
    if (subject?.is !== "device") return undefined;
    const { node } = subject;
    const credentials = this.program.credentials(call.tid);
    if (!credentials.has(CAP_FOWNER) && credentials.uid !== node.uid) return -Errno.EPERM;
    change(node);
    // Watchers of the file in place of the device see the change.
    if (node.memfd !== undefined) fchmod(node.memfd, node.mode);
    return 0;
  }
}

function at(dirfd: number, path: bigint, flags = 0): PathArguments {
  return { dirfd, path, flags, follow: !(flags & AT_SYMLINK_NOFOLLOW) };
}
