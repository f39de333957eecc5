/** The device and session fds that programs of the machine hold, and the memfds that stand for them on the host. */
import { EPOLL_CTL_ADD, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_ADD_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_NOEXEC_SEAL,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
} from "../../ffi/abi/fcntl.ts";
import { epoll_create1, epoll_ctl, epoll_wait, EpollWaiter } from "../../ffi/epoll.ts";
import { close, fcntl, fstat, memfd_create, open, pread } from "../../ffi/file.ts";
import {
  IN_CLOSE_WRITE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_MODIFY,
  inotify_add_watch,
  inotify_init1,
  inotify_read,
  type InotifyEvent,
} from "../../ffi/watch.ts";
import { check } from "../error.ts";
import type { Ret } from "../system_calls.ts";
import { Wakeup } from "../waits/wakeup.ts";
import type { Entry, Node } from "./device_nodes.ts";
import { KMSG } from "./kernel_files.ts";
import { KernelDirectories } from "./kernel_directories.ts";
import { statOfFd, textOfFd } from "./program_fds.ts";

/** The flags of open(2) that an open file keeps, and that a memfd takes. */
const OF_DESCRIPTION = O_ACCMODE | O_APPEND | O_NONBLOCK;
const SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

/** A device or session fd of the model that programs of the machine hold copies of. */
export interface EmulatedFd {
  readonly kind: "device" | "session";
  /** The fd of the model's init process. */
  readonly model_fd: number;
  /** `dev:ino` of the memfd. */
  readonly identity: string;
  /** The number of the watch that tells when the last copy of the memfd is closed. */
  readonly watch: number;
  /** The name that the device was opened by, and its inode. */
  readonly entry?: Entry;
  readonly node?: Node;
  /** The name of a session, as the program gave it: any bytes. */
  readonly name?: Uint8Array;
  /** The host's inode of all its anonymous files. */
  readonly anonymous: { readonly dev: bigint; readonly ino: bigint };
  /** Opened with O_PATH: most calls on the fd give EBADF. */
  readonly path_only?: boolean;
  /** The open of the file that is watched in place of the device: closing it makes the event. */
  readonly watched?: number;
}

/** Text that a program wrote to a file of /proc. */
export interface Written {
  readonly path: string;
  readonly content: Uint8Array;
}

/** sysctl takes no more than a page. */
const WRITTEN_MAX = 4096;

/** The facts that are known when the device is opened. */
export type Opened = Pick<EmulatedFd, "entry" | "name" | "node" | "path_only" | "watched">;

/**
 * Every emulated fd is an empty memfd, which luo itself does not keep open. The host does dup, fork, exec and SCM_RIGHTS with it.
 * inotify tells when its inode is gone: then the last copy was closed, in whatever process. The event is there before close(2)
 * returns (fs/dcache.c: dentry_unlink_inode). As a session on Linux, a memfd is always ready, is no socket, and epoll refuses it.
 */
export class EmulatedFds implements Disposable {
  /** Also watches the fds that `watch` adds: the listener and the launcher's channel. */
  readonly #epoll = check(epoll_create1(), "epoll_create1", "the machine");
  readonly #waiter = new EpollWaiter(this.#epoll, 16);
  readonly #anonymous: EmulatedFd["anonymous"];
  #waiting: Promise<void> | undefined;
  /** Ends the wait in another thread when the boot has ended. */
  readonly #wakeup = new Wakeup();
  readonly #inotify = check(inotify_init1(), "inotify_init1", "the machine");
  readonly directories = new KernelDirectories();
  /** Files that were retrieved in this boot. Linux gives a retrieved file no name; the host shows the memfd's name. */
  readonly nameless = new Set<string>();
  /** The memfds with the contents of files of /proc and /sys have this in their names, before the flags and the path. */
  readonly #contentMark = `luo-${crypto.randomUUID()}`;
  /** Files that a program may write, with luo's own fd to read them again. */
  readonly #written = new Map<number, { readonly fd: number; readonly path: string; at: bigint }>();
  /** Whether a program was given such a file in this boot. */
  hasContents = false;
  readonly #by_identity = new Map<string, EmulatedFd>();
  readonly #by_watch = new Map<number, EmulatedFd>();
  readonly #path_only = new Set<EmulatedFd>();

