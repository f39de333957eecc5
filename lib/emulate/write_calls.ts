/** Calls that write to a file: a write that fits into a preserved file is the host's, one that would make it grow is refused. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_ACCMODE, O_APPEND, O_PATH, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { ARCH } from "../../ffi/libc.ts";
import { file_size_limit } from "../../ffi/tracee.ts";
import { whole_chunks } from "../model/fs/whole_chunks.ts";
import type { SystemCalls } from "../system_calls.ts";
import { type CallAnswer, type Handlers, int, long } from "./call_answer.ts";
import type { CallingProgram, Piece } from "./calling_program.ts";
import type { ContentCalls } from "./content_calls.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import type { PreservedFiles } from "./preserved_files.ts";

/** linux/fs.h. tmpfs of Linux 7.3 takes no others: RWF_NOWAIT, RWF_ATOMIC and RWF_DONTCACHE give EOPNOTSUPP. */
const [RWF_APPEND, RWF_NOAPPEND, RWF_TMPFS] = [0x10, 0x20, 0x137];
/** The most bytes that one write moves (MAX_RW_COUNT). */
const WRITE_MAX = 0x7fff_f000n;

/** The last offset in a file. */
const OFFSET_MAX = 0x7fff_ffff_ffff_ffffn;

/** linux/aio_abi.h. */
const [IOCB_SIZE, IOCB_CMD_PWRITE, IOCB_CMD_PWRITEV] = [64, 1, 8];
/** IOCB_CMD_PREAD, PWRITE, PREADV, PWRITEV. */
const IOCB_DATA = new Set([0, IOCB_CMD_PWRITE, 7, IOCB_CMD_PWRITEV]);
/** More requests in one call are not looked at; the kernel's own limit for a context is lower by default. */
const REQUESTS_MAX = 65_536;

/** A write as the program asks for it. */
interface Write {
  readonly length: bigint;
  /** Undefined: at the position. */
  readonly offset: bigint | undefined;
  /** Overrides O_APPEND. */
  readonly append?: boolean;
  /** The first `length` bytes of the data. */
  readonly data: (length: number) => Uint8Array | number;
}

