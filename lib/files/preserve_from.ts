import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { fcntl, fstat, lseek, memfd_create, modified_ns, open } from "../../ffi/file.ts";
import { pidfd_getfd, pidfd_open } from "../../ffi/process.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { HostFd } from "./host_fd.ts";
import { checkMemory } from "./free_memory.ts";
import { FileProblem } from "./file_problem.ts";
import { checkStandard } from "./standard_streams.ts";
import { transfer } from "./transfer.ts";

/** Where the bytes to preserve come from. `file` and `stdin` are copied, the other two are preserved as they are. */
export type Source =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdin" }
  | { readonly kind: "fd"; readonly fd: number }
  | { readonly kind: "process"; readonly pid: number; readonly fd: number };

export interface TakeOptions {
  /** Do not ask whether memory is enough. */
  readonly force?: boolean;
  /** Told how much will be copied (undefined: nobody knows), once, and then of every piece. */
  readonly onStart?: (total: bigint | undefined) => void;
  readonly onBytes?: (bytes: number) => void;
}

/** How messages call a source. */
export function sourceName(source: Source): string {
  switch (source.kind) {
    case "file":
      return JSON.stringify(source.path);
    case "stdin":
      return "standard input";
    case "fd":
      return `file descriptor ${source.fd}`;
    case "process":
      return `file descriptor ${source.fd} of process ${source.pid}`;
  }
}

/**
 * A file that can be preserved: a new memfd with the copied bytes (its position at 0), or the given open file itself.
 *
 * @throws LuoError `read`, `write`, `pidfd_open`, `pidfd_getfd`, `preserve` (no handler takes it); FileProblem `unsuitable`, `changed`, `memory`
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
  const name = JSON.stringify(path);
  // Non-blocking: opening a FIFO would wait for its writer before we could refuse it.
  const flags = abi.O_RDONLY | abi.O_CLOEXEC | abi.O_NONBLOCK;
  const fd = new HostFd(check(open(path, flags), "read", name));
  const kind = kindOf(check<Stat>(fstat(fd.number), "read", name).mode);
  if (kind === "regular file") return fd;
  fd[Symbol.dispose]();
  const hint = kind === "directory"
    ? `pack it: tar c ${name} | luo file preserve ... --stdin`
    : "read it through a pipe: --stdin";
  throw new FileProblem("unsuitable", `Cannot preserve ${name}: it is a ${kind}`, [hint]);
}

/** stat(2)'s file type in words. */
function kindOf(mode: number): string {
  switch (mode & abi.S_IFMT) {
    case abi.S_IFREG:
      return "regular file";
    case abi.S_IFDIR:
      return "directory";
    case abi.S_IFIFO:
      return "FIFO";
    case abi.S_IFSOCK:
      return "socket";
    default:
      return "device";
  }
}

/** Where reading begins; 0 for what has no position. */
function position(fd: number): bigint {
  const answer = lseek(fd, 0n, abi.SEEK_CUR);
  return answer < 0n ? 0n : answer;
}

async function copyFrom(from: number, name: string, start: bigint, options: TakeOptions): Promise<HostFd> {
  const { force = false, onStart, onBytes } = options;
  const before = check<Stat>(fstat(from), "read", name);
  const kind = kindOf(before.mode);
  if (kind === "directory") throw new FileProblem("unsuitable", `Cannot preserve ${name}: it is a directory`);
  // Files of /proc and /sys are regular and have size 0, whatever is in them.
  const total = kind === "regular file" && before.size > start ? before.size - start : undefined;
  if (!force) checkMemory(total ?? 0n, name);
  onStart?.(total);
  const written = modified_ns(from);
  const memfd = createMemfd();
  try {
    const moved = await transfer({ fd: from, name }, { fd: memfd.number, name: "memory" }, {
      limit: total,
      onBytes: memoryWatch(name, force, onBytes),
    });
    if (total !== undefined) {
      checkUnchanged(from, name, start, before.size, moved);
      checkNotRewritten(from, name, written);
    }
    // The position survives the kexec too: whoever restores the file reads it from its start.
    check(lseek(memfd.number, 0n, abi.SEEK_SET), "write", "memory");
    return memfd;
  } catch (error) {
    memfd[Symbol.dispose]();
    throw error;
  }
}

/** Looks at the memory left every 64 MiB: other programs grow too, and the length may be unknown. */
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

function checkUnchanged(from: number, name: string, start: bigint, size: bigint, moved: bigint): void {
  const after = check<Stat>(fstat(from), "read", name);
  if (start + moved === size && after.size === size) return;
  throw new FileProblem(
    "changed",
    `Cannot preserve ${name}: it changed while it was read (from ${size} to ${after.size} bytes)`,
    ["nothing was preserved: try again when nobody writes to it"],
  );
}

/** Rewritten in place: half of it would be old and half new. Writes through a shared mapping may show only later. */
function checkNotRewritten(from: number, name: string, written: bigint | number): void {
  if (modified_ns(from) === written) return;
  throw new FileProblem("changed", `Cannot preserve ${name}: it was written to while it was read`, [
    "nothing was preserved: try again when nobody writes to it",
  ]);
}

/**
 * A memfd as everybody's: may be sealed, comes back writable. MFD_EXEC keeps vm.memfd_noexec from adding F_SEAL_EXEC, with which
 * a file comes back read-only for ever; kernels before 6.3 do not know it.
 */
function createMemfd(): HostFd {
  const flags = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING;
  let number = memfd_create("luo", flags | abi.MFD_EXEC);
  if (number === -Errno.EINVAL) number = memfd_create("luo", flags);
  return new HostFd(check(number, "create", "a memfd"));
}

/** A descriptor that came over exec. One with FD_CLOEXEC cannot have: it is the runtime's own. */
function inherited(number: number): HostFd {
  const flags = fcntl(number, abi.F_GETFD);
  if (flags < 0 || (flags & abi.FD_CLOEXEC) !== 0) {
    throw new LuoError("read", `file descriptor ${number}`, Errno.EBADF);
  }
  return new HostFd(check(fcntl(number, abi.F_DUPFD_CLOEXEC, 0), "read", `file descriptor ${number}`));
}

function ofProcess(pid: number, number: number): HostFd {
  using pidfd = new HostFd(check(pidfd_open(pid, 0), "pidfd_open", `process ${pid}`));
  return new HostFd(
    check(pidfd_getfd(pidfd.number, number, 0), "pidfd_getfd", `file descriptor ${number} of process ${pid}`),
  );
}

/**
 * Only files of tmpfs and memfds have seals (mm/memfd.c), and only those have a handler in the kernel: what would be ENOENT there is
 * told here, before anybody thinks about how such a file would come back.
 */
function preservable(fd: HostFd, name: string): HostFd {
  if (fcntl(fd.number, abi.F_GET_SEALS) !== -Errno.EINVAL) return fd;
  fd[Symbol.dispose]();
  throw new LuoError("preserve", name, Errno.ENOENT, `Cannot preserve ${name}: no handler takes this file`);
}

const SEALS = abi.F_SEAL_SEAL | abi.F_SEAL_SHRINK | abi.F_SEAL_GROW | abi.F_SEAL_WRITE;

/** Nobody can change the contents any more. @throws LuoError `seal` */
export function seal(fd: HostFd, name: string): void {
  check(fcntl(fd.number, abi.F_ADD_SEALS, SEALS), "seal", name);
}

/** Whether the contents can no longer change. */
export function isSealed(fd: HostFd): boolean {
  const seals = fcntl(fd.number, abi.F_GET_SEALS);
  return seals >= 0 && (seals & abi.F_SEAL_WRITE) !== 0;
}
