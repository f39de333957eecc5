/** Calls that make or remove a name: those of the device change the emulated machine, never the host's /dev. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFCHR, S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { decodeOsText, encodeOsText } from "../../ffi/abi/os_text.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_FDCWD } from "../../ffi/abi/stat.ts";
import { close, readlink, stat } from "../../ffi/file.ts";
import { socket_domain } from "../../ffi/socket.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { type Subject, type Subjects, whyNoFile } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_MKNOD, W_OK } from "./credentials.ts";
import {
  ownerIn,
  whyNotEmpty,
  whyNotMade as whyNotMadeIn,
  whyNotRemoved as whyNotRemovedFrom,
} from "./directory_rights.ts";
import { type DeviceNodes, type Entry, newNode } from "./device_nodes.ts";
import { whyNotMade, whyNotRemoved } from "./kernel_names.ts";
import type { PastTripwires } from "./past_tripwires.ts";
import { type Place, splitPath } from "./path_walk.ts";
import { isSearchable } from "./searchable.ts";
import { CALLS } from "./trapped_calls.ts";
import { DEVICE_NUMBER } from "./stat_structs.ts";

const AT_REMOVEDIR = 0x200;
const AF_UNIX = 1;
/** linux/limits.h */
const NAME_MAX = 255;
/** struct sockaddr_un: u16 family, the path. */
const [SOCKADDR_PATH, SOCKADDR_SIZE] = [2, 110];

/** A name that is to be made: the directory's fd, and the path. */
type Named = readonly [dirfd: number, path: bigint];

export class NameCalls {
  constructor(
    readonly program: CallingProgram,
    readonly subjects: Subjects,
    readonly nodes: DeviceNodes,
    readonly past: PastTripwires,
  ) {}

  readonly handlers: Handlers<
    | (
      | "mkdir"
      | "mkdirat"
      | "mknod"
      | "mknodat"
      | "symlink"
      | "symlinkat"
      | "bind"
      | "connect"
      | "unlink"
      | "unlinkat"
    )
    | ("chroot" | "fchroot" | "pivot_root" | "setns" | "unshare")
  > = {
    mkdir: (call) => this.#taken(call, [AT_FDCWD, call.args[0]]),
    mkdirat: (call) => this.#taken(call, [int(call.args[0]), call.args[1]]),
    mknod: (call) => this.#mknod(call, [AT_FDCWD, call.args[0]], int(call.args[1]), call.args[2]),
    mknodat: (call) => this.#mknod(call, [int(call.args[0]), call.args[1]], int(call.args[2]), call.args[3]),
    symlink: (call) => this.#symlink(call, call.args[0], [AT_FDCWD, call.args[1]]),
    symlinkat: (call) => this.#symlink(call, call.args[0], [int(call.args[1]), call.args[2]]),
    bind: (call) => {
      if (this.#isPathOnly(call)) return -Errno.EBADF;
      const place = this.#socketPlace(call);
      if (place?.is === "below") return place.slash ? -Errno.EADDRINUSE : -Errno.ENOTDIR;
      return place?.is === "entry" ? (place.entry.node ? -Errno.EADDRINUSE : -Errno.EPERM) : undefined;
    },
    connect: (call) => {
      if (this.#isPathOnly(call)) return -Errno.EBADF;
      const place = this.#socketPlace(call);
      if (place?.is === "below") return -Errno.ENOTDIR;
      const subject = place && this.subjects.at(place);
      if (subject?.is !== "device") return undefined;
      const credentials = this.program.credentials(call.tid);
      const missing = whyNoFile(subject, () => credentials);
      if (missing !== undefined) return -missing;
      // No socket listens there.
      return credentials.may(subject.node, W_OK) ? -Errno.ECONNREFUSED : -Errno.EACCES;
    },
    unlink: (call) => this.#unlink(call, [AT_FDCWD, call.args[0]], 0),
    unlinkat: (call) => this.#unlink(call, [int(call.args[0]), call.args[1]], int(call.args[2])),
    chroot: (call) => this.#chroot(call),
    fchroot: () => {
      this.subjects.paths.diverged();
      this.program.watch.unsure(true);
    },
    pivot_root: (call) => this.#pivot_root(call),
    setns: (call) => {
      if (this.#isPathOnly(call)) return -Errno.EBADF;
      this.subjects.paths.diverged();
      this.past.enters(call);
    },
    unshare: () => this.subjects.paths.diverged(),
  };

  #subject(call: Notification, [dirfd, path]: Named): Subject | undefined {
    return this.subjects.byPath(call, { dirfd, path, follow: false });
  }

  /** The errno for a new name where the device is; undefined for names that are the host's business. */
  #taken(call: Notification, named: Named): CallAnswer {
    const subject = this.#subject(call, named);
    if (subject?.is === "device" || (subject?.is === "below" && subject.slash)) return -Errno.EEXIST;
    if (subject?.is === "kernel") return -whyNotMade(subject, this.program.credentials(call.tid));
    const missing = subject?.is === "below" && whyNoFile(subject, () => this.program.credentials(call.tid));
    if (missing) return -missing;
    // Only a file or the device can be made in this place: anything else would be made in the host's /dev.
    return subject?.is === "absent" ? -Errno.EPERM : undefined;
  }

  #symlink(call: Notification, target: bigint, named: Named): CallAnswer {
    this.subjects.paths.changed();
    const answer = this.#taken(call, named);
    return answer === -Errno.EEXIST && this.program.path(call.tid, target) === "" ? -Errno.ENOENT : answer;
  }