export class WriteCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly preserved: PreservedFiles,
    readonly contents: ContentCalls,
  ) {}

  readonly handlers: Handlers<"write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" | "io_submit"> = {
    write: (call) => this.#onObject(call, undefined) ?? this.#plain(call, undefined),
    pwrite64: (call) => this.#onObject(call, long(call.args[3])) ?? this.#plain(call, long(call.args[3])),
    writev: (call) => this.#onObject(call, undefined) ?? this.#vector(call, undefined, 0),
    pwritev: (call) => this.#onObject(call, long(call.args[3])) ?? this.#vector(call, long(call.args[3]), 0),
    pwritev2: (call) => {
      // Offset -1 is the position.
      const offset = long(call.args[3]) === -1n ? undefined : long(call.args[3]);
      return this.#onObject(call, offset) ?? this.#vector(call, offset, int(call.args[5]));
    },
    io_submit: (call) => this.#submit(call),
  };

  /** EPERM when one of the requests would make a preserved file grow: none of them is begun then. */
  #submit({ tid, args: [, count, list] }: Notification): CallAnswer {
    if (this.preserved.none) return undefined;
    const addresses = this.program.bytes(tid, list, 8 * Math.min(Math.max(0, int(count)), REQUESTS_MAX));
    if (typeof addresses === "number") return undefined;
    const requests = new BigUint64Array(addresses.slice(0, addresses.length & ~7).buffer);
    if (requests[0] !== undefined && this.#onObjectToo(tid, requests[0])) return -Errno.EINVAL;
    for (const address of requests) {
      const iocb = this.program.bytes(tid, address, IOCB_SIZE);
      // fs/aio.c: io_submit() ends at the first request that cannot be read.
      if (typeof iocb === "number" || iocb.length < IOCB_SIZE) return undefined;
      if (this.#grows(tid, new DataView(iocb.buffer))) return -Errno.EPERM;
    }
    return undefined;
  }

  /** The device and sessions can be neither read nor written: the first of the requests is what the call answers for. */
  #onObjectToo(tid: number, address: bigint): boolean {
    const iocb = this.program.bytes(tid, address, IOCB_SIZE);
    if (typeof iocb === "number" || iocb.length < IOCB_SIZE) return false;
    const view = new DataView(iocb.buffer);
    if (!IOCB_DATA.has(view.getUint16(16, true))) return false;
    const object = this.objects.find(tid, view.getInt32(20, true));
    return object !== undefined && !object.path_only;
  }

  /** struct iocb: u32 flags@12, u16 opcode@16, u32 fd@20, u64 buffer@24, u64 bytes or pieces@32, i64 offset@40. */
  #grows(tid: number, view: DataView): boolean {
    const [opcode, fd] = [view.getUint16(16, true), view.getInt32(20, true)];
    if (opcode !== IOCB_CMD_PWRITE && opcode !== IOCB_CMD_PWRITEV) return false;
    const size = this.preserved.sizeOfFd(tid, fd);
    const flags = size === undefined ? undefined : this.program.description(tid, fd)?.flags;
    if (size === undefined || flags === undefined || (flags & O_ACCMODE) === O_RDONLY) return false;
    const [buffer, amount] = [view.getBigUint64(24, true), view.getBigUint64(32, true)];
    const pieces = opcode === IOCB_CMD_PWRITEV ? this.program.vector(tid, buffer, Number(amount)) : [];
    if (typeof pieces === "number") return false;
    const length = opcode === IOCB_CMD_PWRITE
      ? amount
      : pieces.reduce((sum, piece) => sum + piece.length, 0n);
    const offset = view.getBigInt64(40, true);
    // The host's kernel refuses a negative offset.
    if (offset < 0n || length === 0n) return false;
    const appends = appendsBy(view.getUint32(12, true)) ?? (flags & O_APPEND) !== 0;
    return (appends ? size : offset) + length > size;
  }

  /** The device and sessions cannot be written: the model knows the errno. */
  #onObject({ tid, args: [fd] }: Notification, offset: bigint | undefined): CallAnswer {
    const object = this.objects.find(tid, int(fd));
    if (object === undefined) return undefined;
    if (offset !== undefined && offset < 0n) return -Errno.EINVAL;
    const byte = new Uint8Array(1);
    return offset === undefined
      ? this.sys.write(object.model_fd, byte)
      : this.sys.pwrite(object.model_fd, byte, 0n);
  }

  #plain(call: Notification, offset: bigint | undefined): CallAnswer {
    const { tid, args: [fd, address, length] } = call;
    if (!inMemory({ address, length })) return undefined;
    const kernel = this.contents.write(
      call,
      offset,
      (most) => this.program.bytes(tid, address, Math.min(most, Number(length))),
    );
    if (kernel !== undefined) return kernel;
    const data = (wanted: number) => this.program.bytes(tid, address, wanted);
    return this.#write(tid, int(fd), { length, offset, data });
  }

  #vector(call: Notification, offset: bigint | undefined, flags: number): CallAnswer {
    const { tid, args: [fd, address, count] } = call;
    const kernel = this.contents.write(call, offset, (most) => {
      const pieces = this.program.vector(tid, address, int(count));
      return typeof pieces === "number" ? pieces : this.program.gather(tid, pieces, most);
    });
    if (kernel !== undefined) return kernel;
    if (this.preserved.sizeOfFd(tid, int(fd)) === undefined) return undefined;
    const pieces = this.program.vector(tid, address, int(count));
    // The host's kernel refuses a vector that cannot be read, or that leads out of the program's memory.
    if (typeof pieces === "number" || !pieces.every(inMemory)) return undefined;
    if (flags & ~RWF_TMPFS) return -Errno.EOPNOTSUPP;
    if (flags & RWF_APPEND && flags & RWF_NOAPPEND) return -Errno.EINVAL;
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0n);
    const append = appendsBy(flags);
    const data = (wanted: number) => this.program.gather(tid, pieces, wanted);
    return this.#write(tid, int(fd), { length, offset, append, data });
  }

  #write(tid: number, fd: number, write: Write): CallAnswer {
    const size = this.preserved.sizeOfFd(tid, fd);
    const description = size === undefined ? undefined : this.program.description(tid, fd);
    if (size === undefined || description === undefined) return undefined;
    const { flags, position } = description;
    // EBADF: the host's kernel says so.
    if (flags & O_PATH || (flags & O_ACCMODE) === O_RDONLY) return undefined;
    const at = write.append ?? (flags & O_APPEND) !== 0 ? size : write.offset ?? position;
    const limit = file_size_limit(tid);
    // From the limit on the host's kernel sends SIGXFSZ; up to there it cuts the write short.
    if (at < 0n || at >= limit || at + write.length > OFFSET_MAX) return undefined;
    const length = [write.length, limit - at, WRITE_MAX].reduce((a, b) => a < b ? a : b);
    if (at + length <= size || length === 0n) return undefined;
    const fits = whole_chunks(Number(at), Number(length), Number(size));
    if (fits === 0) return -Errno.EPERM;
    const bytes = write.data(fits);
    if (typeof bytes === "number") return bytes;
    return this.preserved.ask(
      tid,
      fd,
      (model_fd) =>
        write.offset === undefined
          ? this.sys.write(model_fd, bytes)
          : this.sys.pwrite(model_fd, bytes, write.offset),
    );
  }
}

/** Whether a write with these RWF_ flags appends; undefined: as the file was opened. */
function appendsBy(flags: number): boolean | undefined {
  return flags & RWF_APPEND ? true : flags & RWF_NOAPPEND ? false : undefined;
}

/** As access_ok() judges. */
function inMemory({ address, length }: Piece): boolean {
  return address + length <= ARCH.TASK_SIZE_MAX;
}
