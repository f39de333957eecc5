/** mount(2) and umount2(2): a bind mount of the device is another name of it; all other mounts are the host's. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR, S_IFMT } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_FDCWD, major, minor } from "../../ffi/abi/stat.ts";
import { stat } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import type { Subjects } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_SYS_ADMIN } from "./credentials.ts";
import type { DeviceNodes } from "./device_nodes.ts";
import { splitPath } from "./path_walk.ts";

const [MS_REMOUNT, MS_BIND] = [0x20, 0x1000];
const [MNT_DETACH, UMOUNT_NOFOLLOW] = [2, 8];

export class MountCalls {
  constructor(readonly program: CallingProgram, readonly subjects: Subjects, readonly nodes: DeviceNodes) {}

  readonly handlers: Handlers<"mount" | "umount2" | "move_mount"> = {
    mount: (call) => this.#mount(call),
    umount2: (call) => this.#umount(call),
    move_mount: () => this.subjects.paths.diverged(),
  };

  #mount(call: Notification): CallAnswer {
    this.subjects.paths.diverged();
    const [source, target, , raw] = call.args;
    const flags = int(raw);
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

  #umount(call: Notification): CallAnswer {
    this.subjects.paths.diverged();
    const [path, flags] = call.args;
    const follow = !(int(flags) & UMOUNT_NOFOLLOW);
    const subject = this.subjects.byPath(call, { dirfd: AT_FDCWD, path, follow });
    if (subject?.is !== "device" || subject.entry === undefined) {
      return int(flags) & MNT_DETACH ? this.#detach(call.tid, path) : undefined;
    }
    if (!this.program.credentials(call.tid).hasInNamespace(CAP_SYS_ADMIN)) return -Errno.EPERM;
    return this.nodes.unbind(subject.entry) ? 0 : -Errno.EINVAL;
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
