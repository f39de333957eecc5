/** Calls on fds whose content luo gave: files of /proc and /sys. The host would answer for the memfd. */
import { translateOpenFlags, X86_64 } from "../../ffi/abi/arch.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_GETFL,
  O_ACCMODE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  SEEK_SET,
} from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { close, lseek } from "../../ffi/file.ts";
import { ARCH } from "../../ffi/libc.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { type CallAnswer, int, long } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import { TAKE_WRITES } from "./kernel_file_open.ts";
import { inModel, KMSG, readKernelFile } from "./kernel_files.ts";
import type { KmsgFiles } from "./kmsg_files.ts";

/** asm-generic/ioctls.h, linux/fs.h: FIOCLEX, FIONCLEX, FIONBIO, FIOASYNC, FIONREAD, FIOQSIZE, FIGETBSZ. */
const OF_EVERY_FILE = new Set([0x5451, 0x5450, 0x5421, 0x5452, 0x541b, 0x5460, 2]);
const SEEK_END = 2;
/** What F_GETFL tells of the flags of open(2): O_NOATIME, O_DSYNC, O_SYNC and O_ASYNC, in the numbers of x86-64. */
const KEPT = O_NOFOLLOW | 0o1000000 | 0o4010000 | 0o20000;
/** The most bytes of a write that matter: sysctl reads a page. */
const WRITE_MAX = 4096n;

