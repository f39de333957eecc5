/** System calls on files, one function each. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
import { translateOpenFlags, X86_64 } from "./abi/arch.ts";
import { F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, O_CLOEXEC, O_PATH } from "./abi/fcntl.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  decodeModified,
  decodeOwner,
  decodeStatx,
  type Owner,
  STATFS_SIZE,
  STATX_BASIC_STATS,
  STATX_SIZE,
} from "./abi/stat.ts";
import { decodeOsText } from "./abi/os_text.ts";
import type { Ret, Stat } from "./abi/values.ts";
import { ARCH, cName, cString, errno, keepAlive, libc, ret } from "./libc.ts";

/** `flags` are those of x86-64 (ffi/abi/fcntl.ts) on every architecture. */
export function open(path: string, flags: number, mode = 0): Ret {
  const name = cName(path);
  const native = translateOpenFlags(flags, X86_64, ARCH);
  return ret(libc().open(name, native, mode), errno[0]);
}

export function close(fd: number): Ret {
  return ret(libc().close(fd), errno[0]);
}

/** The copy has no FD_CLOEXEC: programs started later inherit the copy. */
export function dup(fd: number): Ret {
  return ret(libc().dup(fd), errno[0]);
}

/** The copy has FD_CLOEXEC. */
export function dup_cloexec(fd: number): Ret {
  return ret(libc().fcntl(fd, F_DUPFD_CLOEXEC, 0n), errno[0]);
}

export function fcntl(fd: number, command: number, argument = 0): Ret {
  const native = command === F_SETFL ? translateOpenFlags(argument, X86_64, ARCH) : argument;
  const answer = ret(libc().fcntl(fd, command, BigInt(native)), errno[0]);
  return command === F_GETFL && answer >= 0 ? translateOpenFlags(answer, ARCH, X86_64) : answer;
}

export function read(fd: number, into: Uint8Array): Ret {
  return ret(libc().read(fd, into, BigInt(into.byteLength)), errno[0]);
}

export function write(fd: number, from: Uint8Array): Ret {
  return ret(libc().write(fd, from, BigInt(from.byteLength)), errno[0]);
}

export function pread(fd: number, into: Uint8Array, offset: bigint): Ret {
  return ret(libc().pread(fd, into, BigInt(into.byteLength), offset), errno[0]);
}

export function pwrite(fd: number, from: Uint8Array, offset: bigint): Ret {
  return ret(libc().pwrite(fd, from, BigInt(from.byteLength), offset), errno[0]);
}

/** pwrite in another thread. -1: it failed, and the errno is in that thread. The fd must stay open until the answer. */
export async function pwrite_in_thread(
  fd: number,
  from: Uint8Array<ArrayBuffer>,
  offset: bigint,
): Promise<number> {
  const answer = await libc().pwrite_nonblocking(fd, from, BigInt(from.byteLength), offset);
  keepAlive(from);
  return answer;
}

export function lseek(fd: number, offset: bigint, whence: number): bigint {
  const answer = libc().lseek(fd, offset, whence);
  if (answer >= 0n) return answer;
  // The bigint above was an allocation, which may have changed errno. A failed seek changes nothing, so repeat it.
  return BigInt(ret(libc().lseek_failure(fd, offset, whence), errno[0]));
}

export function ftruncate(fd: number, length: bigint): Ret {
  return ret(libc().ftruncate(fd, length), errno[0]);
}

export function fallocate(fd: number, mode: number, offset: bigint, length: bigint): Ret {
  return ret(libc().fallocate(fd, mode, offset, length), errno[0]);
}

export function chmod(path: string, mode: number): Ret {
  const name = cName(path);
  return ret(libc().chmod(name, mode), errno[0]);
}

export function fchown(fd: number, owner: number, group: number): Ret {
  return ret(libc().fchown(fd, owner, group), errno[0]);
}

export function fchmod(fd: number, mode: number): Ret {
  return ret(libc().fchmod(fd, mode), errno[0]);
}

