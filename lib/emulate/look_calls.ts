/** Calls that look at a file without opening it: stat, access, readlink, statfs, by path and by fd. */
import { Errno } from "../../ffi/abi/errno.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD } from "../../ffi/abi/stat.ts";
import { readlink } from "../../ffi/file.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { look, type PathArguments, type Subjects, whyNoFile } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { type EmulatedFd, type EmulatedFds, identityOf } from "./emulated_fds.ts";
import { idInside } from "./id_maps.ts";
import { isNextKernelFile } from "./next_kernel_files.ts";
import { statOfFd } from "./program_fds.ts";
import { mayUse } from "./kernel_file_nodes.ts";
import { lookOfLog } from "./kmsg_look.ts";
import { encodeStat, encodeStatfs, encodeStatx, type FileLook } from "./stat_structs.ts";

const AT_SYMLINK_NOFOLLOW = 0x100;
/** AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH; statx has AT_STATX_SYNC_TYPE besides, faccessat2 AT_EACCESS. */
const [STAT_FLAGS, STATX_SYNC_TYPE, ACCESS_FLAGS] = [0x1900, 0x6000, 0x1300];
const STATX_MNT_ID_UNIQUE = 0x4000n;
const STATX_RESERVED = 0x8000_0000n;
const AT_EACCESS = 0x200;

export class LookCalls {
  constructor(
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly subjects: Subjects,
  ) {}

  readonly handlers: Handlers<
    | ("stat" | "lstat" | "newfstatat" | "statx" | "access" | "faccessat" | "faccessat2")
    | ("readlink" | "readlinkat" | "statfs" | "fstat" | "fstatfs")
  > = {
    stat: (call) => this.#stat(call, AT_FDCWD, call.args[0], 0, call.args[1]),
    lstat: (call) => this.#stat(call, AT_FDCWD, call.args[0], AT_SYMLINK_NOFOLLOW, call.args[1]),
    newfstatat: (call) => this.#stat(call, int(call.args[0]), call.args[1], int(call.args[3]), call.args[2]),
    statx: (call) => this.#statx(call),
    access: (call) => this.#access(call, AT_FDCWD, call.args[0], int(call.args[1]), 0),
    faccessat: (call) => this.#access(call, int(call.args[0]), call.args[1], int(call.args[2]), 0),
    faccessat2: ({ args, ...call }) =>
      this.#access({ args, ...call }, int(args[0]), args[1], int(args[2]), int(args[3])),
    readlink: (call) => this.#readlink(call, AT_FDCWD, call.args[0], call.args[1], int(call.args[2])),
    readlinkat: (call) =>
      this.#readlink(call, int(call.args[0]), call.args[1], call.args[2], int(call.args[3])),
    statfs: (call) => this.#statfs(call, { dirfd: AT_FDCWD, path: call.args[0], follow: true }),
    fstat: (call) => this.#fstat(call),
    fstatfs: (call) => this.#statfs(call, undefined),
  };

