/** Access to the program that made a trapped call: its memory, its fds, its mappings. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { decodeOsText } from "../../ffi/abi/os_text.ts";
import { makedev } from "../../ffi/abi/stat.ts";
import { readlink, stat } from "../../ffi/file.ts";
import { read_text } from "../../ffi/proc.ts";
import type { Listener } from "../../ffi/seccomp.ts";
import { fd_limits, Memory, read_forced } from "../../ffi/tracee.ts";
import type { Ret, UserMemory } from "../system_calls.ts";
import { Credentials } from "./credentials.ts";
import { copyOfFd, descriptionOf } from "./program_fds.ts";
import { LazyMemory } from "./lazy_memory.ts";
import type { NumberWatch } from "./number_watch.ts";
import { joined } from "../joined_bytes.ts";

const PATH_MAX = 4096;
const IOV_MAX = 1024;
/** The most bytes that one call copies. A longer write is cut short. */
const BYTES_MAX = 64 << 20;
/** How many bytes of an ioctl's struct are copied. Of a longer struct, only whether the rest is zero matters. */
const ARGUMENT_MAX = 1 << 20;

/** An entry of struct iovec[]. */
export interface Piece {
  readonly address: bigint;
  readonly length: bigint;
}

export interface Mapping {
  /** `dev:ino` of the mapped file. */
  readonly file: string | undefined;
  readonly shared: boolean;
  /** `rwxs` or `rwxp`, with `-` for what is not allowed. */
  readonly rights: string;
}

/** The thread `tid` in each method made the call that is being served, and waits for the answer. */
export class CallingProgram {
  readonly lazy = new LazyMemory();
  readonly #memory = new Memory();
  /** The user namespace of the machine's init. */
  #namespace: string | number | undefined;

  constructor(readonly listener: Listener, readonly watch: NumberWatch) {}

  /** From now on memory of a program of the machine may be filled by the program (userfaultfd). */
  fillsMemory(tid: number): undefined {
    this.lazy.active = true;
    this.watch.lazyMemory(tid);
  }

  /** The path at `address`; -EFAULT, -ENAMETOOLONG. */
  path(tid: number, address: bigint): string | Ret {
    // Most paths are short. A second, longer read follows when the first has no NUL.
    for (const length of [256, PATH_MAX]) {
      const bytes = this.#read(tid, address, length);
      if (typeof bytes === "number") return bytes;
      const end = bytes.indexOf(0);
      if (end >= 0) return decodeOsText(bytes.subarray(0, end));
      if (bytes.length < length) return -Errno.EFAULT;
    }
    return -Errno.ENAMETOOLONG;
  }

