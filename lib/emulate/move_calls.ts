/** link(2) and rename(2) of the device, and onto its name. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR, S_IFMT } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW } from "../../ffi/abi/stat.ts";
import { stat, unlink } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import type { Subject, Subjects } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_FOWNER, type Credentials, R_OK, W_OK } from "./credentials.ts";
import { type DeviceNodes, type Entry, type Node, touched } from "./device_nodes.ts";
import { whyNotMade, whyNotRemoved } from "./directory_rights.ts";
import { isReachable, systemOf } from "./kernel_file_nodes.ts";
import { whyNoChange } from "./kernel_names.ts";
import { type Place, sameDevice, splitPath } from "./path_walk.ts";

const [RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT, RENAME_FLAGS] = [1, 2, 4, 7];

/** S_ISGID with S_IXGRP. */
const [S_ISUID, SETGID] = [0o4000, 0o2010];

/** A path in a call's arguments. */
interface Named {
  readonly dirfd: number;
  readonly path: bigint;
}

export class MoveCalls {
  constructor(readonly program: CallingProgram, readonly subjects: Subjects, readonly nodes: DeviceNodes) {}

  readonly handlers: Handlers<"link" | "linkat" | "rename" | "renameat" | "renameat2"> = {
    link: ({ args: [from, to], ...call }) => this.#link(call.tid, cwd(from), cwd(to), 0),
    linkat: ({ args: [fromdir, from, todir, to, flags], ...call }) =>
      this.#link(call.tid, { dirfd: int(fromdir), path: from }, { dirfd: int(todir), path: to }, int(flags)),
    rename: ({ args: [from, to], ...call }) => this.#rename(call.tid, cwd(from), cwd(to), 0),
    renameat: ({ args: [fromdir, from, todir, to], ...call }) =>
      this.#rename(call.tid, { dirfd: int(fromdir), path: from }, { dirfd: int(todir), path: to }, 0),
    renameat2: ({ args: [fromdir, from, todir, to, flags], ...call }) =>
      this.#rename(
        call.tid,
        { dirfd: int(fromdir), path: from },
        { dirfd: int(todir), path: to },
        int(flags),
      ),
  };

  /** The place of a path; `whole`: also of one that does not concern the machine. */
  #place(
    tid: Notification["tid"],
    { dirfd, path }: Named,
    follow: boolean,
    whole = false,
  ): Place | undefined {
    const text = this.program.path(tid, path);
    if (typeof text === "number") return undefined;
    const { paths } = this.subjects;
    return (whole ? paths.resolve : paths.find).call(paths, tid, dirfd, text, { follow });
  }

  #link(tid: number, from: Named, to: Named, flags: number): CallAnswer {
    this.subjects.paths.changed();
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return undefined;
    const follow = (flags & AT_SYMLINK_FOLLOW) !== 0;
    const [source, target] = [this.#source(tid, from, flags), this.#place(tid, to, false)];
    if (source?.is === "device") return this.#linkDevice(tid, source.node, source.entry, to);
    if (source?.is === "absent") return -Errno.ENOENT;
    if (source?.is === "kernel") return -this.#whyNotMoved(tid, source, to, "link");
    if (source?.is === "below" || target?.is === "below") return -Errno.ENOTDIR;
    if (target?.is !== "entry") return undefined;
    if (!exists(this.#place(tid, from, follow, true))) return -Errno.ENOENT;
    return target.entry.node === undefined ? -Errno.EPERM : -Errno.EEXIST;
  }

  /** An fd's link in /proc is on another file system, unless it is followed. */
  #source(tid: number, from: Named, flags: number): Subject | undefined {
    const follow = (flags & AT_SYMLINK_FOLLOW) !== 0;
    const empty = flags & AT_EMPTY_PATH && this.program.path(tid, from.path) === "";
    if (empty) return this.subjects.byFd(tid, from.dirfd);
    const place = this.#place(tid, from, follow);
    return place === undefined || (place.is === "fd" && !follow) ? undefined : this.subjects.at(place);
  }

  #linkDevice(tid: number, node: Node, entry: Entry | undefined, to: Named): CallAnswer {
    // fs/namei.c: vfs_link() makes no name for a file that has lost all of them.
    if (node.nlink === 0) return -Errno.ENOENT;
    const place = this.#place(tid, to, false, true);
    if (place?.is === "below") return -Errno.ENOTDIR;
    if (place?.is === "entry" && place.entry.node === undefined) this.nodes.fill(place.entry, node);
    else if (place === undefined) return undefined;
    else if (exists(place) || place.is !== "file") return -Errno.EEXIST;
    else if (entry === undefined || !sameDevice(entry.directory, splitPath(place.path)[0])) {
      return -Errno.EXDEV;
    } else {
      if (!mayLink(node, this.program.credentials(tid))) return -Errno.EPERM;
      const refused = whyNotMade(splitPath(place.path)[0], this.program.credentials(tid));
      if (refused !== undefined) return -refused;
      if (!this.nodes.add(...splitPath(place.path), node)) return -Errno.ENOENT;
    }
    node.nlink++;
    touched(node);
    return 0;
  }

  #rename(tid: number, from: Named, to: Named, flags: number): CallAnswer {
    this.subjects.paths.changed();
    // The host's kernel says EINVAL.
    if (flags & ~RENAME_FLAGS || (flags & RENAME_EXCHANGE && flags & ~RENAME_EXCHANGE)) return undefined;
    const [source, target] = [this.#place(tid, from, false), this.#place(tid, to, false)];
    if (source?.is === "below" || target?.is === "below") return -Errno.ENOTDIR;
    if (source?.is === "entry") return this.#renameDevice(tid, source, to, flags);
    const subject = source?.is === "file" ? this.subjects.at(source) : undefined;
    if (subject?.is === "kernel") return -this.#whyNotMoved(tid, subject, to, "rename");
    if (target?.is !== "entry") return undefined;
    const file = this.#place(tid, from, false, true);
    if (file?.is !== "file" || !exists(file)) return -Errno.ENOENT;
    if (flags & RENAME_NOREPLACE && target.entry.node !== undefined) return -Errno.EEXIST;
    // The file would get a name in the host's /dev.
    return isDirectory(file.path) && target.entry.node !== undefined ? -Errno.ENOTDIR : -Errno.EPERM;
  }

  /** A file of /proc or /sys has the one name that its kernel gave it. */
  #whyNotMoved(
    tid: number,
    source: Extract<Subject, { is: "kernel" }>,
    to: Named,
    how: "link" | "rename",
  ): number {
    const credentials = this.program.credentials(tid);
    if (!isReachable(source.path, credentials)) return Errno.EACCES;
    const place = this.#place(tid, to, false, true);
    const inside = place?.is === "file" ? place.inside : "";
    if (how === "link" && source.file === undefined) return Errno.ENOENT;
    const proc = [inside, source.path].every((path) => path.startsWith("/proc/"));
    const sys = [inside, source.path].every((path) => path.startsWith("/sys/"));
    if (!proc && !(sys && systemOf(inside) === systemOf(source.path))) return Errno.EXDEV;
    if (source.file === undefined || proc) return Errno.ENOENT;
    return how === "link" ? Errno.EPERM : whyNoChange(source.file, credentials);
  }

  #renameDevice(
    tid: number,
    { entry, directory: from }: Extract<Place, { is: "entry" }>,
    to: Named,
    flags: number,
  ): CallAnswer {
    if (entry.node === undefined) return -Errno.ENOENT;
    const text = this.program.path(tid, to.path);
    if (typeof text === "string" && /(^|\/)\.\.?$/.test(text)) return -Errno.EBUSY;
    const credentials = this.program.credentials(tid);
    const slash = typeof text === "string" && text.endsWith("/");
    const place = slash
      ? this.subjects.paths.resolve(tid, to.dirfd, text.replace(/\/+$/, ""), { follow: false })
      : this.#place(tid, to, false, true);
    if (place === undefined) return undefined;
    if (flags & RENAME_EXCHANGE) return this.#exchange(credentials, { entry, from }, place);
    if (flags & RENAME_NOREPLACE && exists(place)) return -Errno.EEXIST;
    if (slash) return -Errno.ENOTDIR;
    // The name that is left would be in the host's directory.
    if (flags & RENAME_WHITEOUT) return -Errno.EPERM;
    const leaves = whyNotRemoved(from, entry.node, credentials);
    if (place.is === "entry") {
      const refused = leaves ?? whyNotMade(place.directory, credentials);
      return refused === undefined ? this.#replace(entry, place.entry) : -refused;
    }
    if (place.is !== "file") return -Errno.EXDEV;
    const [directory, name] = splitPath(place.path);
    if (!sameDevice(entry.directory, directory)) {
      return exists({ ...place, path: directory }) ? -Errno.EXDEV : -Errno.ENOENT;
    }
    const refused = leaves ?? whyNotMade(directory, credentials);
    if (refused !== undefined) return -refused;
    if (isDirectory(place.path)) return -Errno.EISDIR;
    if (exists(place)) unlink(place.path);
    return this.nodes.move(entry, directory, name) ? 0 : -Errno.ENOENT;
  }

  /** Only with another name of the device: a file of the host would get the device's name on the host. */
  #exchange(
    credentials: Credentials,
    { entry, from }: { readonly entry: Entry; readonly from: string },
    place: Place,
  ): CallAnswer {
    if (!exists(place)) return -Errno.ENOENT;
    if (place.is !== "entry") return -Errno.EPERM;
    const { entry: other, directory } = place;
    if (other.node === entry.node) return 0;
    if (entry.node === undefined || other.node === undefined) return -Errno.ENOENT;
    if (!sameDevice(entry.directory, other.directory)) return -Errno.EXDEV;
    const refused = whyNotRemoved(from, entry.node, credentials) ??
      whyNotRemoved(directory, other.node, credentials);
    if (refused !== undefined) return -refused;
    this.nodes.exchange(entry, other);
    return 0;
  }

  /** Two names of one inode stay as they are. */
  #replace(entry: Entry, other: Entry): CallAnswer {
    if (other.node === entry.node) return 0;
    const { directory, name } = other;
    this.nodes.remove(other);
    return this.nodes.move(entry, directory, name) ? 0 : -Errno.ENOENT;
  }
}

/** fs/namei.c: may_linkat(), safe_hardlink_source(). The sysctl is the host's. */
function mayLink(node: Node, credentials: Credentials): boolean {
  if (read_text("/proc/sys/fs/protected_hardlinks") === "0\n") return true;
  if (credentials.uid === node.uid || credentials.hasOver(CAP_FOWNER, node)) return true;
  const special = (node.mode & S_ISUID) !== 0 || (node.mode & SETGID) === SETGID;
  return node.kind === "file" && !special && credentials.may(node, R_OK | W_OK);
}

function cwd(path: bigint): Named {
  return { dirfd: AT_FDCWD, path };
}

function exists(place: Place | undefined): boolean {
  if (place?.is === "entry") return place.entry.node !== undefined;
  return (place?.is === "file" || place?.is === "fd") && typeof stat(place.path) !== "number";
}

function isDirectory(path: string): boolean {
  const found = stat(path);
  return typeof found !== "number" && (found.mode & S_IFMT) === S_IFDIR;
}
