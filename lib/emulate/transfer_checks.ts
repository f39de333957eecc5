/** What sendfile, copy_file_range and splice look at, in Linux's order, when one side is the device or a session: neither has data. */
import { Errno } from "../../ffi/abi/errno.ts";
import {
  O_ACCMODE,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../../ffi/abi/fcntl.ts";
import { readlink, stat } from "../../ffi/file.ts";
import type { Ret } from "../system_calls.ts";
import type { CallingProgram } from "./calling_program.ts";
import type { EmulatedFds } from "./emulated_fds.ts";

/** SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT (linux/splice.h). */
const SPLICE_FLAGS = 15n;
/** It can be read, but not by splice (drivers/char/mem.c: null_fops). */
const NULL_DEVICE = "/dev/null";

/** One side of a transfer: its fd and the address of an offset. */
export interface TransferSide {
  readonly fd: number;
  readonly address: bigint;
}

/** What the kernel knows of an open file that data is to be moved from or to. */
interface OpenFile {
  readonly type: number;
  readonly reads: boolean;
  readonly writes: boolean;
  /** FMODE_LSEEK, FMODE_PREAD. */
  readonly seeks: boolean;
  readonly takesOffset: boolean;
  readonly position: bigint;
  readonly size: bigint;
}

export class TransferChecks {
  constructor(readonly program: CallingProgram, readonly objects: EmulatedFds) {}

  /** fs/read_write.c: do_sendfile(). */
  sendfile(tid: number, from: TransferSide, out: number, count: bigint): Ret {
    const offset = this.#offset(tid, from.address);
    if (offset === "nowhere") return -Errno.EFAULT;
    const source = this.#file(tid, from.fd);
    if (!source?.reads) return -Errno.EBADF;
    if (offset !== undefined && !source.takesOffset) return -Errno.ESPIPE;
    const start = offset ?? source.position;
    if (start < 0n || BigInt.asIntN(64, count) < 0n) return -Errno.EINVAL;
    const target = this.#file(tid, out);
    if (!target?.writes) return -Errno.EBADF;
    if (target.type === S_IFIFO) return count === 0n ? 0 : -Errno.EINVAL;
    if (!source.seeks) return -Errno.EINVAL;
    const ended = source.type === S_IFREG && source.size > 0n && start >= source.size;
    return count === 0n || ended ? 0 : -Errno.EINVAL;
  }

  /** fs/read_write.c: copy_file_range(), generic_file_rw_checks(). */
  copy_file_range(tid: number, from: TransferSide, out: TransferSide, flags: bigint): Ret {
    const [source, target] = [this.#file(tid, from.fd), this.#file(tid, out.fd)];
    if (source === undefined || target === undefined) return -Errno.EBADF;
    const offsets = [from, out].map(({ address }) => this.#offset(tid, address));
    if (offsets.includes("nowhere")) return -Errno.EFAULT;
    if (flags !== 0n) return -Errno.EINVAL;
    return [source, target].some(({ type }) => type === S_IFDIR) ? -Errno.EISDIR : -Errno.EINVAL;
  }

  /** fs/splice.c: splice(), do_splice(). */
  splice(tid: number, from: TransferSide, out: TransferSide, count: bigint, flags: bigint): Ret {
    if (count === 0n) return 0;
    if (BigInt.asUintN(32, flags) & ~SPLICE_FLAGS) return -Errno.EINVAL;
    const [source, target] = [this.#file(tid, from.fd), this.#file(tid, out.fd)];
    if (source === undefined || target === undefined) return -Errno.EBADF;
    const sides = [[source, from], [target, out]] as const;
    if (sides.some(([{ type }, { address }]) => type === S_IFIFO && address !== 0n)) return -Errno.ESPIPE;
    if (sides.some(([, { address }]) => this.#offset(tid, address) === "nowhere")) return -Errno.EFAULT;
    return source.reads && target.writes ? -Errno.EINVAL : -Errno.EBADF;
  }

  #offset(tid: number, address: bigint): bigint | undefined | "nowhere" {
    if (address === 0n) return undefined;
    const bytes = this.program.bytes(tid, address, 8);
    if (typeof bytes === "number" || bytes.length < 8) return "nowhere";
    return new BigInt64Array(bytes.buffer)[0] ?? "nowhere";
  }

  /** Undefined where fdget() finds nothing: no such fd, or one of O_PATH. */
  #file(tid: number, fd: number): OpenFile | undefined {
    const object = this.objects.find(tid, fd);
    const description = this.program.description(tid, fd);
    const found = stat(`/proc/${tid}/fd/${fd}`);
    if (object?.path_only || description === undefined || typeof found === "number") return undefined;
    if (description.flags & O_PATH) return undefined;
    const mode = description.flags & O_ACCMODE;
    const type = object === undefined ? found.mode & S_IFMT : 0;
    const stream = object !== undefined || type === S_IFIFO || type === S_IFSOCK;
    return {
      type,
      reads: mode !== O_WRONLY && mode !== O_ACCMODE,
      writes: mode !== O_RDONLY && mode !== O_ACCMODE,
      seeks: !stream,
      // An anonymous inode has no position. The device, as every device without a method of its own, takes an offset.
      takesOffset: object === undefined ? !stream && type !== 0 : object.kind === "device",
      position: description.position,
      size: found.size,
    };
  }
}

/** Whether the kernel has no way to move data out of the file `fd` of luo, whatever its read(2) gives. */
export function givesNothing(fd: number, mode: number): boolean {
  const type = mode & S_IFMT;
  return type === 0 || type === S_IFDIR || readlink(`/proc/self/fd/${fd}`) === NULL_DEVICE;
}
