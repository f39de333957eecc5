/** Calls that would change a preserved file: the model answers them, and refuses what Linux refuses. */
import { Errno } from "../../ffi/abi/errno.ts";
import { SEEK_CUR, SEEK_SET } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { close, lseek, pread, stat } from "../../ffi/file.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import type { Call } from "./trapped_calls.ts";
import type { Ioctls } from "./ioctls.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import type { CallingProgram } from "./calling_program.ts";
import { type CallAnswer, int, long } from "./call_answer.ts";

const PIPE_SIZE = 65536;

export class PreservedFileCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly ioctls: Ioctls,
    /** Whether the host's inode `dev:ino` is preserved. */
    readonly isPreserved: (identity: string) => boolean,
  ) {}

  /** Runs a call on the model when `fd` is a preserved file; undefined for every other file. */
  ask(tid: number, fd: number, run: (model_fd: number) => Ret): CallAnswer {
    if (this.objects.empty || fd < 0) return undefined;
    const found = stat(`/proc/${tid}/fd/${fd}`);
    if (typeof found === "number" || !this.isPreserved(`${found.dev}:${found.ino}`)) return undefined;
    const model_fd = this.ioctls.adopt(tid, fd);
    if (model_fd < 0) return undefined;
    const answer = run(model_fd);
    this.sys.close(model_fd);
    return answer;
  }

  write(tid: number, fd: number, address: bigint, count: bigint, offset: bigint | undefined): Ret {
    const bytes = this.program.bytes(tid, address, Number(count));
    if (typeof bytes === "number") return bytes;
    return offset === undefined ? this.sys.write(fd, bytes) : this.sys.pwrite(fd, bytes, offset);
  }

  writev(tid: number, fd: number, vector: bigint, count: number, name: Call, offset: bigint): Ret {
    const bytes = this.program.gather(tid, vector, count);
    if (typeof bytes === "number") return bytes;
    // pwritev2 with offset -1 writes at the file position.
    const at = name === "writev" || long(offset) === -1n ? undefined : long(offset);
    return at === undefined ? this.sys.write(fd, bytes) : this.sys.pwrite(fd, bytes, at);
  }

  /**
   * sendfile(out, in, offset, count). Linux moves the data through a pipe of 64 KiB, and each pipeful is written whole
   * or refused.
   */
  sendfile({ tid, args: [, from, address, count] }: Notification, fd: number): Ret {
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
      const written = got <= 0 ? got : this.sys.write(fd, piece.subarray(0, got));
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

  /** MADV_REMOVE punches a hole: EPERM for the pages of a preserved file. */
  madvise(tid: number, address: bigint, length: bigint): CallAnswer {
    if (this.objects.empty || length === 0n) return undefined;
    const file = this.program.mapped(tid, address);
    return file !== undefined && this.isPreserved(file) ? -Errno.EPERM : undefined;
  }
}