export function fsync(fd: number): Ret {
  return ret(libc().fsync(fd), errno[0]);
}

/** `operation`: LOCK_SH 1, LOCK_EX 2 or LOCK_UN 8, optionally with LOCK_NB 4. */
export function flock(fd: number, operation: number): Ret {
  return ret(libc().flock(fd, operation), errno[0]);
}

export function fstat(fd: number): Stat | Ret {
  const into = new Uint8Array(STATX_SIZE);
  const answer = ret(libc().statx(fd, cName(""), AT_EMPTY_PATH, STATX_BASIC_STATS, into), errno[0]);
  return answer < 0 ? answer : decodeStatx(into);
}

/** The time of the last write, in nanoseconds since 1970. The clock of the file system often advances by 4 ms. */
export function modified_ns(fd: number): bigint | Ret {
  const into = new Uint8Array(STATX_SIZE);
  const answer = ret(libc().statx(fd, cName(""), AT_EMPTY_PATH, STATX_BASIC_STATS, into), errno[0]);
  return answer < 0 ? answer : decodeModified(into);
}

/** stat(2): follows symbolic links. */
export function stat(path: string): Stat | Ret {
  return statAt(path, 0);
}

/** lstat(2): the symbolic link itself. */
export function lstat(path: string): Stat | Ret {
  return statAt(path, AT_SYMLINK_NOFOLLOW);
}

function statAt(path: string, flags: number): Stat | Ret {
  const into = new Uint8Array(STATX_SIZE);
  const name = cName(path);
  const answer = ret(libc().statx(AT_FDCWD, name, flags, STATX_BASIC_STATS, into), errno[0]);
  return answer < 0 ? answer : decodeStatx(into);
}

/** As stat(2), with the group. */
export function owner(path: string): Owner | Ret {
  const into = new Uint8Array(STATX_SIZE);
  const answer = ret(libc().statx(AT_FDCWD, cName(path), 0, STATX_BASIC_STATS, into), errno[0]);
  return answer < 0 ? answer : decodeOwner(into);
}

/** `f_type` of the file system that has the file: `TMPFS_MAGIC` and others in ffi/abi/stat.ts. */
export function fstatfs_type(fd: number): Ret {
  const into = new Uint8Array(STATFS_SIZE);
  const answer = ret(libc().fstatfs(fd, into), errno[0]);
  return answer < 0 ? answer : new DataView(into.buffer).getUint32(0, true);
}

/** As `fstatfs_type`, by a path. */
export function statfs_type(path: string): Ret {
  const fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return fd;
  const type = fstatfs_type(fd);
  close(fd);
  return type;
}

/** linux/statfs.h */
export const ST_RDONLY = 1;
export const ST_NODEV = 4;

/** `f_flags` of the mount that a path leads to: ST_*. */
export function mount_flags(path: string): Ret {
  const fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return fd;
  const into = new Uint8Array(STATFS_SIZE);
  const answer = ret(libc().fstatfs(fd, into), errno[0]);
  close(fd);
  return answer < 0 ? answer : Number(new DataView(into.buffer).getBigUint64(80, true));
}

/** sys/stat.h. */
const [UTIME_NOW, UTIME_OMIT] = [0x3fff_ffffn, 0x3fff_fffen];
const [STATX_BTIME, STATX_MNT_ID, STATX_MNT_ID_UNIQUE] = [0x800, 0x1000, 0x4000];

/** The number of the mount that a path leads through, as mountinfo has it, or the one that is never used again (since Linux 6.8). A link in the last component is not followed. */
export function mount_id(path: string, unique = false): bigint | Ret {
  const into = new Uint8Array(STATX_SIZE);
  const name = cName(path);
  const answer = ret(
    libc().statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, unique ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID, into),
    errno[0],
  );
  return answer < 0 ? answer : new DataView(into.buffer).getBigUint64(144, true);
}