export class ContentCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly kmsg: KmsgFiles,
  ) {}

  /** The memfd was opened with fewer flags than the program gave. */
  fcntl(call: Notification, command: number): CallAnswer {
    if (![F_GET_SEALS, F_ADD_SEALS, F_GETFL].includes(command)) return undefined;
    const content = this.objects.content(call.tid, int(call.args[0]));
    if (content === undefined) return undefined;
    if (command !== F_GETFL) return content.flags & O_PATH ? -Errno.EBADF : -Errno.EINVAL;
    const kept = (this.program.description(call.tid, int(call.args[0]))?.flags ?? 0) & ~O_CLOEXEC;
    if (content.flags & O_PATH) {
      return O_PATH | translateOpenFlags(content.flags & (O_NOFOLLOW | O_DIRECTORY), X86_64, ARCH);
    }
    return kept | translateOpenFlags(content.flags & KEPT, X86_64, ARCH);
  }

  ioctl(call: Notification): CallAnswer {
    if (OF_EVERY_FILE.has(Number(BigInt.asUintN(32, call.args[1])))) return undefined;
    return this.#path(call) === undefined ? undefined : -Errno.ENOTTY;
  }

  /** A file that is made as a sequence of records (seq_file) has no end to seek to. */
  lseek(call: Notification): CallAnswer {
    if (int(call.args[2]) !== SEEK_END && this.#path(call) !== KMSG) return undefined;
    const path = this.#path(call);
    if (path === undefined) return undefined;
    if (path === KMSG) return this.kmsg.lseek(call);
    if (isSequence(path)) return -Errno.EINVAL;
    // The size of most files is 0, whatever their content.
    return isSysctl(path) ? this.#seek(call, long(call.args[1])) : undefined;
  }

  /** A sysctl of one int is read whole, at the start, with its value of now. The other files have the content of when they were opened. */
  read(call: Notification, offset: bigint | undefined): CallAnswer {
    const path = this.#path(call);
    if (path === KMSG) return this.kmsg.read(call, [{ address: call.args[1], length: call.args[2] }]);
    if (path === undefined || !TAKE_WRITES.has(path) || !isSysctl(path)) return undefined;
    if (!this.#opened(call, O_WRONLY)) return undefined;
    const [, address, length] = call.args;
    if (length === 0n || (offset ?? this.#position(call)) !== 0n) return 0;
    const content = readKernelFile(this.sys, path);
    if (typeof content === "number") return content;
    const piece = content.subarray(0, Number(length < WRITE_MAX ? length : WRITE_MAX));
    const written = this.program.write(call.tid, address, piece);
    if (written < 0) return written;
    if (offset === undefined) this.#seek(call, BigInt(piece.length));
    return piece.length;
  }

  /** fs/proc/inode.c: proc_reg_mmap() says EIO, and a file without such an operation ENODEV. */
  mmap(call: Notification): CallAnswer {
    const path = this.#path(call, int(call.args[4]));
    if (path === undefined) return undefined;
    return isPlainProc(path) ? -Errno.EIO : -Errno.ENODEV;
  }

  fsync(call: Notification): CallAnswer {
    const path = this.#path(call);
    if (path === undefined) return undefined;
    return path.startsWith("/sys/") && !isDebugfs(path) ? 0 : -Errno.EINVAL;
  }

  /** The size is not the memfd's: changing it has no effect. */
  ftruncate(call: Notification): CallAnswer {
    const content = this.objects.content(call.tid, int(call.args[0]));
    if (content === undefined) return undefined;
    if (content.flags & O_PATH) return -Errno.EBADF;
    return this.#writes(call) ? 0 : -Errno.EINVAL;
  }

  fallocate(call: Notification): CallAnswer {
    if (this.#path(call) === undefined) return undefined;
    return this.#writes(call) ? -Errno.EOPNOTSUPP : -Errno.EBADF;
  }

  /** Of the files here only /dev/kmsg tells one read from the next. */
  readVector(call: Notification): CallAnswer {
    if (this.#path(call) !== KMSG) return undefined;
    return this.kmsg.read(call, this.program.vector(call.tid, call.args[1], int(call.args[2])));
  }

  write(
    call: Notification,
    offset: bigint | undefined,
    bytes: (length: number) => Uint8Array | number,
  ): CallAnswer {
    const path = this.#path(call);
    if (path === undefined || !this.#writes(call)) return undefined;
    if (path === KMSG) return this.kmsg.write(call, bytes);
    if (isPlainProc(path)) return -Errno.EIO;
    const data = bytes(Number(WRITE_MAX));
    if (typeof data === "number") return data;
    const at = offset ?? this.#position(call);
    const answer = this.#writeToModel(path, data, at);
    if (answer > 0 && offset === undefined) this.#seek(call, at + BigInt(answer));
    return answer;
  }

  #writeToModel(path: string, data: Uint8Array, at: bigint): Ret {
    // debugfs takes a write to a blob. The model's kernel has no blob whose content is read again.
    if (path.includes("/sub_fdts/") || path.endsWith("/fdt")) return data.length;
    const fd = this.sys.open(inModel(path), O_WRONLY);
    if (fd < 0) return -Errno.EINVAL;
    const answer = this.sys.pwrite(fd, data, at);
    this.sys.close(fd);
    return answer;
  }

  #path({ tid, args }: Notification, fd = int(args[0])): string | undefined {
    return this.objects.contentPath(tid, fd);
  }

  #writes(call: Notification): boolean {
    return this.#opened(call, O_RDONLY);
  }

  /** Whether the access mode is another than this one, and than that of O_PATH. */
  #opened({ tid, args: [fd] }: Notification, not: number): boolean {
    const access = (this.program.description(tid, int(fd))?.flags ?? not) & O_ACCMODE;
    return access !== not && access !== O_ACCMODE;
  }

  #position({ tid, args: [fd] }: Notification): bigint {
    return this.program.description(tid, int(fd))?.position ?? 0n;
  }

  /** Moves the position of the program's fd. */
  #seek({ tid, args: [fd] }: Notification, to: bigint): Ret {
    const copy = this.program.fd(tid, int(fd));
    if (copy < 0) return copy;
    const answer = Number(lseek(copy, to, SEEK_SET));
    close(copy);
    return answer;
  }
}

function isDebugfs(path: string): boolean {
  return path.startsWith("/sys/kernel/debug/");
}

/** A file of /proc itself. */
function isPlainProc(path: string): boolean {
  return /^\/proc\/[^/]+$/.test(path);
}

function isSysctl(path: string): boolean {
  return path.startsWith("/proc/sys/");
}

function isSequence(path: string): boolean {
  if (isPlainProc(path)) return path !== "/proc/config.gz";
  if (isDebugfs(path)) return path.includes("/scratch_");
  return path.startsWith("/proc/") && !isSysctl(path);
}
