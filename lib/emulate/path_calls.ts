/**
 * Trapped calls that name a file: they are served for the device, for emulated fds and for files that tell which
 * kernel runs.
 */
import { translateOpenFlags, X86_64 } from "../../ffi/abi/arch.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_CREAT, O_NOFOLLOW, O_TRUNC } from "../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { encodeUtsname } from "../../ffi/abi/stat.ts";
import { close, stat } from "../../ffi/file.ts";
import { ARCH } from "../../ffi/libc.ts";
import { uname } from "../../ffi/system.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { isKernelFile, openKernelFile } from "./kernel_files.ts";
import type { Ioctls } from "./ioctls.ts";
import { type EmulatedFds, identityOf } from "./emulated_fds.ts";
import { KnownPaths } from "./device_paths.ts";
import type { PreservedFileCalls } from "./preserved_file_calls.ts";
import type { CallingProgram } from "./calling_program.ts";
import { type CallAnswer, int } from "./call_answer.ts";
import { DEVICE, type FileLook, SESSION } from "./stat_structs.ts";

const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const X_OK = 1;
const OPEN_HOW_SIZE = 24;
const VALID_OPEN_FLAGS = 0o37777703n;
const TMPFILE = 0o20000000;
const [RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH] = [2, 4, 8];

