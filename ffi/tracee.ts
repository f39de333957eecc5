/** Another process: its memory, its limits, its end. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
import { Errno } from "./abi/errno.ts";
import { O_CLOEXEC, O_RDONLY, O_RDWR } from "./abi/fcntl.ts";
import { PAGE_SIZE } from "./abi/page.ts";
import type { Ret } from "./abi/values.ts";
import { close, open, pread, pwrite } from "./file.ts";
import { addressOf, errno, keepAlive, libc, ret } from "./libc.ts";
import { read_text } from "./proc.ts";

const PR_SET_CHILD_SUBREAPER = 36;
const [RLIMIT_FSIZE, RLIMIT_NOFILE] = [1, 7];
const RLIM_INFINITY = 2n ** 64n - 1n;
export const WNOHANG = 1;

/** Copies memory of a process through one buffer, which is used again by the next copy. */
export class Memory {
  readonly #buffer = new Uint8Array(1 << 20);
  readonly #address = addressOf(this.#buffer);
  readonly #local = new BigUint64Array(2);
  readonly #remote = new BigUint64Array(2);

  /** The most that one read or write moves. */
  get limit(): number {
    return this.#buffer.length;
  }

  /**
   * Up to `length` bytes, fewer when unmapped memory follows; -EFAULT when none can be read. Valid until the next
   * call.
   */
  read(pid: number, address: bigint, length: number): Uint8Array | Ret {
    this.#aim(address, Math.min(length, this.limit));
    let got = ret(libc().process_vm_readv(pid, this.#local, 1n, this.#remote, 1n, 0n), errno[0]);
    if (got === -Errno.ENOSYS) got = this.#byFile(pid, address, Math.min(length, this.limit), pread);
    return got < 0 ? got : this.#buffer.subarray(0, got);
  }

  /** Writes all bytes. -EFAULT: a part may have been written. */
  write(pid: number, address: bigint, bytes: Uint8Array): Ret {
    this.#buffer.set(bytes);
    this.#aim(address, bytes.length);
    let done = ret(libc().process_vm_writev(pid, this.#local, 1n, this.#remote, 1n, 0n), errno[0]);
    if (done === -Errno.ENOSYS) done = this.#byFile(pid, address, bytes.length, pwrite);
    return done < 0 ? done : done === bytes.length ? 0 : -Errno.EFAULT;
  }

  /**
   * For kernels without CONFIG_CROSS_MEMORY_ATTACH: through /proc/PID/mem, which also writes to memory that the process itself can
   * only read.
   */
  #byFile(pid: number, address: bigint, length: number, move: typeof pread): Ret {
    const fd = open(`/proc/${pid}/mem`, O_RDWR | O_CLOEXEC);
    if (fd < 0) return fd;
    const moved = move(fd, this.#buffer.subarray(0, length), address);
    close(fd);
    // EINVAL: an address of the kernel's half is a negative offset.
    return moved === -Errno.EIO || moved === -Errno.EINVAL ? -Errno.EFAULT : moved;
  }

  #aim(address: bigint, length: number): void {
    [this.#local[0], this.#local[1]] = [this.#address, BigInt(length)];
    [this.#remote[0], this.#remote[1]] = [address, BigInt(length)];
  }
}

/**
 * Reads one byte of a process in another thread: the page is there afterwards, if it can be. This may take as long as a handler of
 * the process takes that fills the page (userfaultfd). `writes`: the byte is written back, so that the page can be written afterwards.
 */
export async function touch(pid: number, address: bigint, writes: boolean): Promise<void> {
  const byte = new Uint8Array(1);
  const local = new BigUint64Array([addressOf(byte), 1n]);
  const remote = new BigUint64Array([address, 1n]);
  const got = await libc().process_vm_readv_nonblocking(pid, local, 1n, remote, 1n, 0n);
  if (writes && got === 1) await libc().process_vm_writev_nonblocking(pid, local, 1n, remote, 1n, 0n);
  keepAlive(byte, local, remote);
}

/** Reads memory that the process may write and not read: for the kernel it is readable on most processors. */
export function read_forced(pid: number, address: bigint, length: number): Uint8Array<ArrayBuffer> | Ret {
  const fd = open(`/proc/${pid}/mem`, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const into = new Uint8Array(length);
  const got = pread(fd, into, address);
  close(fd);
  return got < 0 ? -Errno.EFAULT : into.subarray(0, got);
}

/** The entries of /proc/PID/pagemap, a u64 for each page from the one of `address` on; none when it cannot be read. */
export function pagemap(pid: number, address: bigint, pages: number): BigUint64Array {
  const entries = new BigUint64Array(pages);
  const fd = open(`/proc/${pid}/pagemap`, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return entries.subarray(0, 0);
  const got = pread(fd, new Uint8Array(entries.buffer), address / BigInt(PAGE_SIZE) * 8n);
  close(fd);
  return entries.subarray(0, Math.max(0, got) >> 3);
}

/** Descendants of this process that lose their parent become its children from now on. */
export function set_child_subreaper(): Ret {
  return ret(libc().prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n), errno[0]);
}

/**
 * waitpid(2): the child that ended, and its status. pid is 0 when no child has ended (WNOHANG); -ECHILD when there is
 * no child.
 */
export function waitpid(pid: number, options: number): { pid: number; status: number } | Ret {
  const status = new Int32Array(1);
  const answer = ret(libc().waitpid(pid, status, options), errno[0]);
  return answer < 0 ? answer : { pid: answer, status: status[0] ?? 0 };
}

/** RLIMIT_NOFILE of a process, soft and hard; zeros when the process is gone. */
export function fd_limits(pid: number): [soft: bigint, hard: bigint] {
  return limits(pid, RLIMIT_NOFILE, "Max open files") ?? [0n, 0n];
}

/** RLIMIT_FSIZE of a process: no write goes past this offset. */
export function file_size_limit(pid: number): bigint {
  return limits(pid, RLIMIT_FSIZE, "Max file size")?.[0] ?? RLIM_INFINITY;
}

/** prlimit(2) refuses for processes of another user; /proc/PID/limits tells them too, by name. */
function limits(pid: number, resource: number, name: string): [soft: bigint, hard: bigint] | undefined {
  const into = new BigUint64Array(2);
  const answer = ret(libc().prlimit(pid, resource, null, into), errno[0]);
  if (answer === 0) return [into[0] ?? 0n, into[1] ?? 0n];
  const line = read_text(`/proc/${pid}/limits`)?.split("\n").find((one) => one.startsWith(name));
  const [soft, hard] = line?.slice(name.length).trim().split(/\s+/) ?? [];
  const value = (word: string) => word === "unlimited" ? RLIM_INFINITY : BigInt(word);
  return soft === undefined || hard === undefined ? undefined : [value(soft), value(hard)];
}