  constructor() {
    const { dev, ino } = check(fstat(this.#epoll), "fstat", "the machine");
    this.#anonymous = { dev, ino };
    this.watch(this.#inotify, EPOLLIN);
    this.watch(this.#wakeup.fd, EPOLLIN);
  }

  /** The caller gives `fd` to the program and closes it. ENOMEM: the host has no memory, fd or watch left. */
  make(
    kind: EmulatedFd["kind"],
    model_fd: number,
    flags: number,
    opened: Opened = {},
  ): { object: EmulatedFd; fd: number } | Ret {
    const fd = memfd(flags);
    if (fd < 0) return -Errno.ENOMEM;
    const watch = inotify_add_watch(this.#inotify, `/proc/self/fd/${fd}`, IN_DELETE_SELF);
    if (watch < 0) {
      close(fd);
      return -Errno.ENOMEM;
    }
    const object = {
      kind,
      model_fd,
      watch,
      anonymous: this.#anonymous,
      identity: identityOf(check(fstat(fd), "fstat", "a memfd")),
      ...opened,
    };
    this.#by_identity.set(object.identity, object);
    this.#by_watch.set(watch, object);
    if (opened.path_only) this.#path_only.add(object);
    return { object, fd };
  }

  watch(fd: number, events: number): void {
    check(epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, events), "epoll_ctl", "the machine");
  }

  /** The emulated fd that number `fd` of thread `tid` refers to. */
  find(tid: number, fd: number): EmulatedFd | undefined {
    if (this.#by_identity.size === 0 || fd < 0) return undefined;
    const found = statOfFd(tid, fd);
    return typeof found === "number" ? undefined : this.#by_identity.get(identityOf(found));
  }

  /** Whether it is an emulated fd of O_PATH. Few programs have one, so that most calls need no look at the fd. */
  isPathOnly(tid: number, fd: number): boolean {
    return this.#path_only.size > 0 && this.find(tid, fd)?.path_only === true;
  }

  /** The name of a memfd with the content of the file at `path`, opened with these flags. */
  contentName(path: string, flags: number): string {
    return `${this.#contentMark}${flags.toString(8)}${path}`;
  }

  /** A file in /proc or /sys that luo gave a program, and the flags of the open; undefined for every other file. */
  content(tid: number, fd: number): { readonly path: string; readonly flags: number } | undefined {
    if (!this.hasContents) return undefined;
    const start = `/memfd:${this.#contentMark}`;
    const text = textOfFd(tid, fd);
    if (typeof text !== "string") return undefined;
    if (!text.startsWith(start)) return this.directories.find(text);
    const [, flags = "", path = ""] = /^([0-7]+)(\/.*?)(?: \(deleted\))?$/.exec(text.slice(start.length)) ??
      [];
    return { path, flags: parseInt(flags, 8) };
  }

  contentPath(tid: number, fd: number): string | undefined {
    return this.content(tid, fd)?.path;
  }

  /** A file of luo with the inode of all anonymous files. */
  get anonymousFile(): number {
    return this.#epoll;
  }

  get empty(): boolean {
    return this.#by_identity.size === 0;
  }

  /** Whether `closed` has something to tell, when `ready` are the fds that are ready. */
  anyClosed(ready: readonly number[]): boolean {
    return ready.includes(this.#inotify);
  }

  /** The watched fds that are ready, luo's inotify among them. */
  wait(timeout_ms: number): number[] {
    return this.#waiter.wait(timeout_ms).map(({ fd }) => fd);
  }

  /** As `wait`, in another thread and without a limit. It ends too when one of `others` settles. */
  async waitBeside(others: Iterable<Promise<void>>): Promise<number[]> {
    // The wait of an earlier round goes on: each wait takes a thread of the runtime's pool.
    this.#waiting ??= epoll_wait(this.#epoll, 1, -1).then(() => {
      this.#waiting = undefined;
    });
    await Promise.race([this.#waiting, ...others]);
    return this.wait(0);
  }

  /** What happened since the last call: the emulated fds whose last copy was closed, which are forgotten, and writes. */
  changes(): { readonly closed: EmulatedFd[]; readonly written: Written[] } {
    const events = inotify_read(this.#inotify);
    const ended = events.filter(({ mask }) => (mask & IN_IGNORED) !== 0);
    const objects = ended.flatMap(({ watch }) => this.#by_watch.get(watch) ?? []);
    for (const object of objects) this.#forget(object);
    return { closed: objects, written: this.#writes(events) };
  }

  /** `fd`: a memfd that takes what a program writes to the file of /proc at `path`. */
  watchWrites(fd: number, path: string): void {
    const again = open(`/proc/self/fd/${fd}`, O_RDONLY | O_CLOEXEC);
    if (again < 0) return;
    const watch = inotify_add_watch(this.#inotify, `/proc/self/fd/${fd}`, IN_MODIFY | IN_CLOSE_WRITE);
    if (watch < 0) close(again);
    else this.#written.set(watch, { fd: again, path, at: 0n });
  }

  /** The writes since the last call. */
  #writes(events: readonly InotifyEvent[]): Written[] {
    return events.flatMap(({ watch, mask }) => {
      const file = this.#written.get(watch);
      if (file === undefined) return [];
      const content = new Uint8Array(WRITTEN_MAX);
      const length = mask & IN_MODIFY ? pread(file.fd, content, file.at) : 0;
      // Each write to a sysctl is a whole one; the log grows.
      if (length > 0 && file.path === KMSG) file.at += BigInt(length);
      if (mask & IN_CLOSE_WRITE) {
        this.#written.delete(watch);
        close(file.fd);
      }
      return length > 0 ? [{ path: file.path, content: content.subarray(0, length) }] : [];
    });
  }

  #forget(object: EmulatedFd): void {
    this.#by_identity.delete(object.identity);
    this.#by_watch.delete(object.watch);
    this.#path_only.delete(object);
    if (object.watched !== undefined) close(object.watched);
  }

  [Symbol.dispose](): void {
    for (const object of [...this.#by_watch.values()]) this.#forget(object);
    for (const { fd } of this.#written.values()) close(fd);
    this.directories[Symbol.dispose]();
    const close_all = () => {
      [this.#inotify, this.#epoll].forEach(close);
      this.#wakeup[Symbol.dispose]();
    };
    // Closing an epoll descriptor does not end a wait in another thread.
    this.#wakeup.wake();
    if (this.#waiting === undefined) close_all();
    else void this.#waiting.then(close_all);
  }
}

/** Open with `flags`, so that the host refuses what Linux refuses on an fd that is only read. */
function memfd(flags: number): Ret {
  const fd = newMemfd();
  if (fd < 0) return fd;
  fcntl(fd, F_ADD_SEALS, SEALS);
  // seccomp gives a program no fd of O_PATH. An fd that can neither read nor write (open(2): access mode 3) is the most like it.
  const kept = flags & O_PATH ? O_ACCMODE : flags & OF_DESCRIPTION;
  if (kept === O_RDWR) return fd;
  const again = open(`/proc/self/fd/${fd}`, kept | O_CLOEXEC);
  close(fd);
  return again;
}

/** Not executable, as a session is not. Before Linux 6.3 the flag is unknown. */
function newMemfd(): Ret {
  const fd = memfd_create("luo", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
  return fd === -Errno.EINVAL ? memfd_create("luo", MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

/** Names an inode of the host: `dev:ino`. */
export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}
