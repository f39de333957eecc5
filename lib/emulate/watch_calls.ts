/** inotify and fanotify of the device: the host watches a file in its place, which luo opens and closes with the device. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_FDCWD } from "../../ffi/abi/stat.ts";
import { close } from "../../ffi/file.ts";
import { fanotify_mark, inotify_add_watch } from "../../ffi/watch.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { type Subject, type Subjects, whyNoFile } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { R_OK } from "./credentials.ts";
import { watchedFile } from "./device_nodes.ts";
import { SESSION } from "./stat_structs.ts";

const [IN_DONT_FOLLOW, FAN_MARK_DONT_FOLLOW] = [0x0200_0000, 4];
/** linux/inotify.h: what ALL_INOTIFY_BITS lacks. */
const UNKNOWN = 0x08ff_1000;

export class WatchCalls {
  constructor(readonly program: CallingProgram, readonly subjects: Subjects) {}

  readonly handlers: Handlers<"inotify_add_watch" | "fanotify_mark"> = {
    inotify_add_watch: (call) => this.#inotify(call),
    fanotify_mark: (call) => this.#fanotify(call),
  };

  #inotify(call: Notification): CallAnswer {
    const [fd, path, raw] = call.args;
    const mask = Number(BigInt.asUintN(32, raw));
    const path_only = this.subjects.objects.find(call.tid, int(fd))?.path_only;
    if (path_only && mask !== 0 && (mask & UNKNOWN) === 0) return -Errno.EBADF;
    const subject = this.subjects.byPath(call, { dirfd: AT_FDCWD, path, follow: !(mask & IN_DONT_FOLLOW) });
    const refused = this.#whyNotRead(call, subject);
    if (refused !== undefined) return -refused;
    return this.#watch(
      call,
      subject,
      int(fd),
      (copy, file) => inotify_add_watch(copy, file, (mask & ~IN_DONT_FOLLOW) >>> 0),
    );
  }

  #fanotify(call: Notification): CallAnswer {
    const [fd, raw, mask, dirfd, path] = call.args;
    const flags = int(raw);
    const mark = (copy: number, file: string) =>
      fanotify_mark(copy, (flags & ~FAN_MARK_DONT_FOLLOW) >>> 0, mask, file);
    if (path === 0n) return this.#watch(call, this.subjects.byFd(call.tid, int(dirfd)), int(fd), mark);
    const named = { dirfd: int(dirfd), path, follow: !(flags & FAN_MARK_DONT_FOLLOW) };
    return this.#watch(call, this.subjects.byPath(call, named), int(fd), mark);
  }

  /** A watch needs the right to read. */
  #whyNotRead({ tid }: Notification, subject: Subject | undefined): number | undefined {
    if (subject?.is !== "device" && subject?.is !== "session") return undefined;
    const credentials = this.program.credentials(tid);
    const missing = whyNoFile(subject, () => credentials);
    const file = subject.is === "session" ? SESSION : subject.node;
    return missing ?? (credentials.may(file, R_OK) ? undefined : Errno.EACCES);
  }

  /** `fd` is the program's inotify or fanotify fd. For a session the host watches the inode of its own anonymous files. */
  #watch(
    { tid }: Notification,
    subject: Subject | undefined,
    fd: number,
    add: (copy: number, file: string) => number,
  ): CallAnswer {
    if (subject?.is === "below") return -Errno.ENOTDIR;
    if (subject?.is === "absent") return -Errno.ENOENT;
    if (subject?.is !== "device" && subject?.is !== "session") return undefined;
    const copy = this.program.fd(tid, fd);
    if (copy < 0) return copy;
    const file = subject.is === "session" ? this.subjects.objects.anonymousFile : watchedFile(subject.node);
    const answer = add(copy, `/proc/self/fd/${file}`);
    close(copy);
    return answer;
  }
}
