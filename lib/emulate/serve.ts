import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_ADD_SEALS,
  F_GETFL,
  F_SETFL,
  MAP_ANONYMOUS,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_TRUNC,
  SEEK_CUR,
  SEEK_SET,
} from "../../ffi/abi/fcntl.ts";
import { LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { encodeUtsname } from "../../ffi/abi/stat.ts";
import { close, lseek, pread, stat } from "../../ffi/file.ts";
import { uname } from "../../ffi/system.ts";
import type { Kernel, Ret } from "../kernel.ts";
import { ARCHITECTURE, type Call } from "./calls.ts";
import { factFile, isFact } from "./facts.ts";
import { Ioctls } from "./ioctls.ts";
import { identityOf, type Objects } from "./objects.ts";
import { KnownPaths } from "./paths.ts";
import type { Program } from "./program.ts";
import { DEVICE, encodeStat, encodeStatx, SESSION } from "./stats.ts";

/** What becomes of a call: its answer, undefined for what the host's kernel is to do. */
export type Served = Ret | undefined;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const X_OK = 1;
const PIPE_SIZE = 65536;
const OPEN_HOW_SIZE = 24;
const [RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH] = [2, 4, 8];
const COMMAND_LINE_MAX = 1 << 16;
/** FIOCLEX, FIONCLEX, FIONBIO */
const OF_THE_FD = new Set([0x5451, 0x5450, 0x5421]);
const MAGIC = 0xfee1dead;
/** LINUX_REBOOT_MAGIC2 and its three children. */
const MAGIC2 = [672274793, 85072278, 369367448, 537993216];

/** What the server asks of the machine, besides its kernel. */
export interface ServedMachine {
  readonly kernel: Kernel;
  /** Whether this inode of the host is preserved. */
  frozen(identity: string): boolean;
}

/** The trapped calls of one boot. */
export class Server {
  readonly #ioctls: Ioctls;
  readonly #kernel: Kernel;
  readonly #paths = new KnownPaths();

  constructor(readonly machine: ServedMachine, readonly program: Program, readonly objects: Objects) {
    this.#kernel = machine.kernel;
    this.#ioctls = new Ioctls(machine.kernel, program, objects);
  }

  /** @throws ProcessKilled the call was the kexec: nobody waits for an answer */
  serve(name: Call, call: Notification): Served {
    const { tid, args: [a, b, c, d] } = call;
    switch (name) {
      case "open":
        return this.#open(call, AT_FDCWD, a, int(b));
      case "openat":
        return this.#open(call, int(a), b, int(c));
      case "openat2":
        return this.#openat2(call);
      case "stat":
      case "lstat":
        return this.#stat(tid, AT_FDCWD, a, name === "lstat" ? AT_SYMLINK_NOFOLLOW : 0, b, encodeStat);
      case "newfstatat":
        return this.#stat(tid, int(a), b, int(d), c, encodeStat);
      case "statx":
        return this.#stat(tid, int(a), b, int(c), call.args[4], encodeStatx);
      case "access":
        return this.#access(tid, AT_FDCWD, a, int(b));
      case "faccessat":
      case "faccessat2":
        return this.#access(tid, int(a), b, int(c));
      case "ioctl":
        return this.#ioctl(call);
      case "readlink":
        return this.#readlink(tid, AT_FDCWD, a, b, c);
      case "readlinkat":
        return this.#readlink(tid, int(a), b, c, d);
      case "read":
      case "pread64":
      case "lseek":
      case "mmap":
      case "fstat":
        return this.#of_object(name, call);
      case "fcntl":
        return this.#fcntl(call);
      case "ftruncate":
        return this.#of_object(name, call) ??
          this.#frozen(tid, int(a), (fd) => this.#kernel.ftruncate(fd, BigInt.asIntN(64, b)));
      case "fallocate":
        return this.#frozen(tid, int(a), (fd) => this.#kernel.fallocate(fd, int(b), long(c), long(d)));
      case "write":
        return this.#of_object(name, call) ??
          this.#frozen(tid, int(a), (fd) => this.#write(tid, fd, b, c, undefined));
      case "pwrite64":
        return this.#frozen(tid, int(a), (fd) => this.#write(tid, fd, b, c, long(d)));
      case "writev":
      case "pwritev":
      case "pwritev2":
        return this.#frozen(tid, int(a), (fd) => this.#writev(tid, fd, b, int(c), name, d));
      case "sendfile":
        return this.#frozen(tid, int(a), (fd) => this.#sendfile(call, fd));
      case "madvise":
        return this.#madvise(tid, a, b);
      case "symlink":
      case "symlinkat":
      case "rename":
      case "renameat":
      case "renameat2":
        this.#paths.changed();
        return undefined;
      case "chroot":
        this.#paths.rooted_elsewhere();
        return undefined;
      case "uname":
        return this.#uname(tid, a);
      case "kexec_file_load":
        return this.#kexec_file_load(call);
      case "reboot":
        return this.#reboot(call);
    }
  }

  #open(call: Notification, dirfd: number, address: bigint, flags: number): Served {
    const path = this.program.path(call.tid, address);
    if (typeof path === "number") return undefined;
    if (isFact(path)) return this.#open_fact(call, path, flags);
    const where = this.#paths.where(call.tid, dirfd, path, (flags & O_NOFOLLOW) === 0);
    if (where === undefined) return undefined;
    if (where.is === "behind") return -Errno.ENOTDIR;
    if (where.is === "fd") return this.#reopen(call, where.fd, flags);
    return this.#open_device(call, flags);
  }

  #open_fact(call: Notification, path: string, flags: number): Ret {
    const fd = factFile(this.#kernel, path, flags);
    if (fd < 0) return fd;
    const given = this.program.give(call, fd, (flags & O_CLOEXEC) !== 0);
    close(fd);
    return given;
  }

  /** The host's, but for the release and the build. */
  #uname(tid: number, address: bigint): Ret {
    const { release, version } = this.#kernel.uname();
    return this.program.write(tid, address, encodeUtsname({ ...uname(), release, version }));
  }

  #open_device(call: Notification, flags: number): Ret {
    if (!this.program.has_room(call.tid)) return -Errno.EMFILE;
    const model_fd = this.#kernel.open(LIVEUPDATE_DEVICE, flags & ~O_CLOEXEC);
    if (model_fd < 0) return model_fd;
    return this.#ioctls.give_object(call, "device", model_fd, (flags & O_CLOEXEC) !== 0);
  }

  /** A session is ENXIO, as the host says of the socket that it is; O_TRUNC must not cut what is preserved. */
  #reopen(call: Notification, fd: number, flags: number): Served {
    if (this.objects.find(call.tid, fd)?.kind === "device") return this.#open_device(call, flags);
    if (!(flags & O_TRUNC)) return undefined;
    const answer = this.#frozen(call.tid, fd, (model_fd) => this.#kernel.ftruncate(model_fd, 0n));
    return answer !== undefined && answer < 0 ? answer : undefined;
  }

  /** struct open_how: u64 flags, mode, resolve. */
  #openat2(call: Notification): Served {
    const [dirfd, path, how, size] = call.args;
    const bytes = this.program.bytes(call.tid, how, OPEN_HOW_SIZE);
    // What is malformed the host's kernel refuses as well.
    if (typeof bytes === "number" || bytes.length < OPEN_HOW_SIZE || size !== BigInt(OPEN_HOW_SIZE)) {
      return undefined;
    }
    const [flags = 0n, , resolve = 0n] = new BigUint64Array(bytes.buffer);
    const known = BigInt(RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH);
    const name = this.program.path(call.tid, path);
    const leaves = typeof name === "number" || name.startsWith("/") || name.includes("..");
    const by_link = typeof name === "string" && name.startsWith("/proc/");
    // Refused for where it goes: the host's kernel does that.
    if (resolve & ~known || (resolve & BigInt(RESOLVE_BENEATH) && leaves)) return undefined;
    const plain = (resolve & ~BigInt(RESOLVE_NO_MAGICLINKS)) === 0n;
    if (!plain && by_link) return undefined;
    if (!plain) return this.#open(call, int(dirfd), path, int(flags) | O_NOFOLLOW);
    return this.#open(call, int(dirfd), path, int(flags));
  }

  #stat(
    tid: number,
    dirfd: number,
    address: bigint,
    flags: number,
    into: bigint,
    encode: (looks: typeof DEVICE) => Uint8Array,
  ): Served {
    const path = this.program.path(tid, address);
    if (typeof path === "number") return undefined;
    const kind = path === "" && flags & AT_EMPTY_PATH
      ? this.objects.find(tid, dirfd)?.kind
      : this.#paths.where(tid, dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) === 0)?.is;
    if (kind === "behind") return -Errno.ENOTDIR;
    if (kind !== "device" && kind !== "session") return undefined;
    return this.program.write(tid, into, encode(kind === "device" ? DEVICE : SESSION));
  }

  #fcntl({ tid, args: [fd, command, argument] }: Notification): Served {
    if (int(command) === F_ADD_SEALS) {
      return this.#frozen(tid, int(fd), (adopted) => this.#kernel.fcntl(adopted, F_ADD_SEALS, int(argument)));
    }
    if (int(command) !== F_GETFL && int(command) !== F_SETFL) return undefined;
    const object = this.objects.find(tid, int(fd));
    const answer = object && this.#kernel.fcntl(object.model_fd, int(command), int(argument));
    // Set in both places: a socket's reads would wait otherwise.
    return int(command) === F_GETFL ? answer : undefined;
  }

  /** What only the model's files are asked; the host's own answer for the ioctls that are about the fd. */
  #ioctl(call: Notification): Served {
    const object = this.objects.find(call.tid, int(call.args[0]));
    if (object === undefined) return undefined;
    const answer = this.#ioctls.serve(call, object);
    // Set in both places: the model's flags are what F_GETFL tells.
    return OF_THE_FD.has(Number(call.args[1] & 0xffff_ffffn)) ? undefined : answer;
  }

  /** Calls that a device or a session has no answer to but an error: the socket that it is would have one. */
  #of_object(name: Call, { tid, args: [a, b, c, d, e] }: Notification): Served {
    const object = this.objects.find(tid, int(name === "mmap" ? e : a));
    if (object === undefined || (name === "mmap" && int(d) & MAP_ANONYMOUS)) return undefined;
    const fd = object.model_fd;
    const nothing = new Uint8Array(1);
    switch (name) {
      case "read":
        return this.#kernel.read(fd, nothing);
      case "pread64":
        return this.#kernel.pread(fd, nothing, 0n);
      case "write":
        return this.#kernel.write(fd, nothing);
      case "lseek":
        return Number(this.#kernel.lseek(fd, long(b), int(c)));
      case "ftruncate":
        return this.#kernel.ftruncate(fd, long(b));
      case "mmap":
        return -Errno.ENODEV;
      case "fstat":
        return this.program.write(tid, b, encodeStat(object.kind === "device" ? DEVICE : SESSION));
    }
  }

  /** readlink(2) of /proc/self/fd/N of an emulated fd: the model's name for it. */
  #readlink(tid: number, dirfd: number, address: bigint, into: bigint, size: bigint): Served {
    const path = this.program.path(tid, address);
    const where = typeof path === "number" ? undefined : this.#paths.where(tid, dirfd, path, false);
    if (where?.is === "behind") return -Errno.ENOTDIR;
    if (where?.is === "device") return -Errno.EINVAL;
    const text = where?.is === "fd" ? this.#link(tid, where.fd) : undefined;
    if (typeof text !== "string") return text;
    const bytes = new TextEncoder().encode(text).subarray(0, Math.max(0, int(size)));
    const written = this.program.write(tid, into, bytes);
    return written < 0 ? written : bytes.length;
  }

  #link(tid: number, fd: number): string | Served {
    const object = this.objects.find(tid, fd);
    if (object !== undefined) return this.#kernel.readlink(`/proc/self/fd/${object.model_fd}`);
    const found = stat(`/proc/${tid}/fd/${fd}`);
    return typeof found !== "number" && this.objects.nameless.has(identityOf(found))
      ? "/ (deleted)"
      : undefined;
  }

  #access(tid: number, dirfd: number, address: bigint, mode: number): Served {
    const path = this.program.path(tid, address);
    if (typeof path === "number") return undefined;
    const where = this.#paths.where(tid, dirfd, path);
    if (where?.is === "behind") return -Errno.ENOTDIR;
    if (where?.is !== "device") return undefined;
    return mode & X_OK ? -Errno.EACCES : 0;
  }

  /** What the model says of a preserved file; of any other the host's kernel decides. */
  #frozen(tid: number, fd: number, run: (model_fd: number) => Ret): Served {
    if (this.objects.empty || fd < 0) return undefined;
    const found = stat(`/proc/${tid}/fd/${fd}`);
    if (typeof found === "number" || !this.machine.frozen(`${found.dev}:${found.ino}`)) return undefined;
    const model_fd = this.#ioctls.adopt(tid, fd);
    if (model_fd < 0) return undefined;
    const answer = run(model_fd);
    this.#kernel.close(model_fd);
    return answer;
  }

  #write(tid: number, fd: number, address: bigint, count: bigint, offset: bigint | undefined): Ret {
    const bytes = this.program.bytes(tid, address, Number(count));
    if (typeof bytes === "number") return bytes;
    return offset === undefined ? this.#kernel.write(fd, bytes) : this.#kernel.pwrite(fd, bytes, offset);
  }

  #writev(tid: number, fd: number, vector: bigint, count: number, name: Call, offset: bigint): Ret {
    const bytes = this.program.gather(tid, vector, count);
    if (typeof bytes === "number") return bytes;
    // pwritev2 with offset -1 writes at the position.
    const at = name === "writev" || long(offset) === -1n ? undefined : long(offset);
    return at === undefined ? this.#kernel.write(fd, bytes) : this.#kernel.pwrite(fd, bytes, at);
  }

  /** sendfile(out, in, offset, count): through a pipe's worth at a time, each of which is written whole or not at all. */
  #sendfile({ tid, args: [, from, address, count] }: Notification, fd: number): Ret {
    const source = this.program.fd(tid, int(from));
    if (source < 0) return source;
    const given = address === 0n ? undefined : this.program.bytes(tid, address, 8);
    const start = given === undefined
      ? lseek(source, 0n, SEEK_CUR)
      : typeof given === "number"
      ? BigInt(given)
      : new BigInt64Array(given.buffer)[0] ?? 0n;
    let done = start < 0n ? Number(start) : 0;
    const piece = new Uint8Array(PIPE_SIZE);
    while (done >= 0 && BigInt(done) < count) {
      const wanted = count - BigInt(done) < PIPE_SIZE ? Number(count) - done : PIPE_SIZE;
      const got = pread(source, piece.subarray(0, wanted), start + BigInt(done));
      const written = got <= 0 ? got : this.#kernel.write(fd, piece.subarray(0, got));
      if (written <= 0 && done === 0) done = written;
      if (written <= 0) break;
      done += written;
      if (written < got) break;
    }
    if (done > 0) this.#advance(tid, address, source, start + BigInt(done));
    close(source);
    return done;
  }

  #advance(tid: number, address: bigint, source: number, to: bigint): void {
    if (address === 0n) lseek(source, to, SEEK_SET);
    else this.program.write(tid, address, new Uint8Array(new BigInt64Array([to]).buffer));
  }

  /** MADV_REMOVE of a preserved file's pages: EPERM, like the hole it is. */
  #madvise(tid: number, address: bigint, length: bigint): Served {
    if (this.objects.empty || length === 0n) return undefined;
    const file = this.program.mapped(tid, address);
    return file !== undefined && this.machine.frozen(file) ? -Errno.EPERM : undefined;
  }

  #kexec_file_load({ tid, args: [kernel, initrd, length, address, flags] }: Notification): Ret {
    const [kernel_fd, initrd_fd] = [
      this.#ioctls.adopt(tid, int(kernel)),
      this.#ioctls.adopt(tid, int(initrd)),
    ];
    const wanted = Number(length < COMMAND_LINE_MAX ? length : COMMAND_LINE_MAX);
    const bytes = this.program.bytes(tid, address, wanted);
    const line = typeof bytes === "number" ? null : { bytes, writable: true };
    const answer = this.#kernel.kexec_file_load(kernel_fd, initrd_fd, length, line, flags);
    for (const fd of [kernel_fd, initrd_fd]) if (fd >= 0) this.#kernel.close(fd);
    return answer;
  }

  #reboot({ args: [magic, magic2, command] }: Notification): Ret {
    const [one, two] = [Number(BigInt.asUintN(32, magic)), Number(BigInt.asUintN(32, magic2))];
    if (one !== MAGIC || !MAGIC2.includes(two)) return -Errno.EINVAL;
    const wanted = Number(BigInt.asUintN(32, command));
    return wanted === LINUX_REBOOT_CMD_KEXEC ? this.#kernel.reboot(LINUX_REBOOT_CMD_KEXEC) : -Errno.EPERM;
  }
}

const int = (value: bigint) => Number(BigInt.asIntN(32, value));
const long = (value: bigint) => BigInt.asIntN(64, value);

/** The calls' names by number. */
export const CALLS: ReadonlyMap<number, Call> = new Map(
  (Object.entries(ARCHITECTURE.calls) as [Call, { nr: number }][]).map(([name, { nr }]) => [nr, name]),
);
