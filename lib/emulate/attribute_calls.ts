/** Calls that change the mode, the owner or the times of the device or of a session. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD } from "../../ffi/abi/stat.ts";
import { ST_RDONLY } from "../../ffi/file.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import {
  isMounted,
  isPathOnly,
  type PathArguments,
  type Subject,
  type Subjects,
  whyNoFile,
} from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_CHOWN, CAP_FOWNER, CAP_FSETID, type Credentials, W_OK } from "./credentials.ts";
import { type Node, now, timed, touched } from "./device_nodes.ts";
import type { System } from "./kernel_files.ts";
import { type IdMap, idOutside } from "./id_maps.ts";
import { isHostKernelFile } from "./host_kernel_files.ts";
import { SESSION } from "./stat_structs.ts";
import { decodeTimes, sizeOfTimes, type TimeFormat } from "./time_arguments.ts";

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
/** An owner that chown(2) leaves as it is. */
const UNCHANGED = 0xffff_ffff;
const [S_ISUID, S_ISGID, S_IXGRP] = [0o4000, 0o2000, 0o10];

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
    utime: (call) => this.#times(call, at(AT_FDCWD, call.args[0]), call.args[1], "utimbuf"),
    utimes: (call) => this.#times(call, at(AT_FDCWD, call.args[0]), call.args[1]),
    futimesat: (call) => this.#times(call, at(int(call.args[0]), call.args[1]), call.args[2]),
    utimensat: (call) =>
      this.#times(call, at(int(call.args[0]), call.args[1], int(call.args[3])), call.args[2], "timespec"),
  };

  /** fs/attr.c: setattr_prepare(). */
  #chmod(call: Notification, named: PathArguments | undefined, mode: bigint): CallAnswer {
    return this.#change(call, named, (node, credentials) => {
      if (isFixed(node) || !owns(node, credentials)) return -Errno.EPERM;
      const foreign = !credentials.inGroup(node.gid) && !credentials.hasOver(CAP_FSETID, node);
      node.mode = int(mode) & 0o7777 & ~(foreign ? S_ISGID : 0);
      return 0;
    });
  }

  /**
   * The owner may give the device to a group of its own. All else needs CAP_CHOWN. The bits of setuid and setgid go
   * (fs/attr.c: setattr_should_drop_sgid(), notify_change()).
   */
  #chown(call: Notification, named: PathArguments | undefined, uid: bigint, gid: bigint): CallAnswer {
    const user = this.#outside(call.tid, "uid_map", uid);
    const group = this.#outside(call.tid, "gid_map", gid);
    if (user === undefined || group === undefined) {
      return this.#change(call, named, () => -Errno.EINVAL, undefined, Errno.EINVAL);
    }
    let changes = user !== UNCHANGED || group !== UNCHANGED;
    return this.#change(call, named, (node, credentials) => {
      const [owner, any] = [credentials.uid === node.uid, credentials.hasOver(CAP_CHOWN, node)];
      if (isFixed(node) && (user !== UNCHANGED || group !== UNCHANGED)) return -Errno.EPERM;
      if (user !== UNCHANGED && !any && !(owner && user === node.uid)) return -Errno.EPERM;
      const joins = group === node.gid || credentials.inGroup(group);
      if (group !== UNCHANGED && !any && !(owner && joins)) return -Errno.EPERM;
      const keeps = (gid: number) => credentials.inGroup(gid) || credentials.hasOver(CAP_FSETID, node);
      const drops = S_ISUID | (node.mode & S_IXGRP || !keeps(node.gid) ? S_ISGID : 0);
      if (node.mode & drops) {
        changes = true;
        // A change of the mode: it has rules of its own.
        if (!owns(node, credentials)) return -Errno.EPERM;
        node.mode &= ~(drops | (keeps(group === UNCHANGED ? node.gid : group) ? 0 : S_ISGID));
      }
      if (user !== UNCHANGED) node.uid = user;
      if (group !== UNCHANGED) node.gid = group;
      return 0;
    }, (node) => changes ? touched(node) : undefined);
  }

  /** An argument of chown(2). Undefined: the program's user namespace does not have it. */
  #outside(tid: number, map: IdMap, id: bigint): number | undefined {
    const given = Number(BigInt.asUintN(32, id));
    if (given === UNCHANGED || !this.program.isForeign(tid)) return given;
    return idOutside(tid, map, given);
  }

  #times(
    call: Notification,
    named: PathArguments,
    address: bigint,
    format: TimeFormat = "timeval",
  ): CallAnswer {
    if (named.path === 0n && (named.flags ?? 0) !== 0) return undefined;
    const size = sizeOfTimes(format);
    const bytes = address === 0n ? undefined : this.program.bytes(call.tid, address, size);
    if (bytes !== undefined && (typeof bytes === "number" || bytes.length < size)) return undefined;
    const times = decodeTimes(format, bytes);
    // The host's kernel says EINVAL.
    if (typeof times === "number") return undefined;
    // utimensat(fd, NULL): futimens.
    const whole = named.path === 0n ? { ...named, flags: AT_EMPTY_PATH, nullable: true } : named;
    const tell = (node: Node) =>
      timed(node, { atime: times.atime !== undefined, mtime: times.mtime !== undefined });
    return this.#change(
      call,
      whole,
      (node, credentials) => {
        if (times.atime === undefined && times.mtime === undefined) return 0;
        if (!owns(node, credentials)) {
          if (!times.present) return -Errno.EPERM;
          if (!credentials.may(node, W_OK)) return -Errno.EACCES;
        }
        node.times.atime = times.atime ?? node.times.atime;
        node.times.mtime = times.mtime ?? node.times.mtime;
        return 0;
      },
      tell,
      times.present ? this.#whyNotTouched(call.tid) : Errno.EOPNOTSUPP,
    );
  }

  /** fs/attr.c: may_setattr() asks before the file system refuses the times of a session. */
  #whyNotTouched(tid: number): number {
    const credentials = this.program.credentials(tid);
    const may = owns(SESSION, credentials) || credentials.may(SESSION, W_OK);
    return may ? Errno.EOPNOTSUPP : Errno.EACCES;
  }

  /** `named` undefined: the fd in the first argument. */
  #change(
    call: Notification,
    named: PathArguments | undefined,
    change: Change,
    tell?: (node: Node) => void,
    onSession: number = Errno.EOPNOTSUPP,
  ): CallAnswer {
    if ((named?.flags ?? 0) & ~AT_FLAGS) return undefined;
    const subject = named === undefined
      ? this.subjects.byFd(call.tid, int(call.args[0]))
      : this.subjects.byPath(call, named);
    const byFd = named === undefined || named.path === 0n;
    if (byFd && subject !== undefined && isPathOnly(subject)) return -Errno.EBADF;
    if (subject === undefined) {
      if (!isHostKernelFile(this.subjects, call, named)) return undefined;
      return this.program.credentials(call.tid).uid === 0 ? -Errno.EPERM : undefined;
    }
    if (subject.is === "session") return -onSession;
    return this.#apply(call, subject, change, tell);
  }

  #apply(call: Notification, subject: Subject, change: Change, tell = touched): CallAnswer {
    const credentials = () => this.program.credentials(call.tid);
    const missing = whyNoFile(subject, credentials);
    if (missing !== undefined) return -missing;
    if (subject.is === "kernel" && subject.file !== undefined) {
      const answer = change(subject.file, credentials());
      if (answer === 0) subject.file.times.ctime = now();
      return answer;
    }
    if (subject.is !== "device") return undefined;
    if (isMounted(subject, ST_RDONLY)) return -Errno.EROFS;
    const answer = change(subject.node, credentials());
    if (answer === 0) tell(subject.node);
    return answer;
  }
}

/** Changes the node, or returns the errno of the rule that forbids it. */
type Change = (node: Inode, credentials: Credentials) => number;
type Inode = Pick<Node, "mode" | "uid" | "gid" | "times"> & { readonly system?: System };

function owns(node: Pick<Node, "uid" | "gid">, credentials: Credentials): boolean {
  return credentials.uid === node.uid || credentials.hasOver(CAP_FOWNER, node);
}

/** fs/proc/proc_sysctl.c: proc_sys_setattr() */
function isFixed({ system }: Inode): boolean {
  return system === "sysctl";
}

function at(dirfd: number, path: bigint, flags = 0): PathArguments {
  return { dirfd, path, flags, follow: !(flags & AT_SYMLINK_NOFOLLOW) };
}
