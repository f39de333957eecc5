/** mount(2) and umount2(2): a bind mount of the device is another name of it; all other mounts are the host's. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR, S_IFMT } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD, major, minor } from "../../ffi/abi/stat.ts";
import { stat } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { type Subject, type Subjects, whyNoFile } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_SYS_ADMIN } from "./credentials.ts";
import type { DeviceNodes } from "./device_nodes.ts";
import type { PastTripwires } from "./past_tripwires.ts";
import { splitPath } from "./path_walk.ts";

const [MS_REMOUNT, MS_BIND, MS_MOVE] = [0x20, 0x1000, 0x2000];
/** MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED. */
const MS_CHANGE = 0x1e_0000;
/** linux/mount.h: F_SYMLINKS, F_AUTOMOUNTS, F_EMPTY_PATH, those of the target, SET_GROUP, BENEATH. */
const MOVE_MOUNT_FLAGS = 0x377;
const [MNT_DETACH, UMOUNT_NOFOLLOW] = [2, 8];

export class MountCalls {
  constructor(
    readonly program: CallingProgram,
    readonly subjects: Subjects,
    readonly nodes: DeviceNodes,
    readonly past: PastTripwires,
  ) {}

  readonly handlers: Handlers<"mount" | "umount2" | "move_mount"> = {
    mount: (call) => this.#mount(call),
    umount2: (call) => this.#umount(call),
    move_mount: (call) => this.#move(call),
  };

