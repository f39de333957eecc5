/** Calls on the device and session fds themselves: ioctl, fcntl, reading, mapping. The host would answer for the memfd. */
import { translateOpenFlags, X86_64 } from "../../ffi/abi/arch.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_ADD_SEALS,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_GETFD,
  F_GETFL,
  F_RDLCK,
  F_SETFD,
  F_SETFL,
  F_SETLEASE,
  F_UNLCK,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  O_ACCMODE,
  O_RDONLY,
  O_WRONLY,
  PROT_WRITE,
} from "../../ffi/abi/fcntl.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { ARCH } from "../../ffi/libc.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { type CallAnswer, type Handlers, int, long } from "./call_answer.ts";
import type { ContentCalls } from "./content_calls.ts";
import { CAP_LEASE } from "./credentials.ts";
import type { EmulatedFd, EmulatedFds } from "./emulated_fds.ts";
import { fileSystemIoctl } from "./file_system_ioctls.ts";
import type { Ioctls } from "./ioctls.ts";
import type { PreservedFiles } from "./preserved_files.ts";
import { reserve } from "./reservation_ioctls.ts";

/** _IOC_TYPE, and that of /dev/userfaultfd (linux/userfaultfd.h: USERFAULTFD_IOC). */
const [TYPE, USERFAULTFD_TYPE] = [0xff00, 0xaa00];
/** FIOCLEX, FIONCLEX, FIONBIO: ioctls about the fd, whatever file it refers to. */
const FD_REQUESTS = new Set([0x5451, 0x5450, 0x5421]);

/** The commands about the number, whatever the fd refers to: F_DUPFD_QUERY and F_CREATED_QUERY besides those with a name here. */
const OF_NUMBER = new Set([F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, 1027, 1028]);
/** linux/fcntl.h; struct delegation: u32 flags, u16 type, u16. */
const [F_GETDELEG, F_SETDELEG, DELEGATION_SIZE] = [1039, 1040, 8];
const PAGE = BigInt(PAGE_SIZE);
/** linux/fs.h: all flags of sync_file_range(2). */
const SYNC_FILE_RANGE = 7;
/** asm-generic/mman-common.h, linux/mman.h: LEGACY_MAP_MASK. */
const [MAP_TYPE, MAP_SHARED_VALIDATE, MAP_FIXED, MAP_HUGETLB, MAP_LEGACY] = [
  0xf,
  3,
  0x10,
  0x40000,
  0x7c07_f9f3,
];
const MAP_FIXED_NOREPLACE = 0x100000;
const FIXED = MAP_FIXED | MAP_FIXED_NOREPLACE;
const END_OF_OFFSETS = 0xffff_ffff_ffff_ffffn;
const PROT_EXEC = 4;

