/**
 * /dev/kmsg: the log of the machine's kernel, record by record (kernel/printk/printk.c: devkmsg_read() and its neighbours). With --strict
 * the fd is a memfd whose calls are served. It is always ready, and never waits for a record.
 */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_SETFL, O_ACCMODE, O_NONBLOCK, O_PATH, O_RDONLY, O_WRONLY, SEEK_SET } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { close, fcntl } from "../../ffi/file.ts";
import { sendmsg, socketpair } from "../../ffi/socket.ts";
import { joined } from "../joined_bytes.ts";
import type { Ret } from "../system_calls.ts";
import { type CallAnswer, int, long } from "./call_answer.ts";
import type { CallingProgram, Piece } from "./calling_program.ts";
import { type EmulatedFds, identityOf } from "./emulated_fds.ts";
import { contentFile } from "./kernel_file_open.ts";
import { KMSG } from "./kernel_files.ts";
import { type KernelLog, RECORD_MAX } from "./kernel_log.ts";
import { statOfFd } from "./program_fds.ts";

/** linux/fs.h */
const [SEEK_END, SEEK_DATA] = [2, 3];

export class KmsgFiles {
  /** The number of the record that a file returns next, by the memfd's `dev:ino`. */
  readonly #next = new Map<string, number>();

  constructor(readonly program: CallingProgram, readonly objects: EmulatedFds, readonly log: KernelLog) {}

  /** A file for the program, which the caller closes. */
  open(flags: number): Ret {
    const access = flags & O_ACCMODE;
    if (access === O_RDONLY && !this.program.watch.strict) return this.#queue(flags);
    const writes = access === O_WRONLY;
    const content = writes ? new Uint8Array(0) : joined(this.#records(this.log.first));
    const fd = contentFile(this.objects.contentName(KMSG, flags), content, {
      flags,
      mode: 0o644,
      sealed: !writes,
    });
    if (fd >= 0 && writes) this.objects.watchWrites(fd, KMSG);
    return fd;
  }

  /** A socket returns record by record as well. Most readers begin after the last clear, by a seek that a socket refuses. */
  #queue(flags: number): Ret {
    const ends = socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC);
    if (typeof ends === "number") return ends;
    const [given, kept] = ends;
    for (const record of this.#records(Math.max(this.log.first, this.log.cleared))) {
      if (sendmsg(kept, record, [], MSG_DONTWAIT) < 0) break;
    }
    close(kept);
    if (flags & O_NONBLOCK) fcntl(given, F_SETFL, O_NONBLOCK);
    return given;
  }

  #records(from: number): Uint8Array[] {
    return Array.from({ length: this.log.end - from }, (_, index) => this.log.record(from + index));
  }

  /** One record for each read. `pieces`: where it goes. */
  read(call: Notification, pieces: readonly Piece[] | Ret): CallAnswer {
    const file = this.#file(call);
    if (file === undefined || typeof pieces === "number") return undefined;
    const { flags } = file;
    if (flags & O_PATH || (flags & O_ACCMODE) === O_WRONLY) return -Errno.EBADF;
    const next = this.#next.get(file.identity) ?? this.log.first;
    if (next < this.log.first) {
      this.#next.set(file.identity, this.log.first);
      return -Errno.EPIPE;
    }
    if (next >= this.log.end) return flags & O_NONBLOCK ? -Errno.EAGAIN : 0;
    const record = this.log.record(next);
    if (pieces.reduce((sum, { length }) => sum + length, 0n) < BigInt(record.length)) return -Errno.EINVAL;
    this.#next.set(file.identity, next + 1);
    let done = 0;
    for (const { address, length } of pieces) {
      const piece = record.subarray(
        done,
        done + Number(length < BigInt(record.length) ? length : record.length),
      );
      const written = piece.length === 0 ? 0 : this.program.write(call.tid, address, piece);
      if (written < 0) return written;
      done += piece.length;
    }
    return record.length;
  }

  lseek(call: Notification): CallAnswer {
    const file = this.#file(call);
    if (file === undefined || file.flags & O_PATH) return undefined;
    if ((file.flags & O_ACCMODE) === O_WRONLY) return -Errno.EBADF;
    if (long(call.args[1]) !== 0n) return -Errno.ESPIPE;
    const places = new Map([[SEEK_SET, this.log.first], [SEEK_DATA, this.log.cleared], [
      SEEK_END,
      this.log.end,
    ]]);
    const next = places.get(int(call.args[2]));
    if (next === undefined) return -Errno.EINVAL;
    this.#next.set(file.identity, next);
    return 0;
  }

  write(call: Notification, bytes: (length: number) => Uint8Array | Ret): CallAnswer {
    const flags = this.#file(call)?.flags ?? O_RDONLY;
    if (flags & O_PATH || (flags & O_ACCMODE) === O_RDONLY) return undefined;
    const data = bytes(RECORD_MAX + 1);
    return typeof data === "number" ? data : this.log.write(data);
  }

  #file(
    { tid, args: [fd] }: Notification,
  ): { readonly identity: string; readonly flags: number } | undefined {
    const content = this.objects.content(tid, int(fd));
    const found = content?.path === KMSG ? statOfFd(tid, int(fd)) : undefined;
    if (content === undefined || found === undefined || typeof found === "number") return undefined;
    const now = this.program.description(tid, int(fd))?.flags ?? 0;
    return { identity: identityOf(found), flags: content.flags & ~O_NONBLOCK | now & O_NONBLOCK };
  }
}