  #mount(call: Notification): CallAnswer {
    this.subjects.paths.diverged();
    this.past.mounts(call);
    const [source, target, , raw] = call.args;
    const flags = int(raw);
    const over = target === 0n
      ? undefined
      : this.subjects.byPath(call, { dirfd: AT_FDCWD, path: target, follow: true });
    if (over?.is === "device") return this.#mountOver(call, over);
    if (!(flags & (MS_BIND | MS_MOVE | MS_REMOUNT | MS_CHANGE))) return this.#mountNew(call);
    if (flags & (MS_BIND | MS_MOVE)) this.#named(call.tid, target);
    if (!(flags & MS_BIND) || flags & MS_REMOUNT || source === 0n) return undefined;
    const device = this.subjects.byPath(call, { dirfd: AT_FDCWD, path: source, follow: true });
    if (device?.is !== "device") return undefined;
    if (!this.program.credentials(call.tid).hasInNamespace(CAP_SYS_ADMIN)) return -Errno.EPERM;
    const text = this.program.path(call.tid, target);
    if (typeof text === "number") return text;
    const place = this.subjects.paths.resolve(call.tid, AT_FDCWD, text, { follow: true });
    // Over a name of the device the mount would change nothing.
    if (place?.is === "entry" && place.entry.node !== undefined) return 0;
    const found = place?.is === "file" ? stat(place.path) : -Errno.ENOENT;
    if (place?.is !== "file" || typeof found === "number") return -Errno.ENOENT;
    if ((found.mode & S_IFMT) === S_IFDIR) return -Errno.ENOTDIR;
    return this.nodes.bind(...splitPath(place.path), device.node) ? 0 : -Errno.ENOENT;
  }

  /** fs/namespace.c: path_mount(). A file of the host cannot be mounted there, and a directory is refused by Linux. */
  #mountOver(call: Notification, over: Subject): CallAnswer {
    const credentials = this.program.credentials(call.tid);
    const missing = whyNoFile(over, () => credentials);
    if (missing !== undefined) return -missing;
    if (!credentials.hasInNamespace(CAP_SYS_ADMIN)) return -Errno.EPERM;
    const flags = int(call.args[3]);
    if (flags & (MS_REMOUNT | MS_CHANGE | (flags & MS_BIND ? 0 : MS_MOVE))) return -Errno.EINVAL;
    if (!(flags & MS_BIND)) return -Errno.ENOTDIR;
    const path = call.args[0];
    const place = { dirfd: AT_FDCWD, path, follow: true };
    if (path === 0n || this.subjects.byPath(call, place)?.is === "device") {
      return path === 0n ? -Errno.EINVAL : 0;
    }
    const text = this.program.path(call.tid, path);
    const from = typeof text === "number"
      ? undefined
      : this.subjects.paths.resolve(call.tid, AT_FDCWD, text, place);
    const found = from?.is === "file" ? stat(from.path) : undefined;
    if (found === undefined || typeof found === "number") return undefined;
    return (found.mode & S_IFMT) === S_IFDIR ? -Errno.ENOTDIR : undefined;
  }

  /** A file system that needs a block device: the device is none. */
  #mountNew(call: Notification): CallAnswer {
    const [source, , type] = call.args;
    const device = source !== 0n &&
      this.subjects.byPath(call, { dirfd: AT_FDCWD, path: source, follow: true });
    const name = this.program.path(call.tid, type);
    if (!device || device.is !== "device" || typeof name === "number") return undefined;
    const needs = (read_text("/proc/filesystems") ?? "").split("\n").includes(`\t${name}`);
    if (!needs) return undefined;
    return this.program.credentials(call.tid).hasInNamespace(CAP_SYS_ADMIN) ? -Errno.ENOTBLK : -Errno.EPERM;
  }

  #named(tid: number, address: bigint): void {
    const text = this.program.path(tid, address);
    if (typeof text === "string") this.subjects.paths.mounted(text);
  }

  /** Neither the device nor a session is a mount that could be moved, or takes one. */
  #move(call: Notification): CallAnswer {
    const [fromdir, from, todir, to, raw] = call.args;
    const flags = int(raw);
    this.#named(call.tid, to);
    this.subjects.paths.diverged();
    this.past.moves(call);
    if (this.#isMissing(call.tid, int(todir), to)) return undefined;
    const sides = [[fromdir, from, flags], [todir, to, flags >> 4]] as const;
    const device = sides.some(([dirfd, path, flags]) => {
      const named = {
        dirfd: int(dirfd),
        path,
        flags: flags & 4 ? AT_EMPTY_PATH : 0,
        follow: (flags & 1) !== 0,
      };
      const is = this.subjects.byPath(call, named)?.is;
      return is === "device" || is === "session";
    });
    if (!device || flags & ~MOVE_MOUNT_FLAGS) return undefined;
    return this.program.credentials(call.tid).hasInNamespace(CAP_SYS_ADMIN) ? -Errno.EINVAL : -Errno.EPERM;
  }

  #isMissing(tid: number, dirfd: number, address: bigint): boolean {
    const text = this.program.path(tid, address);
    if (typeof text === "number" || text === "") return false;
    const place = this.subjects.paths.resolve(tid, dirfd, text, { follow: true });
    return place === undefined || (place.is === "file" && typeof stat(place.path) === "number");
  }

  #umount(call: Notification): CallAnswer {
    this.subjects.paths.diverged();
    const [path, flags] = call.args;
    const follow = !(int(flags) & UMOUNT_NOFOLLOW);
    const subject = this.subjects.byPath(call, { dirfd: AT_FDCWD, path, follow });
    if (subject?.is !== "device" || subject.entry === undefined) {
      const text = this.program.path(call.tid, path);
      const place = typeof text === "number"
        ? undefined
        : this.subjects.paths.resolve(call.tid, AT_FDCWD, text, { follow });
      if (this.past.isNoMount(place)) return this.#whyNoMount(call);
      this.past.unmounts(call);
      return int(flags) & MNT_DETACH ? this.#detach(call.tid, path) : undefined;
    }
    if (!this.program.credentials(call.tid).hasInNamespace(CAP_SYS_ADMIN)) return -Errno.EPERM;
    return this.nodes.unbind(subject.entry) ? 0 : -Errno.EINVAL;
  }

  #whyNoMount({ tid }: Notification): number {
    return this.program.credentials(tid).hasInNamespace(CAP_SYS_ADMIN) ? -Errno.EINVAL : -Errno.EPERM;
  }

  /** A file system that is mounted nowhere else ends, with the names of the device in it. */
  #detach(tid: number, address: bigint): undefined {
    const text = this.program.path(tid, address);
    const place = typeof text === "number"
      ? undefined
      : this.subjects.paths.resolve(tid, AT_FDCWD, text, { follow: true });
    const found = place?.is === "file" ? stat(place.path) : -Errno.ENOENT;
    if (typeof found === "number") return;
    const number = ` ${major(found.dev)}:${minor(found.dev)} `;
    const mounts = (read_text(`/proc/${tid}/mountinfo`) ?? "").split("\n");
    if (mounts.filter((line) => line.includes(number)).length === 1) this.nodes.endFileSystem(found.dev);
  }
}
