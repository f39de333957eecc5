/** open(2) and its relatives: of the device, of what /proc shows of an fd, of files that tell which kernel runs. */
import { translateOpenFlags, X86_64 } from "../../ffi/abi/arch.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  S_IFCHR,
  S_IFDIR,
  S_IFMT,
} from "../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_FDCWD } from "../../ffi/abi/stat.ts";
import { close, fstat, open, owner, ST_NODEV, stat } from "../../ffi/file.ts";
import { ARCH } from "../../ffi/libc.ts";
import { check } from "../error.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { isMounted, type Subject, type Subjects, whyNoFile } from "./call_subject.ts";
import type { CopyCalls } from "./copy_calls.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_DAC_READ_SEARCH, CAP_FOWNER, type Owned, R_OK, W_OK } from "./credentials.ts";
import { type DeviceNodes, type Entry, newNode, type Node } from "./device_nodes.ts";
import { type EmulatedFd, identityOf } from "./emulated_fds.ts";
import type { Ioctls } from "./ioctls.ts";
import { ownerIn, whyNotMade } from "./directory_rights.ts";
import { openKernelFile, takesWrites, whyNotOpened } from "./kernel_file_open.ts";
import { KMSG, namesIn, stopsHost } from "./kernel_files.ts";
import type { KmsgFiles } from "./kmsg_files.ts";
import { pathOfLog } from "./kmsg_look.ts";
import { openMachineFile } from "./machine_files.ts";
import { isNextKernelFile } from "./next_kernel_files.ts";
import { type Place, sameDevice } from "./path_walk.ts";
import type { PreservedFiles } from "./preserved_files.ts";
import { mayRead as mayReadLog } from "./syslog_calls.ts";
import { SESSION } from "./stat_structs.ts";

/** linux/openat2.h: struct open_how has u64 flags, mode, resolve; later versions may append fields. */
const [OPEN_HOW_SIZE, OPEN_HOW_MAX] = [24, 4096];
const O_EMPTYPATH = 0x400_0000;
const VALID_OPEN_FLAGS = 0o37777703n | BigInt(O_EMPTYPATH);
/** What Linux 7.3 has besides: a flag, and its errno, which older kernels do not know. */
const [OPENAT2_REGULAR, EFTYPE] = [1n << 32n, 134];
const [O_SYNC, O_DSYNC] = [0o4000000, 0o10000];
const VALID_RESOLVE = 0x3fn;
/** RESOLVE_BENEATH and RESOLVE_IN_ROOT exclude each other. */
const SCOPED = 0x18n;
/** What goes with O_PATH. */
const PATH_FLAGS = BigInt(ARCH.O_DIRECTORY | ARCH.O_NOFOLLOW | O_PATH | O_CLOEXEC);
const [TMPFILE, O_NOATIME] = [0o20000000, 0o1000000];

/** The name of the device that makes a userfaultfd, besides the system call. */
const USERFAULTFD = "userfaultfd";

interface Opening {
  readonly path: string;
  /** In the numbers of x86-64. */
  readonly flags: number;
  readonly mode: number;
  /** OPENAT2_REGULAR: nothing but a regular file is opened. */
  readonly regular?: boolean;
}