  #mknod(call: Notification, named: Named, mode: number, device: bigint): CallAnswer {
    const is_device = (mode & S_IFMT) === S_IFCHR && (device & 0xffff_ffffn) === DEVICE_NUMBER;
    const subject = this.#subject(call, named);
    const is_file = (mode & S_IFMT) === S_IFREG || (mode & S_IFMT) === 0;
    if (subject?.is === "absent" && (is_device || is_file)) {
      const { directory } = subject.entry;
      const refused = whyNotMadeIn(directory, this.program.credentials(call.tid));
      if (refused !== undefined) return -refused;
      return this.#fill(call, subject.entry, is_device ? "device" : "file", mode);
    }
    const answer = this.#taken(call, named);
    if (answer !== undefined || !is_device) return answer;
    const text = this.program.path(call.tid, named[1]);
    if (typeof text === "number") return undefined;
    const place = this.subjects.paths.resolve(call.tid, named[0], text, { follow: false });
    if (place?.is !== "file") return undefined;
    // The host's kernel says EEXIST, also for a link that leads nowhere.
    if (typeof stat(place.path) !== "number" || typeof readlink(place.path) === "string") return undefined;
    const [directory, name] = splitPath(place.path);
    // A name that ends in a slash, and one that is too long, are the host's to refuse.
    if (text.endsWith("/") || encodeOsText(name).length > NAME_MAX) return undefined;
    const credentials = this.program.credentials(call.tid);
    const refused = isSearchable(directory, credentials)
      ? whyNotMadeIn(directory, credentials)
      : Errno.EACCES;
    if (refused !== undefined) return -refused;
    if (!credentials.has(CAP_MKNOD)) return -Errno.EPERM;
    const node = newNode("device", mode & 0o7777 & ~credentials.umask, ownerIn(directory, credentials));
    return this.nodes.add(directory, name, node) ? 0 : -Errno.ENOENT;
  }

  #fill(call: Notification, entry: Entry, kind: "device" | "file", mode: number): CallAnswer {
    const credentials = this.program.credentials(call.tid);
    if (kind === "device" && !credentials.has(CAP_MKNOD)) return -Errno.EPERM;
    const owner = ownerIn(entry.directory, credentials);
    this.nodes.fill(entry, newNode(kind, mode & 0o7777 & ~credentials.umask, owner));
    return 0;
  }

  #unlink(call: Notification, named: Named, flags: number): CallAnswer {
    if (flags & ~AT_REMOVEDIR) return undefined;
    const subject = this.#subject(call, named);
    if (subject === undefined) {
      return flags & AT_REMOVEDIR ? whyNotEmpty(call, this.subjects, this.nodes, named) : undefined;
    }
    const credentials = this.program.credentials(call.tid);
    const missing = whyNoFile(subject, () => credentials);
    if (missing !== undefined) return -missing;
    if (subject.is === "kernel") {
      return -whyNotRemoved(subject, credentials, (flags & AT_REMOVEDIR) !== 0);
    }
    if (subject.is !== "device" || subject.entry === undefined) return undefined;
    const refused = whyNotRemovedFrom(
      subject.directory ?? subject.entry.directory,
      subject.node,
      credentials,
    );
    if (refused !== undefined) return -refused;
    if (flags & AT_REMOVEDIR) return -Errno.ENOTDIR;
    if (subject.entry.bound) return -Errno.EBUSY;
    this.nodes.remove(subject.entry);
    return 0;
  }

  #isPathOnly({ tid, args: [fd] }: Notification): boolean {
    return this.subjects.objects.isPathOnly(tid, int(fd));
  }

  /** The place of a Unix socket's path. */
  #socketPlace(call: Notification): Place | undefined {
    const [fd, address, raw] = call.args;
    const size = int(raw);
    if (size < 0 || size > SOCKADDR_SIZE) return undefined;
    const bytes = this.program.bytes(call.tid, address, size);
    if (typeof bytes === "number" || bytes.length <= SOCKADDR_PATH) return undefined;
    if (new DataView(bytes.buffer).getUint16(0, true) !== AF_UNIX || bytes[SOCKADDR_PATH] === 0) {
      return undefined;
    }
    const path = decodeOsText(bytes.subarray(SOCKADDR_PATH)).replace(/\0.*$/s, "");
    const follow = CALLS.get(call.nr) === "connect";
    const place = this.subjects.paths.find(call.tid, AT_FDCWD, path, { follow });
    // The host's kernel refuses what is no socket, or one of another family.
    return place !== undefined && place.is !== "file" && this.#isUnixSocket(call.tid, int(fd))
      ? place
      : undefined;
  }

  #isUnixSocket(tid: number, fd: number): boolean {
    const copy = this.program.fd(tid, fd);
    const domain = copy < 0 ? copy : socket_domain(copy);
    if (copy >= 0) close(copy);
    return domain === AF_UNIX;
  }

  #pivot_root(call: Notification): CallAnswer {
    this.subjects.paths.diverged();
    this.past.roots(call);
    const named = [call.args[0], call.args[1]].map((path) =>
      this.subjects.byPath(call, { dirfd: AT_FDCWD, path, follow: true })
    );
    const device = named.some((subject) => subject?.is === "device" || subject?.is === "below");
    return device ? -Errno.ENOTDIR : undefined;
  }

  #chroot(call: Notification): CallAnswer {
    this.subjects.paths.diverged();
    this.past.roots(call);
    const subject = this.subjects.byPath(call, { dirfd: AT_FDCWD, path: call.args[0], follow: true });
    return subject?.is === "device" || subject?.is === "below" ? -Errno.ENOTDIR : undefined;
  }
}