  #stat(call: Notification, dirfd: number, path: bigint, flags: number, into: bigint): CallAnswer {
    if (flags & ~STAT_FLAGS) return undefined;
    return this.#answer(
      call,
      { dirfd, path, flags, follow: !(flags & AT_SYMLINK_NOFOLLOW), nullable: true },
      into,
      encodeStat,
    );
  }

  #statx(call: Notification): CallAnswer {
    const [dirfd, path, raw, mask, into] = call.args;
    const flags = int(raw);
    // The host's kernel refuses these.
    const both = (flags & STATX_SYNC_TYPE) === STATX_SYNC_TYPE;
    if (both || mask & STATX_RESERVED) return undefined;
    // fs/stat.c: of an fd, by an empty path, the kernel looks at no other flag.
    const empty = (flags & AT_EMPTY_PATH) !== 0 && (path === 0n || this.program.path(call.tid, path) === "");
    if (!empty && flags & ~(STAT_FLAGS | STATX_SYNC_TYPE)) return undefined;
    const named = { dirfd: int(dirfd), path, flags, follow: !(flags & AT_SYMLINK_NOFOLLOW), nullable: true };
    const unique = (mask & STATX_MNT_ID_UNIQUE) !== 0n;
    return this.#answer(call, named, into, (look) => encodeStatx(look, int(mask)), unique);
  }

  #answer(
    call: Notification,
    named: PathArguments,
    into: bigint,
    encode: (look: FileLook) => Uint8Array,
    unique = false,
  ): CallAnswer {
    const { subject, file } = this.subjects.find(call, named);
    const missing = whyNoFile(subject, () => this.program.credentials(call.tid));
    if (missing !== undefined) return -missing;
    const looks = subject ? look(subject, unique) : lookOfLog(file);
    return looks && this.program.write(call.tid, into, encode(this.#shown(call.tid, looks)));
  }

  #fstat({ tid, args: [fd, into] }: Notification): CallAnswer {
    const subject = this.subjects.byFd(tid, int(fd));
    const looks = subject && look(subject);
    return looks && this.program.write(tid, into, encodeStat(this.#shown(tid, looks)));
  }

  /** The owners as the program's user namespace numbers them. */
  #shown(tid: number, looks: FileLook): FileLook {
    if (!this.program.isForeign(tid)) return looks;
    return { ...looks, uid: idInside(tid, "uid_map", looks.uid), gid: idInside(tid, "gid_map", looks.gid) };
  }

  #access(call: Notification, dirfd: number, path: bigint, mode: number, flags: number): CallAnswer {
    if (mode & ~7 || flags & ~ACCESS_FLAGS) return undefined;
    const named = { dirfd, path, flags: flags & AT_EMPTY_PATH, follow: !(flags & AT_SYMLINK_NOFOLLOW) };
    const { subject, file } = this.subjects.find(call, named);
    const log = lookOfLog(file);
    if (subject === undefined && log === undefined) return undefined;
    const credentials = this.program.credentials(call.tid);
    const missing = whyNoFile(subject, () => credentials);
    if (missing !== undefined) return -missing;
    const real = !(flags & AT_EACCESS);
    if (subject?.is === "kernel" && subject.file !== undefined) {
      return mayUse(subject.file, mode, credentials, real) ? 0 : -Errno.EACCES;
    }
    const looks = log ?? (subject && look(subject));
    if (looks === undefined) return undefined;
    return credentials.may(looks, mode, real) ? 0 : -Errno.EACCES;
  }

  #statfs(call: Notification, named: PathArguments | undefined): CallAnswer {
    const subject = named === undefined
      ? this.subjects.byFd(call.tid, int(call.args[0]))
      : this.subjects.byPath(call, named);
    if (subject === undefined) return undefined;
    // Left to the host, the call would find the device of a host that has one.
    const missing = whyNoFile(subject, () => this.program.credentials(call.tid));
    if (missing !== undefined) return -missing;
    if (subject.is === "absent" || subject.is === "below") return undefined;
    const system = subject.is === "kernel" ? subject.file?.system : subject.is;
    return system && this.program.write(call.tid, call.args[1], encodeStatfs(system));
  }

  /** The link text that Linux gives for the file in /proc/PID/fd/N. */
  #readlink(call: Notification, dirfd: number, address: bigint, into: bigint, size: number): CallAnswer {
    const path = this.program.path(call.tid, address);
    if (typeof path === "number" || size <= 0) return undefined;
    const place = this.subjects.paths.find(call.tid, dirfd, path, { follow: false });
    if (place?.is === "below") return -Errno.ENOTDIR;
    if (place?.is === "entry") return place.entry.node && -Errno.EINVAL;
    const subject = place?.is === "file" ? this.subjects.at(place) : undefined;
    const missing = whyNoFile(subject, () => this.program.credentials(call.tid));
    if (missing !== undefined) return -missing;
    if (subject?.is === "kernel" && subject.file?.link === undefined) return -Errno.EINVAL;
    const text = subject?.is === "kernel" && subject.file?.link !== undefined
      ? encodeOsText(subject.file.link)
      : place?.is === "fd"
      ? this.#linkText(place.pid, place.fd)
      : undefined;
    const bytes = text?.subarray(0, size);
    if (bytes === undefined) return undefined;
    const written = this.program.write(call.tid, into, bytes);
    return written < 0 ? written : bytes.length;
  }

  #linkText(pid: number, fd: number): Uint8Array | undefined {
    const object = this.objects.find(pid, fd);
    if (object !== undefined) return objectText(object);
    const found = statOfFd(pid, fd);
    const content = this.objects.contentPath(pid, fd);
    if (content !== undefined) return encodeOsText(content);
    if (isNextKernelFile({ pid, fd })) return encodeOsText(String(readlink(`/proc/self/fd/${fd}`)));
    const nameless = typeof found !== "number" && this.objects.nameless.has(identityOf(found));
    return nameless ? encodeOsText("/ (deleted)") : undefined;
  }
}

function objectText({ entry, node, name }: EmulatedFd): Uint8Array | undefined {
  if (name !== undefined) return new Uint8Array([...encodeOsText("anon_inode:[luo_session] "), ...name]);
  if (entry === undefined) return undefined;
  const path = `${entry.directory}/${entry.name}`.replace(/^\/proc\/\d+\/root/, "");
  return encodeOsText(entry.node === node ? path : `${path} (deleted)`);
}
