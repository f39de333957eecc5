/** Makes a file that can be preserved from what the user named: a path, standard input, or an open file. */
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import {
  fcntl,
  fstat,
  fstatfs_type,
  ftruncate,
  lseek,
  memfd_create,
  modified_ns,
  open,
} from "../../ffi/file.ts";
import { CONFIGFS_MAGIC, HUGETLBFS_MAGIC, SYSFS_MAGIC } from "../../ffi/abi/stat.ts";
import { pidfd_getfd, pidfd_open } from "../../ffi/process.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { HostFd } from "./host_fd.ts";
import { copyBlocks } from "./block_copy.ts";
import { checkMemory } from "./free_memory.ts";
import { extentsWithoutHoles } from "./data_extents.ts";
import { kindOf } from "./file_kind.ts";
import { FileProblem } from "./file_problem.ts";
import { checkStandard } from "./standard_streams.ts";
import { type End, transfer } from "./transfer.ts";

/** The source of the bytes to preserve. `file` and `stdin` are copied; the open files of `fd` and `process` are preserved themselves. */
export type Source =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdin" }
  | { readonly kind: "fd"; readonly fd: number }
  | { readonly kind: "process"; readonly pid: number; readonly fd: number };

export interface TakeOptions {
  /** Do not ask whether memory is enough. */
  readonly force?: boolean;
  /** Called once with the number of bytes to copy; undefined when the source does not tell. */
  readonly onStart?: (total: bigint | undefined) => void;
  /** Called after each piece with its number of bytes. */
  readonly onBytes?: (bytes: number) => void;
  /** Sees the bytes of a regular file as they are copied. It sees none of other sources. */
  readonly onData?: (bytes: Uint8Array) => void;
}

/** The name of a source in messages. */
export function sourceName(source: Source): string {
  switch (source.kind) {
    case "file":
      return `"${source.path}"`;
    case "stdin":
      return "standard input";
    case "fd":
      return `file descriptor ${source.fd}`;
    case "process":
      return `file descriptor ${source.fd} of process ${source.pid}`;
  }
}

/**
 * Returns a new memfd with the copied bytes and its position at 0, or a descriptor of the given open file.
 *
 * @throws LuoError `read`, `write`, `pidfd_open`, `pidfd_getfd`; FileProblem `no-handler`, `source-kind`,
 * `source-resized`, `source-written`, `memory`
 */
export async function copyToMemfd(source: Source, options: TakeOptions = {}): Promise<HostFd> {
  switch (source.kind) {
    case "file": {
      using fd = openFile(source.path);
      return await copyFrom(fd.number, sourceName(source), 0n, options);
    }
    case "stdin":
      checkStandard(0, "read", sourceName(source));
      return await copyFrom(0, sourceName(source), position(0), options);
    case "fd":
      return preservable(inherited(source.fd), sourceName(source));
    case "process":
      return preservable(ofProcess(source.pid, source.fd), sourceName(source));
  }
}

function openFile(path: string): HostFd {
  const name = `"${path}"`;
  // Non-blocking: open(2) of a FIFO would otherwise wait for a writer.
  const flags = abi.O_RDONLY | abi.O_CLOEXEC | abi.O_NONBLOCK;
  const fd = new HostFd(check(open(path, flags), "read", name));
  const kind = kindOf(check<Stat>(fstat(fd.number), "read", name).mode);
  if (kind === "regular file") return fd;
  fd[Symbol.dispose]();
  throw new FileProblem("source-kind", { file: name, kind });
}

/** The position at which reading begins; 0 for files that have no position. */
function position(fd: number): bigint {
  const answer = lseek(fd, 0n, abi.SEEK_CUR);
  return answer < 0n ? 0n : answer;
}

async function copyFrom(from: number, name: string, start: bigint, options: TakeOptions): Promise<HostFd> {
  const { force = false, onStart, onBytes, onData } = options;
  const before = check<Stat>(fstat(from), "read", name);
  const kind = kindOf(before.mode);
  if (kind === "directory") throw new FileProblem("source-kind", { file: name, kind });
  // Files of /proc are regular and have the size 0, whatever their contents.
  const told = kind === "regular file" && before.size > start && !isPaged(from);
  const total = told ? before.size - start : undefined;
  if (!force) checkMemory(total ?? 0n, name);
  onStart?.(total);
  const written = modified_ns(from);
  const memfd = createMemfd();
  try {
    const [source, target] = [{ fd: from, name }, { fd: memfd.number, name: "memory" }];
    const watch = memoryWatch(name, force, onBytes);
    if (total === undefined) await transfer(source, target, { onBytes: watch });
    else {
      const end = await copyData(source, target, start, before.size, watch, onData);
      checkUnchanged(from, name, before.size, end);
      checkNotRewritten(from, name, written);
    }
    // The position survives the kexec: the restored file shall be read from its start.
    check(lseek(memfd.number, 0n, abi.SEEK_SET), "write", "memory");
    return memfd;
  } catch (error) {
    memfd[Symbol.dispose]();
    throw error;
  }
}

/** Files of sysfs and configfs have the size of a page, whatever their contents. */
function isPaged(fd: number): boolean {
  const type = fstatfs_type(fd);
  return type === SYSFS_MAGIC || type === CONFIGFS_MAGIC;
}

