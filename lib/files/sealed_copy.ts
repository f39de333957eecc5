/** Copies a kernel or an initramfs whole into a sealed memfd, so that the bytes that are judged are the bytes that are executed. */
import process from "node:process";
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { fcntl, fstat, memfd_create, modified_ns, pread, sendfile, write } from "../../ffi/file.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { hostAvailableMemory } from "./free_memory.ts";
import { HostFd } from "./host_fd.ts";
import { isOpenForWriting } from "./open_for_writing.ts";
import type { End } from "./transfer.ts";

const SEALS = abi.F_SEAL_WRITE | abi.F_SEAL_SHRINK | abi.F_SEAL_GROW | abi.F_SEAL_SEAL;
/** The longest file that kernel_read_file() of fs/kernel_read_file.c reads. */
const FILE_SIZE_MAX = 0x7fffffff;
const PIECE_BYTES = 8 << 20;
/** A kernel takes several initramfs in one file, each at a multiple of 4 (init/initramfs.c); GRUB pads them the same way. */
const ALIGNMENT = 4;

/** A memfd with contents that no program can change. */
export class SealedCopy implements Disposable {
  readonly fd: HostFd;
  readonly size: number;
  readonly name: string;

  private constructor(fd: HostFd, size: number, name: string) {
    this.fd = fd;
    this.size = size;
    this.name = name;
  }

  /**
   * The copy of one file, or of several one after the other. A memfd that is sealed already is taken as it is. `fd` of each
   * stays open and its position does not move; `name` is ready to print: `initrd "/boot/initrd.img"`.
   *
   * @throws LuoError `kexec load` of the file at fault: EISDIR, EINVAL (no regular file, or empty), EFBIG, ETXTBSY (a
   * program writes to it), ENOMEM; `read`
   */
  static of(sources: readonly End[]): SealedCopy {
    const sizes = sources.map(sizeOf);
    const name = sources.map((source) => source.name).join(" and ");
    const total = sizes.reduce((sum, size) => align(sum) + size, 0);
    if (total > FILE_SIZE_MAX) {
      throw failed(name, Errno.EFBIG, `it has ${total} bytes, the kernel takes at most ${FILE_SIZE_MAX}`);
    }
    const [only] = sources;
    if (only !== undefined && sources.length === 1 && isSealed(only.fd)) {
      const fd = new HostFd(check(fcntl(only.fd, abi.F_DUPFD_CLOEXEC, 0), "read", name));
      return new SealedCopy(fd, total, name);
    }
    checkMemory(total, name);
    return new SealedCopy(copy(sources, sizes), total, name);
  }

  /** A sealed memfd with these bytes. @throws LuoError `kexec load`: ENOMEM; `create`, `write`, `seal` */
  static ofBytes(bytes: Uint8Array, name: string): SealedCopy {
    checkMemory(bytes.length, name);
    const memfd = new HostFd(createMemfd());
    try {
      writeAll(memfd.number, bytes);
      check(fcntl(memfd.number, abi.F_ADD_SEALS, SEALS), "seal", "the copy of the image");
      return new SealedCopy(memfd, bytes.length, name);
    } catch (error) {
      memfd[Symbol.dispose]();
      throw error;
    }
  }

  /** Bytes of it, fewer at the end. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    return bytes.subarray(0, check(pread(this.fd.number, bytes, BigInt(offset)), "read", this.name));
  }

  /** `sha256:` and 64 hex digits. */
  digest(): string {
    // The agent answers call after call and cannot wait for an import; loading node:crypto with the agent would cost each start 19 ms.
    const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
    for (let offset = 0; offset < this.size; offset += PIECE_BYTES) {
      hash.update(this.read(offset, PIECE_BYTES));
    }
    return `sha256:${hash.digest("hex")}`;
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

function failed(name: string, errno: number, why: string): LuoError {
  return new LuoError("kexec load", name, errno, `Cannot load ${name}: ${why}`);
}

/** @throws LuoError what kexec_file_load(2) would not take */
function sizeOf({ fd, name }: End): number {
  const { mode, size } = check<Stat>(fstat(fd), "read", name);
  const type = mode & abi.S_IFMT;
  if (type === abi.S_IFDIR) throw failed(name, Errno.EISDIR, "it is a directory");
  if (type !== abi.S_IFREG) throw failed(name, Errno.EINVAL, "it is no regular file");
  if (size === 0n) throw failed(name, Errno.EINVAL, "the file is empty");
  // Half of it may be written. The kernel would refuse the file itself, but does not know of the copy.
  if (isOpenForWriting(fd)) throw failed(name, Errno.ETXTBSY, "it is open for writing");
  return Number(size);
}

function isSealed(fd: number): boolean {
  const needed = abi.F_SEAL_WRITE | abi.F_SEAL_SHRINK | abi.F_SEAL_GROW;
  const seals = fcntl(fd, abi.F_GET_SEALS);
  return seals >= 0 && (seals & needed) === needed;
}

function checkMemory(bytes: number, name: string): void {
  const available = hostAvailableMemory();
  if (available === undefined || BigInt(bytes) < available) return;
  throw failed(name, Errno.ENOMEM, `it has ${bytes} bytes, and ${available} bytes of memory are available`);
}

function copy(sources: readonly End[], sizes: readonly number[]): HostFd {
  const memfd = new HostFd(createMemfd());
  try {
    let end = 0;
    sources.forEach((source, at) => {
      pad(memfd.number, align(end) - end);
      const size = sizes[at] ?? 0;
      copyOne(source, memfd.number, size);
      end = align(end) + size;
    });
    check(fcntl(memfd.number, abi.F_ADD_SEALS, SEALS), "seal", "the copy of the image");
    return memfd;
  } catch (error) {
    memfd[Symbol.dispose]();
    throw error;
  }
}

/** Never executed as a program, so MFD_NOEXEC_SEAL suits every vm.memfd_noexec. Kernels before 6.3 do not know the flag. */
function createMemfd(): number {
  const flags = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING;
  const fd = memfd_create("luo-image", flags | abi.MFD_NOEXEC_SEAL);
  return check(fd === -Errno.EINVAL ? memfd_create("luo-image", flags) : fd, "create", "a memfd");
}

function copyOne(source: End, to: number, size: number): void {
  const written = modified_ns(source.fd);
  for (let offset = 0; offset < size;) {
    const moved = copyPiece(source, to, offset, Math.min(size - offset, PIECE_BYTES));
    if (moved === 0) break;
    offset += moved;
  }
  const after = check<Stat>(fstat(source.fd), "read", source.name);
  if (modified_ns(source.fd) === written && after.size === BigInt(size)) return;
  throw failed(source.name, Errno.ETXTBSY, "it was written to while it was read");
}

/** sendfile(2) copies without this program's memory. Some file systems do not support it. */
function copyPiece({ fd, name }: End, to: number, offset: number, length: number): number {
  const sent = sendfile(to, fd, BigInt(offset), length);
  if (sent >= 0) return sent;
  const bytes = new Uint8Array(Math.min(length, 1 << 20));
  const got = pread(fd, bytes, BigInt(offset));
  if (got === -Errno.EINTR) return copyPiece({ fd, name }, to, offset, length);
  writeAll(to, bytes.subarray(0, check(got, "read", name)));
  return got;
}

function pad(to: number, length: number): void {
  writeAll(to, new Uint8Array(length));
}

function writeAll(to: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += check(write(to, bytes.subarray(at)), "write", "the copy of the image");
  }
}

function align(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}