  /** A copy of up to `length` bytes; fewer when unmapped memory follows; -EFAULT when no byte can be read. */
  bytes(tid: number, address: bigint, length: number): Uint8Array<ArrayBuffer> | Ret {
    const bytes = new Uint8Array(Math.min(length, BYTES_MAX));
    for (let done = 0; done < bytes.length;) {
      const wanted = Math.min(bytes.length - done, this.#memory.limit);
      const piece = this.#read(tid, address + BigInt(done), wanted);
      if (typeof piece === "number") return done === 0 ? piece : bytes.slice(0, done);
      bytes.set(piece, done);
      done += piece.length;
      if (piece.length < wanted) return bytes.slice(0, done);
    }
    return bytes;
  }

  /**
   * A struct whose first u32 is its size, cut where readable memory ends. Null when the size cannot be read. `known`: the
   * bytes that the kernel writes back; the struct counts as writable when all of them are.
   */
  argument(tid: number, address: bigint, known: number): UserMemory | null {
    const size = this.#read(tid, address, 4);
    if (typeof size === "number") return null;
    const length = size.length < 4 ? 4 : new DataView(size.buffer, size.byteOffset).getUint32(0, true);
    const bytes = this.bytes(tid, address, Math.min(Math.max(length, 4), ARGUMENT_MAX));
    if (typeof bytes === "number") return null;
    const writable = this.write(tid, address, bytes.subarray(0, Math.min(known, length))) === 0;
    if (length <= ARGUMENT_MAX || bytes.length < ARGUMENT_MAX) return { bytes, writable };
    return { bytes: this.#shortened(tid, address, bytes, length), writable };
  }

  /** A struct of ARGUMENT_MAX bytes that the kernel judges as it judges the long one. */
  #shortened(
    tid: number,
    address: bigint,
    bytes: Uint8Array<ArrayBuffer>,
    length: number,
  ): Uint8Array<ArrayBuffer> {
    new DataView(bytes.buffer).setUint32(0, ARGUMENT_MAX, true);
    for (let at = ARGUMENT_MAX; at < length; at += this.#memory.limit) {
      const wanted = Math.min(this.#memory.limit, length - at);
      const piece = this.#read(tid, address + BigInt(at), wanted);
      const set = typeof piece !== "number" && piece.some((byte) => byte !== 0);
      if (set) bytes[ARGUMENT_MAX - 1] = 1;
      if (set) break;
      if (typeof piece === "number" || piece.length < wanted) return bytes.subarray(0, ARGUMENT_MAX - 1);
    }
    return bytes;
  }

  /** The inode in a struct file_handle of tmpfs (mm/shmem.c: shmem_encode_fh()): u32 bytes, i32 type, u32 generation, u64 inode. */
  handle(tid: number, address: bigint): bigint | undefined {
    const bytes = this.bytes(tid, address, 20);
    if (typeof bytes === "number" || bytes.length < 20) return undefined;
    const view = new DataView(bytes.buffer);
    return view.getUint32(0, true) === 12 ? view.getBigUint64(12, true) : undefined;
  }

  /** The entries of a struct iovec[]; -EINVAL, -EFAULT. */
  vector(tid: number, address: bigint, count: number): Piece[] | Ret {
    if (count < 0 || count > IOV_MAX) return -Errno.EINVAL;
    const entries = this.bytes(tid, address, count * 16);
    if (typeof entries === "number" || entries.length < count * 16) return count === 0 ? [] : -Errno.EFAULT;
    const words = new BigUint64Array(entries.buffer, 0, 2 * count);
    const pieces = Array.from({ length: count }, (_, index) => ({
      address: words[2 * index] ?? 0n,
      length: words[2 * index + 1] ?? 0n,
    }));
    return pieces.some(({ length }) => BigInt.asIntN(64, length) < 0n) ? -Errno.EINVAL : pieces;
  }

  /** The first `length` bytes that the entries point to, up to the first byte that cannot be read. */
  gather(tid: number, pieces: readonly Piece[], length: number): Uint8Array | Ret {
    const read: Uint8Array[] = [];
    let rest = length;
    for (const { address, length: size } of pieces) {
      const wanted = Math.min(Number(size), rest);
      const piece = wanted === 0 ? new Uint8Array(0) : this.bytes(tid, address, wanted);
      if (typeof piece === "number") return rest === length ? piece : joined(read);
      read.push(piece);
      rest -= piece.length;
      if (piece.length < wanted) break;
    }
    return joined(read);
  }

  /** The mappings that overlap a range of addresses, in order. */
  mappings(tid: number, from: bigint, to: bigint): Mapping[] {
    const lines = (read_text(`/proc/${tid}/maps`) ?? "").split("\n");
    return lines.flatMap((line) => {
      const [, start = "0", end = "0", rights = "", major = "0", minor = "0", ino = "0"] =
        /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ ([0-9a-f]+):([0-9a-f]+) (\d+)/.exec(line) ?? [];
      if (to <= BigInt(`0x${start}`) || from >= BigInt(`0x${end}`)) return [];
      const file = `${makedev(parseInt(major, 16), parseInt(minor, 16))}:${ino}`;
      return [{ file: ino === "0" ? undefined : file, shared: rights.endsWith("s"), rights }];
    });
  }

  /** As `Memory.read`, and memory that the program may only write. @throws NotPopulated */
  #read(tid: number, address: bigint, length: number): Uint8Array | Ret {
    this.lazy.check(tid, address, length);
    const bytes = this.#memory.read(tid, address, length);
    if (bytes !== -Errno.EFAULT) return bytes;
    const [at] = this.mappings(tid, address, address + 1n);
    return at?.rights.startsWith("-w") ? read_forced(tid, address, length) : bytes;
  }

  /** @throws NotPopulated */
  write(tid: number, address: bigint, bytes: Uint8Array): Ret {
    this.lazy.check(tid, address, bytes.length, true);
    return this.#memory.write(tid, address, bytes);
  }

  /** A copy in this process of the program's fd; the caller closes it; -EBADF. */
  fd(tid: number, fd: number): Ret {
    return copyOfFd(tid, fd);
  }

  /** Gives the program a copy of `fd`. Returns the number of the copy in the program. */
  give({ id }: Notification, fd: number, cloexec = true): Ret {
    return this.listener.addFd(id, fd, cloexec ? O_CLOEXEC : 0);
  }

  /** The number of the next fd that the thread gets. */
  lowestFree(tid: number): number {
    for (let fd = 0;; fd++) if (typeof stat(`/proc/${tid}/fd/${fd}`) === "number") return fd;
  }

  /** Whether a pidfd is of the thread's own process. PIDFD_SELF and PIDFD_SELF_THREAD of linux/pidfd.h are negative. */
  isOwnPidfd(tid: number, fd: number): boolean {
    if (fd < 0) return true;
    const pid = /^Pid:\t(\d+)$/m.exec(read_text(`/proc/${tid}/fdinfo/${fd}`) ?? "")?.[1];
    return pid !== undefined && typeof stat(`/proc/${pid}/task/${tid}`) !== "number";
  }

  credentials(tid: number): Credentials {
    return new Credentials(tid, userNamespace(tid) === this.#namespace);
  }

  /** Whether the thread is in a user namespace that a program of the machine made. */
  isForeign(tid: number): boolean {
    return userNamespace(tid) !== this.#namespace;
  }

  /** The first call is made by init, before a program can have made a namespace. */
  called(tid: number): void {
    this.#namespace ??= userNamespace(tid);
  }

  /** The position and the flags (in the numbers of this architecture) of an fd, from /proc/TID/fdinfo. */
  description(tid: number, fd: number): { position: bigint; flags: number } | undefined {
    return descriptionOf(tid, fd);
  }

  /** Whether the program can take one more fd. A file is retrieved from the kernel only when it can be given. */
  has_room(tid: number): boolean {
    const limit = Number(fd_limits(tid)[0]);
    const used = (fd: number) => typeof stat(`/proc/${tid}/fd/${fd}`) !== "number";
    if (limit > 0 && !used(limit - 1)) return true;
    for (let fd = 0; fd < limit; fd++) if (!used(fd)) return true;
    return false;
  }
}

function userNamespace(tid: number): string | number {
  return readlink(`/proc/${tid}/ns/user`);
}