export class ObjectCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly objects: EmulatedFds,
    readonly ioctls: Ioctls,
    readonly preserved: PreservedFiles,
    readonly contents: ContentCalls,
  ) {}

  readonly handlers: Handlers<
    | ("ioctl" | "fcntl" | "read" | "pread64" | "readv" | "preadv" | "preadv2" | "lseek" | "mmap")
    | ("fsync" | "fdatasync" | "sync_file_range" | "readahead")
  > = {
    ioctl: (call) => this.#ioctl(call),
    fcntl: (call) => this.#fcntl(call),
    read: (call) => this.#read(call, undefined) ?? this.contents.read(call, undefined),
    pread64: (call) => this.#read(call, long(call.args[3])) ?? this.contents.read(call, long(call.args[3])),
    readv: (call) => this.#readVector(call, undefined),
    preadv: (call) => this.#readVector(call, long(call.args[3])),
    preadv2: (call) => this.#readVector(call, long(call.args[3]) === -1n ? undefined : long(call.args[3])),
    lseek: (call) => {
      const { tid, args: [fd, offset, whence] } = call;
      const object = this.objects.find(tid, int(fd));
      if (object === undefined) return this.contents.lseek(call);
      return Number(this.sys.lseek(object.model_fd, long(offset), int(whence)));
    },
    mmap: (call) => this.#mmap(call),
    // Neither the device nor a session has an operation for these, and neither is a regular file.
    fsync: (call) => this.#refuse(call, Errno.EINVAL) ?? this.contents.fsync(call),
    fdatasync: (call) => this.#refuse(call, Errno.EINVAL) ?? this.contents.fsync(call),
    readahead: (call) => this.#refuse(call, Errno.EINVAL),
    sync_file_range: (call) => this.#sync_file_range(call),
  };

  /** fs/sync.c: sync_file_range() */
  #sync_file_range(call: Notification): CallAnswer {
    const [offset, length, flags] = [long(call.args[1]), long(call.args[2]), int(call.args[3])];
    const end = BigInt.asIntN(64, offset + length);
    const wrong = flags & ~SYNC_FILE_RANGE || offset < 0n || end < 0n || end < offset;
    return this.#refuse(call, wrong ? Errno.EINVAL : Errno.ESPIPE);
  }

  #refuse({ tid, args: [fd] }: Notification, errno: number): CallAnswer {
    const object = this.objects.find(tid, int(fd));
    return object && (object.path_only ? -Errno.EBADF : -errno);
  }

  /** The model answers. The host also runs the ioctls that change the fd itself. */
  #ioctl(call: Notification): CallAnswer {
    // The open of the device is not trapped when it only reads.
    if ((int(call.args[1]) & TYPE) === USERFAULTFD_TYPE) this.ioctls.program.fillsMemory(call.tid);
    const object = this.objects.find(call.tid, int(call.args[0]));
    if (object === undefined) return this.contents.ioctl(call) ?? reserve(call, this.preserved);
    if (object.path_only) return -Errno.EBADF;
    if (this.#isReopened(call, object)) return -Errno.ENOTTY;
    const known = fileSystemIoctl(call, object, this.ioctls.program, this.objects);
    if (known !== undefined) return known;
    const answer = this.ioctls.serve(call, object);
    // The model runs FIONBIO as well: F_GETFL returns the model's flags.
    return FD_REQUESTS.has(Number(call.args[1] & 0xffff_ffffn)) ? undefined : answer;
  }

  /** An open of a session's /proc/PID/fd/N that only reads reaches luo from a watched process only (tripwires.ts). Linux has no such fd. */
  #isReopened({ tid, args: [fd] }: Notification, { kind }: EmulatedFd): boolean {
    const { program } = this.ioctls;
    if (kind !== "session" || !program.watch.tripwires) return false;
    const flags = program.description(tid, int(fd))?.flags;
    return flags !== undefined && (flags & O_ACCMODE) === O_RDONLY;
  }

  #fcntl(call: Notification): CallAnswer {
    const { tid, args: [fd, raw, argument] } = call;
    const command = int(raw);
    if (OF_NUMBER.has(command)) return undefined;
    const object = this.objects.find(tid, int(fd));
    if (object?.path_only) return this.#fcntlPath(object, command);
    const ofContent = object === undefined ? this.contents.fcntl(call, command) : undefined;
    if (ofContent !== undefined) return ofContent;
    if (command === F_ADD_SEALS) {
      if (object !== undefined) return this.sys.fcntl(object.model_fd, command, int(argument));
      return this.preserved.ask(tid, int(fd), (copy) => this.sys.fcntl(copy, F_ADD_SEALS, int(argument)));
    }
    if (command === F_GETDELEG || command === F_SETDELEG) return object && this.#delegation(call, command);
    if (![F_GETFL, F_SETFL, F_GET_SEALS, F_SETLEASE].includes(command)) return undefined;
    if (command === F_SETLEASE) return object && -this.#whyNoLease(tid, object, int(argument));
    // Only a memfd can do direct transfers.
    if (command === F_SETFL && int(argument) & ARCH.O_DIRECT) return object && -Errno.EINVAL;
    if (command === F_GETFL) return object && this.#flags(object);
    const value = command === F_SETFL ? translateOpenFlags(int(argument), ARCH, X86_64) : int(argument);
    const answer = object && this.sys.fcntl(object.model_fd, command, value);
    // F_SETFL runs on the host as well, for those who look at the fd in /proc.
    return command === F_SETFL ? undefined : answer;
  }

  /** fs/locks.c: fcntl_setlease(), vfs_setlease(). */
  #whyNoLease(tid: number, { node }: EmulatedFd, type: number): number {
    const credentials = this.ioctls.program.credentials(tid);
    const owns = credentials.uid === (node?.uid ?? 0) || credentials.has(CAP_LEASE);
    return owns || type < F_RDLCK || type > F_UNLCK ? Errno.EINVAL : Errno.EACCES;
  }

  /** fs/fcntl.c, fs/locks.c: fcntl_getdeleg(), fcntl_setdeleg(). Only a regular file or a directory has delegations. */
  #delegation({ tid, args: [, , address] }: Notification, command: number): Ret {
    const { program } = this.ioctls;
    const bytes = program.bytes(tid, address, DELEGATION_SIZE);
    if (typeof bytes === "number" || bytes.length < DELEGATION_SIZE) return -Errno.EFAULT;
    if (command === F_SETDELEG || bytes.some((byte, at) => byte !== 0 && at !== 4 && at !== 5)) {
      return -Errno.EINVAL;
    }
    bytes[4] = F_UNLCK;
    return program.write(tid, address, bytes);
  }

  /** fs/fcntl.c: check_fcntl_cmd(). */
  #fcntlPath(object: EmulatedFd, command: number): Ret {
    return command === F_GETFL ? this.#flags(object) : -Errno.EBADF;
  }

  /** In the numbers of this architecture. */
  #flags({ model_fd }: EmulatedFd): Ret {
    const flags = this.sys.fcntl(model_fd, F_GETFL);
    return flags < 0 ? flags : translateOpenFlags(flags, X86_64, ARCH);
  }

  #readVector(call: Notification, offset: bigint | undefined): CallAnswer {
    return this.#read(call, offset) ?? this.contents.readVector(call);
  }

  #read({ tid, args: [fd] }: Notification, offset: bigint | undefined): CallAnswer {
    const object = this.objects.find(tid, int(fd));
    if (object === undefined) return undefined;
    if (offset !== undefined && offset < 0n) return -Errno.EINVAL;
    const byte = new Uint8Array(1);
    return offset === undefined
      ? this.sys.read(object.model_fd, byte)
      : this.sys.pread(object.model_fd, byte, offset);
  }

  /** mm/mmap.c: ksys_mmap_pgoff(), do_mmap(). Neither the device nor a session can be mapped: ENODEV, when all else is right. */
  #mmap(call: Notification): CallAnswer {
    const { tid, args } = call;
    const [address, length, protection, raw, fd, offset] = args;
    const flags = int(raw);
    // Of a part of a page as the offset the host's kernel says EINVAL.
    if (flags & MAP_ANONYMOUS || offset % PAGE !== 0n) return undefined;
    const object = this.objects.find(tid, int(fd));
    if (object === undefined) return this.contents.mmap(call);
    if (object.path_only) return -Errno.EBADF;
    if (flags & MAP_HUGETLB || length === 0n) return -Errno.EINVAL;
    if (length > ARCH.TASK_SIZE_MAX) return -Errno.ENOMEM;
    if (flags & FIXED && address % PAGE !== 0n) return -Errno.EINVAL;
    if (flags & FIXED && address > ARCH.TASK_SIZE_MAX - length) return -Errno.ENOMEM;
    const taken = () => this.ioctls.program.mappings(tid, address, address + length).length > 0;
    if (flags & MAP_FIXED_NOREPLACE && taken()) return -Errno.EEXIST;
    // mm/mmap.c: file_mmap_ok()
    const pages = (length + PAGE - 1n) / PAGE;
    if (BigInt.asUintN(64, offset) / PAGE > (END_OF_OFFSETS - pages * PAGE) / PAGE) return -Errno.EOVERFLOW;
    return -this.#whyNotMapped(object, int(protection), flags);
  }

  #whyNotMapped(object: EmulatedFd, protection: number, flags: number): number {
    const mode = this.sys.fcntl(object.model_fd, F_GETFL) & O_ACCMODE;
    const type = flags & MAP_TYPE;
    if (type === MAP_SHARED_VALIDATE && flags & ~MAP_LEGACY) return Errno.EOPNOTSUPP;
    if (type === MAP_SHARED || type === MAP_SHARED_VALIDATE) {
      if (protection & PROT_WRITE && mode === O_RDONLY) return Errno.EACCES;
    } else if (type !== MAP_PRIVATE) return Errno.EINVAL;
    if (mode === O_WRONLY) return Errno.EACCES;
    // Nothing can be executed in the file system of anonymous inodes.
    return protection & PROT_EXEC && object.kind === "session" ? Errno.EPERM : Errno.ENODEV;
  }
}
