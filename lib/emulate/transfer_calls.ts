/** Calls that move data from one fd to another inside the kernel: sendfile, copy_file_range, splice into a preserved file. */
import { Errno } from "../../ffi/abi/errno.ts";
import {
  O_ACCMODE,
  O_APPEND,
  O_PATH,
  O_RDONLY,
  S_IFIFO,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  SEEK_CUR,
  SEEK_SET,
} from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { close, fstat, lseek, pread, stat, waiting_bytes } from "../../ffi/file.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import { sameDevice } from "./path_walk.ts";
import type { PreservedFiles } from "./preserved_files.ts";
import { givesNothing, TransferChecks, type TransferSide } from "./transfer_checks.ts";

/** Linux moves the data through a pipe of this size; each pipeful is written whole or refused. */
const PIPE_SIZE = 65536;

export class TransferCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly preserved: PreservedFiles,
  ) {}

  readonly handlers: Handlers<"sendfile" | "copy_file_range" | "splice"> = {
    sendfile: ({ args: [out, from, offset, count], tid }) => {
      const sides = [{ fd: int(from), address: offset }, { fd: int(out), address: 0n }] as const;
      if (this.#isAnyEmulated(tid, sides)) return this.#checks.sendfile(tid, sides[0], sides[1].fd, count);
      // fs/splice.c: splice_direct_to_actor() reads from what can be sought in. The host's kernel says EINVAL.
      return this.#isPipe(tid, int(from)) ? undefined : this.#transfer(tid, ...sides, count);
    },
    copy_file_range: ({ args: [from, from_offset, out, out_offset, count, flags], tid }) => {
      const sides = [{ fd: int(from), address: from_offset }, { fd: int(out), address: out_offset }] as const;
      if (this.#isAnyEmulated(tid, sides)) return this.#checks.copy_file_range(tid, ...sides, flags);
      if (flags !== 0n || !this.#onOne(tid, int(from), int(out))) return undefined;
      return this.#transfer(tid, ...sides, count);
    },
    splice: ({ args: [from, from_offset, out, out_offset, count, flags], tid }) => {
      const sides = [{ fd: int(from), address: from_offset }, { fd: int(out), address: out_offset }] as const;
      if (this.#isAnyEmulated(tid, sides)) return this.#checks.splice(tid, ...sides, count, flags);
      // Nothing to move is no error. Of two files without a pipe the host's kernel says EINVAL.
      return count === 0n || !this.#isPipe(tid, int(from)) ? undefined : this.#transfer(tid, ...sides, count);
    },
  };

  get #checks(): TransferChecks {
    return new TransferChecks(this.program, this.objects);
  }

  #isAnyEmulated(tid: number, sides: readonly TransferSide[]): boolean {
    return sides.some(({ fd }) => this.objects.find(tid, fd) !== undefined);
  }

  #isPipe(tid: number, fd: number): boolean {
    const found = stat(`/proc/${tid}/fd/${fd}`);
    return typeof found !== "number" && (found.mode & S_IFMT) === S_IFIFO;
  }

  /** copy_file_range(2) copies within one file system, or refuses what is no file; the host's kernel knows the errno. */
  #onOne(tid: number, from: number, out: number): boolean {
    return sameDevice(`/proc/${tid}/fd/${from}`, `/proc/${tid}/fd/${out}`);
  }

  #transfer(tid: Notification["tid"], from: TransferSide, out: TransferSide, count: bigint): CallAnswer {
    const size = this.preserved.sizeOfFd(tid, out.fd);
    if (size === undefined || BigInt.asIntN(64, count) <= 0n) return undefined;
    const at = this.#writePosition(tid, out);
    const copy = at === undefined ? -1 : this.program.fd(tid, from.fd);
    if (at === undefined || copy < 0) return undefined;
    try {
      return this.#into(tid, from, out, { copy, count, at, size });
    } finally {
      close(copy);
    }
  }

  /** Undefined when the host's kernel refuses the target. */
  #writePosition(tid: number, { fd, address }: TransferSide): bigint | undefined {
    const description = this.program.description(tid, fd);
    if (description === undefined) return undefined;
    const { flags, position } = description;
    const writable = (flags & O_ACCMODE) !== O_RDONLY && !(flags & (O_PATH | O_APPEND));
    return writable ? this.#offset(tid, address, position) : undefined;
  }

  /** Undefined when the offset cannot be read, or is negative. */
  #offset(tid: number, address: bigint, position: bigint): bigint | undefined {
    if (address === 0n) return position;
    const bytes = this.program.bytes(tid, address, 8);
    if (typeof bytes === "number" || bytes.length < 8) return undefined;
    const offset = new BigInt64Array(bytes.buffer)[0] ?? -1n;
    return offset < 0n ? undefined : offset;
  }

  #into(
    tid: number,
    from: TransferSide,
    out: TransferSide,
    { copy, count, at, size }: { copy: number; count: bigint; at: bigint; size: bigint },
  ): CallAnswer {
    const found = fstat(copy);
    if (typeof found === "number") return undefined;
    const type = found.mode & S_IFMT;
    if (type === S_IFSOCK || givesNothing(copy, found.mode)) return undefined;
    const piped = type === S_IFIFO;
    const start = piped ? 0n : this.#offset(tid, from.address, lseek(copy, 0n, SEEK_CUR));
    if (start === undefined) return undefined;
    // A file of /proc or a character device: its size tells nothing.
    const endless = !piped && (type !== S_IFREG || found.size === 0n);
    if (endless) return this.#copy(tid, from, out, { copy, start, at, size, length: Number(count) });
    const there = piped ? BigInt(Math.max(0, waiting_bytes(copy))) : found.size - start;
    const amount = there < count ? there : count;
    // It fits, or there is nothing to move.
    if (amount <= 0n || at + amount <= size) return undefined;
    // A pipe's data is one write; so is what is left of a file after the last pipeful that fits.
    const whole = piped ? 0 : Number(size - at) - Number(size - at) % PIPE_SIZE;
    if (whole <= 0) return -Errno.EPERM;
    return this.#copy(tid, from, out, { copy, start, at, size, length: whole });
  }

  /** Moves the pipefuls that fit into `size`. */
  #copy(
    tid: number,
    from: TransferSide,
    out: TransferSide,
    { copy, start, at, size, length }: {
      copy: number;
      start: bigint;
      at: bigint;
      size: bigint;
      length: number;
    },
  ): CallAnswer {
    const piece = new Uint8Array(PIPE_SIZE);
    return this.preserved.ask(tid, out.fd, (model_fd) => {
      let done = 0;
      while (done < length) {
        const wanted = piece.subarray(0, Math.min(PIPE_SIZE, length - done));
        const got = pread(copy, wanted, start + BigInt(done));
        const refused = got > 0 && at + BigInt(done + got) > size ? -Errno.EPERM : undefined;
        if (refused !== undefined) {
          return done === 0 ? refused : this.#done(tid, from, out, { copy, start, at, done });
        }
        const bytes = piece.subarray(0, Math.max(0, got));
        const written = got <= 0
          ? got
          : out.address === 0n
          ? this.sys.write(model_fd, bytes)
          : this.sys.pwrite(model_fd, bytes, at + BigInt(done));
        if (written <= 0) return done === 0 ? written : this.#done(tid, from, out, { copy, start, at, done });
        done += written;
      }
      return this.#done(tid, from, out, { copy, start, at, done });
    });
  }

  #done(
    tid: number,
    from: TransferSide,
    out: TransferSide,
    { copy, start, at, done }: { copy: number; start: bigint; at: bigint; done: number },
  ): Ret {
    const moved = BigInt(done);
    if (from.address === 0n) lseek(copy, start + moved, SEEK_SET);
    const written = [
      this.#tell(tid, from.address, start + moved),
      this.#tell(tid, out.address, at + moved),
    ];
    return written.find((answer) => answer < 0) ?? done;
  }

  #tell(tid: number, address: bigint, offset: bigint): Ret {
    return address === 0n
      ? 0
      : this.program.write(tid, address, new Uint8Array(new BigInt64Array([offset]).buffer));
  }
}