/** When a file was made, in nanoseconds since 1970; 0 where the file system does not know. */
export function born_ns(path: string): bigint {
  const into = new Uint8Array(STATX_SIZE);
  const name = cName(path);
  const answer = ret(libc().statx(AT_FDCWD, name, 0, STATX_BTIME, into), errno[0]);
  const view = new DataView(into.buffer);
  return answer < 0 ? 0n : view.getBigInt64(80, true) * 1_000_000_000n + BigInt(view.getUint32(88, true));
}

const X_OK = 1;

/** Whether a file of this name exists and this user may execute it. True for most directories as well. */
export function access_executable(path: string): boolean {
  return ret(libc().access(cName(path), X_OK), errno[0]) === 0;
}

export function rename(from: string, to: string): Ret {
  const [source, target] = [cString(from), cString(to)];
  return ret(libc().rename(source, target), errno[0]);
}

export function unlink(path: string): Ret {
  const name = cName(path);
  return ret(libc().unlink(name), errno[0]);
}

export function rmdir(path: string): Ret {
  const name = cName(path);
  return ret(libc().rmdir(name), errno[0]);
}

export function mkdir(path: string, mode: number): Ret {
  const name = cName(path);
  return ret(libc().mkdir(name, mode), errno[0]);
}

export function symlink(text: string, path: string): Ret {
  const [target, name] = [cName(text), cName(path)];
  return ret(libc().symlink(target, name), errno[0]);
}

/** futimens(3): the times that are chosen become now, the others stay. */
export function touch(fd: number, chosen: { readonly atime: boolean; readonly mtime: boolean }): Ret {
  const time = (now: boolean) => [0n, now ? UTIME_NOW : UTIME_OMIT];
  const times = new BigInt64Array([...time(chosen.atime), ...time(chosen.mtime)]);
  return ret(libc().futimens(fd, new Uint8Array(times.buffer)), errno[0]);
}

export function mkfifo(path: string, mode: number): Ret {
  const name = cName(path);
  return ret(libc().mkfifo(name, mode), errno[0]);
}

export function readlink(path: string): string | Ret {
  const name = cName(path);
  linkText ??= new Uint8Array(LINK_BYTES);
  const answer = ret(libc().readlink(name, linkText, BigInt(LINK_BYTES)), errno[0]);
  return answer < 0 ? answer : decodeOsText(linkText.subarray(0, answer));
}

/** The text of a link. To allocate it for every call takes longer than the call. */
let linkText: Uint8Array<ArrayBuffer> | undefined;
const LINK_BYTES = 4096;

/** linkat(2) of `/proc/self/fd/FD`: gives an O_TMPFILE file a name. */
export function link_fd(fd: number, path: string): Ret {
  const [source, target] = [cString(`/proc/self/fd/${fd}`), cString(path)];
  return ret(libc().linkat(AT_FDCWD, source, AT_FDCWD, target, AT_SYMLINK_FOLLOW), errno[0]);
}

export function memfd_create(name: string, flags: number): Ret {
  const raw = cName(name);
  return ret(libc().memfd_create(raw, flags), errno[0]);
}

/** Reads at `offset` and leaves the position of `in_fd` alone. With null, reads at the position and moves it. */
export function sendfile(out_fd: number, in_fd: number, offset: bigint | null, count: number): Ret {
  const at = offset === null ? null : new BigInt64Array([offset]);
  return ret(libc().sendfile(out_fd, in_fd, at, BigInt(count)), errno[0]);
}

export function pipe2(flags: number): [read: number, write: number] | Ret {
  const into = new Int32Array(2);
  const answer = ret(libc().pipe2(into, flags), errno[0]);
  return answer < 0 ? answer : [into[0] ?? -1, into[1] ?? -1];
}

const FIONREAD = 0x541b;

/** The number of unread bytes in a pipe or socket. */
export function waiting_bytes(fd: number): Ret {
  const into = new Int32Array(1);
  const answer = ret(libc().ioctl(fd, FIONREAD, into), errno[0]);
  return answer < 0 ? answer : into[0] ?? 0;
}