export class PathCalls {
  readonly #paths = new KnownPaths();

  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly ioctls: Ioctls,
    readonly preserved: PreservedFileCalls,
  ) {}

  /** symlink, rename: paths can name other files now. */
  changed(): undefined {
    this.#paths.changed();
  }

  chroot(): undefined {
    this.#paths.rooted_elsewhere();
  }

  /** `native`: open flags in the numbers of this architecture. */
  open(call: Notification, dirfd: number, address: bigint, native: number): CallAnswer {
    const flags = translateOpenFlags(native, ARCH, X86_64);
    const path = this.program.path(call.tid, address);
    if (typeof path === "number") return undefined;
    if (isKernelFile(path)) return this.#open_kernel_file(call, path, flags);
    const where = this.#paths.where(call.tid, dirfd, path, (flags & O_NOFOLLOW) === 0);
    if (where === undefined) return undefined;
    if (where.is === "below") return flags & O_CREAT && path.endsWith("/") ? -Errno.EISDIR : -Errno.ENOTDIR;
    if (where.is === "fd") return this.#reopen(call, where.fd, flags);
    return this.#open_device(call, flags);
  }

  #open_kernel_file(call: Notification, path: string, flags: number): Ret {
    const fd = openKernelFile(this.sys, path, flags);
    if (fd < 0) return fd;
    const given = this.program.give(call, fd, (flags & O_CLOEXEC) !== 0);
    close(fd);
    return given;
  }

  /** The host's answer with the model's release and version. */
  uname(tid: number, address: bigint): Ret {
    const { release, version } = this.sys.uname();
    return this.program.write(tid, address, encodeUtsname({ ...uname(), release, version }));
  }

  #open_device(call: Notification, flags: number): Ret {
    if (!this.program.has_room(call.tid)) return -Errno.EMFILE;
    const model_fd = this.sys.open(LIVEUPDATE_DEVICE, flags & ~O_CLOEXEC);
    if (model_fd < 0) return model_fd;
    return this.ioctls.give_object(call, "device", model_fd, (flags & O_CLOEXEC) !== 0);
  }

  /**
   * Opens a file through /proc/self/fd. A session gives ENXIO: the host answers so for the socket. O_TRUNC must not
   * cut a preserved file.
   */
  #reopen(call: Notification, fd: number, flags: number): CallAnswer {
    if (this.objects.find(call.tid, fd)?.kind === "device") return this.#open_device(call, flags);
    if (!(flags & O_TRUNC)) return undefined;
    const answer = this.preserved.ask(call.tid, fd, (model_fd) => this.sys.ftruncate(model_fd, 0n));
    return answer !== undefined && answer < 0 ? answer : undefined;
  }

  /** struct open_how: u64 flags, mode, resolve. */
  openat2(call: Notification): CallAnswer {
    const [dirfd, path, how, size] = call.args;
    const bytes = this.program.bytes(call.tid, how, OPEN_HOW_SIZE);
    // The host's kernel refuses malformed arguments.
    if (typeof bytes === "number" || bytes.length < OPEN_HOW_SIZE || size !== BigInt(OPEN_HOW_SIZE)) {
      return undefined;
    }
    const [flags = 0n, mode = 0n, resolve = 0n] = new BigUint64Array(bytes.buffer);
    const creates = (flags & BigInt(O_CREAT | TMPFILE)) !== 0n;
    if (flags & ~VALID_OPEN_FLAGS || (mode !== 0n && !creates)) return undefined;
    const known = BigInt(RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH);
    const name = this.program.path(call.tid, path);
    const leaves = typeof name === "number" || name.startsWith("/") || name.includes("..");
    const by_link = typeof name === "string" && name.startsWith("/proc/");
    // RESOLVE_BENEATH and unknown flags are decided by the host's kernel.
    if (resolve & ~known || (resolve & BigInt(RESOLVE_BENEATH) && leaves)) return undefined;
    const plain = (resolve & ~BigInt(RESOLVE_NO_MAGICLINKS)) === 0n;
    if (!plain && by_link) return undefined;
    if (!plain) return this.open(call, int(dirfd), path, int(flags) | ARCH.O_NOFOLLOW);
    return this.open(call, int(dirfd), path, int(flags));
  }

  stat(
    tid: number,
    dirfd: number,
    address: bigint,
    flags: number,
    into: bigint,
    encode: (look: FileLook) => Uint8Array,
  ): CallAnswer {
    const path = this.program.path(tid, address);
    if (typeof path === "number") return undefined;
    const kind = path === "" && flags & AT_EMPTY_PATH
      ? this.objects.find(tid, dirfd)?.kind
      : this.#paths.where(tid, dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) === 0)?.is;
    if (kind === "below") return -Errno.ENOTDIR;
    if (kind !== "device" && kind !== "session") return undefined;
    return this.program.write(tid, into, encode(kind === "device" ? DEVICE : SESSION));
  }

  /** readlink(2) of /proc/self/fd/N: the model's link text for an emulated fd. */
  readlink(tid: number, dirfd: number, address: bigint, into: bigint, size: bigint): CallAnswer {
    const path = this.program.path(tid, address);
    const where = typeof path === "number" ? undefined : this.#paths.where(tid, dirfd, path, false);
    if (where?.is === "below") return -Errno.ENOTDIR;
    if (where?.is === "device") return -Errno.EINVAL;
    const text = where?.is === "fd" ? this.#link(tid, where.fd) : undefined;
    if (typeof text !== "string") return text;
    const bytes = new TextEncoder().encode(text).subarray(0, Math.max(0, int(size)));
    const written = this.program.write(tid, into, bytes);
    return written < 0 ? written : bytes.length;
  }

  #link(tid: number, fd: number): string | CallAnswer {
    const object = this.objects.find(tid, fd);
    if (object !== undefined) return this.sys.readlink(`/proc/self/fd/${object.model_fd}`);
    const found = stat(`/proc/${tid}/fd/${fd}`);
    return typeof found !== "number" && this.objects.nameless.has(identityOf(found))
      ? "/ (deleted)"
      : undefined;
  }

  access(tid: number, dirfd: number, address: bigint, mode: number): CallAnswer {
    const path = this.program.path(tid, address);
    if (typeof path === "number") return undefined;
    const where = this.#paths.where(tid, dirfd, path);
    if (where?.is === "below") return -Errno.ENOTDIR;
    if (where?.is !== "device") return undefined;
    return mode & X_OK ? -Errno.EACCES : 0;
  }
}