/** Copies everything that is not a hole. Leaves the position of the source after the last byte. @returns where reading ended */
async function copyData(
  source: End,
  target: End,
  start: bigint,
  end: bigint,
  onBytes: (bytes: number) => void,
  onData: TakeOptions["onData"],
): Promise<bigint> {
  check(ftruncate(target.fd, end - start), "write", target.name);
  if (onData !== undefined) {
    const all = { offset: start, length: end - start };
    const moved = await copyBlocks(source, target, all, { at: 0n, onData, onBytes });
    check(lseek(source.fd, start + moved, abi.SEEK_SET), "read", source.name);
    return start + moved;
  }
  let done = start;
  for (const { offset, length } of extentsWithoutHoles(source.fd, start, end)) {
    if (offset > done) onBytes(Number(offset - done));
    check(lseek(target.fd, offset - start, abi.SEEK_SET), "write", target.name);
    const moved = await transfer(source, target, { offset, limit: length, onBytes });
    done = offset + moved;
    if (moved < length) return done;
  }
  if (end > done) onBytes(Number(end - done));
  check(lseek(source.fd, end, abi.SEEK_SET), "read", source.name);
  return end;
}

/** Checks the available memory every 64 MiB: other programs grow too, and the length may be unknown. */
function memoryWatch(
  name: string,
  force: boolean,
  onBytes?: (bytes: number) => void,
): (bytes: number) => void {
  let unseen = 0;
  return (bytes) => {
    onBytes?.(bytes);
    unseen += bytes;
    if (force || unseen < 64 << 20) return;
    unseen = 0;
    checkMemory(0n, name);
  };
}

function checkUnchanged(from: number, name: string, size: bigint, end: bigint): void {
  const after = check<Stat>(fstat(from), "read", name);
  if (end === size && after.size === size) return;
  throw new FileProblem("source-resized", { file: name, before: size, after: after.size });
}

/** A file rewritten in place would be half old, half new. Writes through a shared mapping may change its time only later. */
function checkNotRewritten(from: number, name: string, written: bigint | number): void {
  if (modified_ns(from) === written) return;
  throw new FileProblem("source-written", { file: name });
}

/**
 * The memfd allows seals and comes back writable. MFD_EXEC keeps vm.memfd_noexec from adding F_SEAL_EXEC, which would bring the
 * file back sealed against writing. Kernels before 6.3 do not know MFD_EXEC.
 */
function createMemfd(): HostFd {
  const flags = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING;
  let number = memfd_create("luo", flags | abi.MFD_EXEC);
  if (number === -Errno.EINVAL) number = memfd_create("luo", flags);
  return new HostFd(check(number, "create", "a memfd"));
}

/** A descriptor that the caller passed on. One with FD_CLOEXEC did not come from the caller: it is the runtime's own. */
function inherited(number: number): HostFd {
  const flags = fcntl(number, abi.F_GETFD);
  if (flags < 0 || (flags & abi.FD_CLOEXEC) !== 0) {
    throw new LuoError("read", `file descriptor ${number}`, Errno.EBADF);
  }
  return new HostFd(check(fcntl(number, abi.F_DUPFD_CLOEXEC, 0), "read", `file descriptor ${number}`));
}

function ofProcess(pid: number, number: number): HostFd {
  const process = pidfd_open(pid, 0);
  if (process < 0) {
    throw new LuoError("pidfd_open", `process ${pid}`, -process, `Cannot open process ${pid}`);
  }
  using pidfd = new HostFd(process);
  const subject = `file descriptor ${number} of process ${pid}`;
  const fd = pidfd_getfd(pidfd.number, number, 0);
  if (fd < 0) throw new LuoError("pidfd_getfd", subject, -fd, `Cannot take ${subject}`);
  return new HostFd(fd);
}

/**
 * Refuses what the kernel would refuse with ENOENT, and says why. Files of tmpfs and memfds have seals (mm/memfd.c). The kernel's
 * handler takes those without a name; memfds of huge pages have seals and lie on hugetlbfs.
 */
function preservable(fd: HostFd, file: string): HostFd {
  const why = fcntl(fd.number, abi.F_GET_SEALS) === -Errno.EINVAL
    ? "not in memory"
    : fstatfs_type(fd.number) === HUGETLBFS_MAGIC
    ? "huge pages"
    : check<Stat>(fstat(fd.number), "read", file).nlink > 0
    ? "a name"
    : undefined;
  if (why === undefined) return fd;
  fd[Symbol.dispose]();
  throw new FileProblem("no-handler", { file, why });
}

const SEALS = abi.F_SEAL_SEAL | abi.F_SEAL_SHRINK | abi.F_SEAL_GROW | abi.F_SEAL_WRITE;

/** Makes the contents unchangeable for every holder of the file. @throws LuoError `seal` */
export function seal(fd: HostFd, name: string): void {
  check(fcntl(fd.number, abi.F_ADD_SEALS, SEALS), "seal", name);
}

/** Whether the contents can no longer change. */
export function isSealed(fd: HostFd): boolean {
  const seals = fcntl(fd.number, abi.F_GET_SEALS);
  return seals >= 0 && (seals & abi.F_SEAL_WRITE) !== 0;
}