export class OpenCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly subjects: Subjects,
    readonly ioctls: Ioctls,
    readonly preserved: PreservedFiles,
    readonly copies: CopyCalls,
    readonly nodes: DeviceNodes,
    readonly kmsg: KmsgFiles,
  ) {}

  readonly handlers: Handlers<"open" | "openat" | "openat2" | "creat" | "open_by_handle_at"> = {
    open: (call) => this.#open(call, AT_FDCWD, call.args[0], int(call.args[1]), int(call.args[2])),
    openat: (call) => this.#open(call, int(call.args[0]), call.args[1], int(call.args[2]), int(call.args[3])),
    openat2: (call) => this.#openat2(call),
    creat: (call) =>
      this.#open(call, AT_FDCWD, call.args[0], O_CREAT | O_WRONLY | O_TRUNC, int(call.args[1])),
    open_by_handle_at: (call) => this.#openHandle(call),
  };

  /** `native`: open flags in the numbers of this architecture. */
  #open(
    call: Notification,
    dirfd: number,
    address: bigint,
    native: number,
    mode: number,
    resolve = 0,
    regular = false,
  ): CallAnswer {
    const flags = kernelFlags(translateOpenFlags(native, ARCH, X86_64));
    const path = this.program.path(call.tid, address);
    // fs/open.c: build_open_flags() refuses a file without a name that cannot be written, or is to be made.
    const nameless = (flags & O_PATH) === 0 && (flags & TMPFILE) !== 0;
    const writable = (flags & O_ACCMODE) !== O_RDONLY;
    if (nameless && ((flags & (O_DIRECTORY | O_CREAT)) !== O_DIRECTORY || !writable)) return undefined;
    if (typeof path === "number") return undefined;
    if (path === "" && flags & O_EMPTYPATH) {
      return this.#openAgain(call, dirfd, { path, flags, mode, regular });
    }
    if (path.endsWith(USERFAULTFD)) this.program.fillsMemory(call.tid);
    const exclusive = (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL);
    const truncates = (flags & O_TRUNC) !== 0 && (flags & O_PATH) === 0 && !exclusive && !this.preserved.none;
    const options = { follow: (flags & O_NOFOLLOW) === 0 && !exclusive, resolve };
    const { paths } = this.subjects;
    const place = (truncates ? paths.resolve : paths.find).call(paths, call.tid, dirfd, path, options);
    if (place === undefined) return undefined;
    return this.#openPlace(call, place, { path, flags, mode, regular }, truncates);
  }

  /** O_EMPTYPATH: the file of the fd. */
  #openAgain(call: Notification, fd: number, opening: Opening): CallAnswer {
    const subject = this.subjects.byFd(call.tid, fd);
    return subject === undefined ? undefined : this.#openSubject(call, subject, opening);
  }

  #openPlace(call: Notification, place: Place, opening: Opening, truncates: boolean): CallAnswer {
    const { flags } = opening;
    if (place.is === "refused") return -place.errno;
    if (place.is === "below") return -this.#whyNotBelow(opening);
    if (place.is === "file") {
      if (stopsHost(place.inside) && flags & (O_ACCMODE | O_TRUNC) && !(flags & O_PATH)) return -Errno.EPERM;
      if (place.inside === KMSG) return this.#openLog(call, pathOfLog(place), flags);
      const fd = openMachineFile(this.sys, this.program, this.subjects.objects, place, flags);
      if (fd !== undefined) return this.#giveContent(call, fd, flags);
    }
    if (
      place.is === "fd" && !(flags & (O_ACCMODE | O_NOFOLLOW | O_TRUNC | O_PATH)) && isNextKernelFile(place)
    ) {
      return this.#give(call, open(`/proc/self/fd/${place.fd}`, flags & ~O_CREAT | O_CLOEXEC), flags);
    }
    const exclusive = (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL) && !(flags & O_PATH);
    if (place.is === "fd" && exclusive && !(flags & O_DIRECTORY)) return -Errno.EEXIST;
    // A link of /proc that is not followed: the host's kernel says ELOOP, or opens the link itself.
    if (place.is === "fd" && flags & O_NOFOLLOW) return undefined;
    const subject = this.subjects.at(place);
    if (subject !== undefined) return this.#openSubject(call, subject, opening);
    if (place.is === "entry") return undefined;
    // The number that the host gives is to be watched.
    const opened = () =>
      place.is === "fd" && !(flags & O_PATH) ? this.#openCopy(call, place.path) : undefined;
    if (!truncates) return opened();
    const size = this.preserved.size(place.path);
    if (size === undefined || size === 0n) return opened();
    // The host's kernel says ENOTDIR.
    if (flags & O_DIRECTORY) return undefined;
    const found = owner(place.path);
    // The host's kernel says EACCES.
    const refused = typeof found !== "number" && this.#whyNotOpened(call, found, flags) !== undefined;
    return refused ? undefined : -Errno.EPERM;
  }

  /** The machine's log, where the program has the device of the host's. */
  #openLog(call: Notification, path: string, flags: number): CallAnswer {
    const [found, node] = [stat(path), owner(path)];
    const exclusive = (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL);
    if (flags & (O_PATH | O_DIRECTORY) || exclusive || typeof node === "number") return undefined;
    if (typeof found === "number" || (found.mode & S_IFMT) !== S_IFCHR) return undefined;
    const credentials = this.program.credentials(call.tid);
    const refused = this.#whyNotOpened(call, node, flags);
    if (refused !== undefined) return -refused;
    if ((flags & O_ACCMODE) !== O_WRONLY && !mayReadLog(credentials)) return -Errno.EPERM;
    return this.#giveContent(call, this.kmsg.open(flags), flags);
  }

  /** A path that goes on after the device. */
  #whyNotBelow({ path, flags, regular }: Opening): number {
    const creates = (flags & (O_CREAT | O_PATH)) === O_CREAT && path.endsWith("/");
    if (creates) return flags & O_DIRECTORY ? Errno.EINVAL : Errno.EISDIR;
    return regular && path.endsWith("/") ? EFTYPE : Errno.ENOTDIR;
  }

  #openCopy(call: Notification, path: string): CallAnswer {
    return this.preserved.size(path) === undefined ? undefined : this.copies.await(call);
  }

  #openSubject(call: Notification, subject: Subject, opening: Opening): CallAnswer {
    const { flags } = opening;
    if (subject.is === "kernel") return this.#openKernelFile(call, subject, flags);
    if (subject.is === "absent") return this.#make(call, subject.entry, opening);
    if (subject.is === "session") {
      if (flags & O_DIRECTORY) return flags & O_CREAT && !(flags & O_PATH) ? -Errno.EINVAL : -Errno.ENOTDIR;
      if (flags & O_PATH) return this.#openPath(call, subject.object, flags);
      if (opening.regular) return -EFTYPE;
      // An anonymous inode has no open operation.
      return -(this.#whyNotOpened(call, SESSION, flags) ?? Errno.ENXIO);
    }
    const missing = whyNoFile(subject, () => this.program.credentials(call.tid));
    if (missing !== undefined) return -missing;
    if (subject.is !== "device") return undefined;
    const { node, entry } = subject;
    // Before Linux 6.4 the host's kernel would say ENOTDIR.
    if (flags & O_CREAT && flags & O_DIRECTORY && !(flags & O_PATH)) return -Errno.EINVAL;
    if (!(flags & O_PATH) && (flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return -Errno.EEXIST;
    if (flags & O_DIRECTORY) return -Errno.ENOTDIR;
    const special = node.kind === "device" && !(flags & O_PATH);
    if (special && isMounted(subject, ST_NODEV)) return -Errno.EACCES;
    const exclusive = O_CREAT | O_EXCL;
    const fails = opening.regular && node.kind === "device" && (flags & exclusive) !== exclusive;
    const refused = fails ? EFTYPE : this.#whyNotOpened(call, node, flags);
    if (refused !== undefined) return -refused;
    return node.kind === "device"
      ? this.#openDevice(call, node, entry, flags)
      : this.#openFile(call, node, flags);
  }

  #whyNotOpened({ tid }: Notification, node: Owned, flags: number): number | undefined {
    if (flags & O_PATH) return undefined;
    const mode = flags & O_ACCMODE;
    const reads = mode === O_WRONLY ? 0 : R_OK;
    const writes = mode === O_RDONLY && !(flags & O_TRUNC) ? 0 : W_OK;
    const credentials = this.program.credentials(tid);
    if (!credentials.may(node, reads | writes)) return Errno.EACCES;
    const owns = credentials.uid === node.uid || credentials.hasOver(CAP_FOWNER, node);
    return flags & O_NOATIME && !owns ? Errno.EPERM : undefined;
  }

  #openKernelFile(
    call: Notification,
    subject: Extract<Subject, { is: "kernel" }>,
    flags: number,
  ): CallAnswer {
    const refused = whyNotOpened(subject, flags, this.program.credentials(call.tid));
    if (refused !== undefined) return -refused;
    if (subject.file === undefined) return -Errno.ENOENT;
    const { objects, paths } = this.subjects;
    if (subject.file.type === S_IFDIR) {
      // The machine has its directories, and what is in them, for the tripwires.
      if (this.program.watch.tripwires && paths.alike) return undefined;
      return this.#giveContent(
        call,
        objects.directories.open(subject.path, flags, namesIn(this.sys, subject.path)),
        flags,
      );
    }
    const name = objects.contentName(subject.path, flags);
    const fd = openKernelFile(this.sys, subject.file, flags, name);
    if (fd >= 0 && takesWrites(subject.file.path, flags)) objects.watchWrites(fd, subject.path);
    return this.#giveContent(call, fd, flags);
  }

  #giveContent(call: Notification, fd: Ret, flags: number): Ret {
    this.subjects.objects.hasContents ||= fd >= 0;
    if (fd < 0) return fd;
    const identity = identityOf(check(fstat(fd), "fstat", "a file of the machine"));
    const given = this.#give(call, fd, flags);
    if (given >= 0) this.program.watch.number(call.tid, given, identity);
    return given;
  }

  #openDevice(call: Notification, node: Node, entry: Entry | undefined, flags: number): Ret {
    if (!this.program.has_room(call.tid)) return -Errno.EMFILE;
    const model_fd = this.sys.open(LIVEUPDATE_DEVICE, flags & ~O_CLOEXEC);
    if (model_fd < 0) return model_fd;
    const watches = node.memfd !== undefined && (flags & O_PATH) === 0;
    const watched = watches ? open(`/proc/self/fd/${node.memfd}`, (flags & O_ACCMODE) | O_CLOEXEC) : -1;
    const path_only = (flags & O_PATH) !== 0;
    const opened = { node, entry, path_only, watched: watched < 0 ? undefined : watched };
    return this.ioctls.give_object(call, "device", model_fd, (flags & O_CLOEXEC) !== 0, opened);
  }

  /** O_PATH of a session, through /proc. */
  #openPath(call: Notification, { model_fd, name }: EmulatedFd, flags: number): Ret {
    if (!this.program.has_room(call.tid)) return -Errno.EMFILE;
    const opened = this.sys.open(`/proc/self/fd/${model_fd}`, flags & ~O_CLOEXEC);
    if (opened < 0) return opened;
    return this.ioctls.give_object(call, "session", opened, (flags & O_CLOEXEC) !== 0, {
      name,
      path_only: true,
    });
  }

  /** The name of the device after its unlink: a file that is made there is the machine's, not one of the host's /dev. */
  #make(call: Notification, entry: Entry, { path, flags, mode }: Opening): CallAnswer {
    // Left to the host, the call would open the device of a host that has one.
    if (!(flags & O_CREAT) || flags & O_PATH) return -Errno.ENOENT;
    if (path.endsWith("/")) return -Errno.EISDIR;
    // Before Linux 6.4 the host's kernel would make a file.
    if (flags & O_DIRECTORY) return -Errno.EINVAL;
    const credentials = this.program.credentials(call.tid);
    const refused = whyNotMade(entry.directory, credentials);
    if (refused !== undefined) return -refused;
    const owner = ownerIn(entry.directory, credentials);
    const node = newNode("file", mode & 0o7777 & ~credentials.umask, owner);
    this.subjects.paths.nodes.fill(entry, node);
    return this.#openFile(call, node, flags & ~O_EXCL);
  }

  #openFile(call: Notification, node: Node, flags: number): Ret {
    if ((flags & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) return -Errno.EEXIST;
    return this.#give(call, open(`/proc/self/fd/${node.memfd}`, flags & ~O_CREAT | O_CLOEXEC), flags);
  }

  /** A handle of the device, from name_to_handle_at(2). */
  #openHandle(call: Notification): CallAnswer {
    const [mount, address, raw] = call.args;
    const flags = translateOpenFlags(int(raw), ARCH, X86_64);
    const ino = this.program.handle(call.tid, address);
    const entry = ino === undefined ? undefined : this.nodes.byInode(ino);
    if (entry !== undefined && sameDevice(`/proc/${call.tid}/fd/${int(mount)}`, entry.directory)) {
      if (!this.program.credentials(call.tid).has(CAP_DAC_READ_SEARCH)) return -Errno.EPERM;
      const place = { is: "entry", entry, directory: entry.directory } as const;
      return this.#openPlace(call, place, { path: "", flags, mode: 0 }, false);
    }
    // A handle may be a preserved file's: nothing tells which file it is before it is open.
    return flags & O_TRUNC && !this.preserved.none ? -Errno.EPERM : undefined;
  }

  #give(call: Notification, fd: Ret, flags: number): Ret {
    if (fd < 0) return fd;
    const given = this.program.give(call, fd, (flags & O_CLOEXEC) !== 0);
    close(fd);
    return given;
  }

  #openat2(call: Notification): CallAnswer {
    const [dirfd, path, how, size] = call.args;
    // The host's kernel refuses malformed arguments.
    if (size < OPEN_HOW_SIZE || size > OPEN_HOW_MAX) return undefined;
    const bytes = this.program.bytes(call.tid, how, Number(size));
    if (typeof bytes === "number" || bytes.length < size) return undefined;
    if (bytes.subarray(OPEN_HOW_SIZE).some((byte) => byte !== 0)) return undefined;
    const [flags = 0n, mode = 0n, resolve = 0n] = new BigUint64Array(bytes.slice(0, OPEN_HOW_SIZE).buffer);
    const creates = (flags & BigInt(O_CREAT | TMPFILE)) !== 0n;
    // fs/open.c: build_open_flags() refuses these.
    if (mode & ~0o7777n || (resolve & SCOPED) === SCOPED) return undefined;
    const regular = (flags & OPENAT2_REGULAR) !== 0n;
    if (regular && flags & BigInt(O_PATH | ARCH.O_DIRECTORY | TMPFILE)) return undefined;
    if (flags & BigInt(O_PATH) && flags & ~PATH_FLAGS) return undefined;
    if (
      flags & ~(VALID_OPEN_FLAGS | OPENAT2_REGULAR) || resolve & ~VALID_RESOLVE || (mode !== 0n && !creates)
    ) return undefined;
    return this.#open(call, int(dirfd), path, int(flags), int(mode), Number(resolve), regular);
  }
}

/** The kernel drops flags that open(2) does not have, and O_SYNC has O_DSYNC in it. In the numbers of x86-64. */
function kernelFlags(flags: number): number {
  const known = flags & Number(VALID_OPEN_FLAGS);
  return known & O_SYNC ? known | O_DSYNC : known;
}
