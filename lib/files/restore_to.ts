/** Writes a restored file to a path or to an open descriptor. */
import { Errno } from "../../ffi/abi/errno.ts";
import {
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  S_IFLNK,
  S_IFMT,
} from "../../ffi/abi/fcntl.ts";
import { fchmod, fcntl, fstat, fsync, ftruncate, link_fd, open, rename, unlink } from "../../ffi/file.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { HostFd } from "./host_fd.ts";
import { copyBlocks } from "./block_copy.ts";
import { transferData } from "./data_transfer.ts";
import { extentsOfMemfd } from "./data_extents.ts";
import { checkDigest, startDigest } from "./digest.ts";
import { kindOf } from "./file_kind.ts";
import { FileProblem } from "./file_problem.ts";
import { checkProc } from "./system_files.ts";
import { type End, transfer } from "./transfer.ts";

/** A restored file to write. */
export interface Restored extends End {
  readonly size: bigint;
}

export interface GiveOptions {
  /** Replace a file that is there. */
  readonly replace?: boolean;
  /** Permission bits of the file; by default those of the file that is replaced, or `NEW_FILE_MODE`. */
  readonly mode?: number;
  /** The digest that the contents must have. Otherwise the path does not change (FileProblem `digest`). */
  readonly digest?: string;
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

const PIPE_BYTES = 1 << 20;

/** A preserved file is the memory of a program, so other users may not read the restored file, unless `--mode` says so. */
const NEW_FILE_MODE = 0o600;

/** A path to write, taken apart. */
export interface Target {
  readonly path: string;
  readonly directory: string;
  readonly name: string;
}

/** @throws FileProblem `target-form` */
export function parseTarget(path: string): Target {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (name === "" || name === "." || name === "..") {
    throw new FileProblem("target-form", { path });
  }
  return { path, directory: slash < 0 ? "." : path.slice(0, slash + 1), name };
}

/**
 * Checks before any work is done that the directory is there and that the path is free or may be replaced.
 *
 * @returns the permission bits of the regular file at the path, if there is one
 * @throws FileProblem `target-exists`, `target-directory`, `target-kind`; LuoError `write`
 */
export function checkTarget(target: Target, replace: boolean): number | undefined {
  const directory = open(target.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory === -Errno.ENOENT || directory === -Errno.ENOTDIR) {
    const errno = directory === -Errno.ENOENT ? "ENOENT" : "ENOTDIR";
    throw new FileProblem("target-directory", { path: target.path, directory: target.directory, errno });
  }
  if (directory >= 0) new HostFd(directory)[Symbol.dispose]();
  const number = open(target.path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (number < 0) return undefined;
  using there = new HostFd(number);
  const { mode } = check<Stat>(fstat(there.number), "write", `"${target.path}"`);
  const isLink = (mode & S_IFMT) === S_IFLNK;
  const kind = kindOf(mode);
  // A device is never replaced: replacing /dev/null would take it away from every program.
  if (!isLink && kind !== "regular file") throw new FileProblem("target-kind", { path: target.path, kind });
  if (!replace) throw new FileProblem("target-exists", { path: target.path });
  // A symbolic link is replaced itself.
  if (isLink) return undefined;
  // Set-user-ID and the like are not kept: they were given to other contents.
  return mode & 0o777;
}

/**
 * Writes the file so that `path` has all of it or does not change at all. The bytes go into a file without a name (O_TMPFILE), or
 * with a temporary name where the file system has no O_TMPFILE. That file is synced, then linked or renamed to `path`. A symbolic
 * link at `path` is replaced itself, never followed.
 *
 * @throws FileProblem `target-exists`, `target-directory`, `target-kind`, `restored-short`, `digest`; LuoError `read`, `write`; the signal's reason
 */
export async function giveToFile(file: Restored, target: Target, options: GiveOptions = {}): Promise<void> {
  const { replace = false } = options;
  const before = checkTarget(target, replace);
  const mode = options.mode ?? before ?? NEW_FILE_MODE;
  const subject = `"${target.path}"`;
  const nameless = open(target.directory, O_TMPFILE | O_RDWR | O_CLOEXEC, NEW_FILE_MODE);
  const temporary = nameless >= 0 ? undefined : temporaryPath(target);
  const number = temporary === undefined
    ? nameless
    : open(temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, NEW_FILE_MODE);
  using out = new HostFd(check(number, "write", subject));
  try {
    await fill(file, { fd: out.number, name: subject }, options);
    // The umask does not count: the mode is the one that the caller chose.
    check(fchmod(out.number, mode), "write", subject);
    publish(out.number, target, temporary, replace);
  } catch (error) {
    if (temporary !== undefined) unlink(temporary);
    throw error;
  }
  syncDirectory(target);
}

async function fill(file: Restored, out: End, options: GiveOptions): Promise<void> {
  const { digest: expected, onBytes, signal } = options;
  checkWhole(file, check<Stat>(fstat(file.fd), "read", file.name).size);
  check(ftruncate(out.fd, file.size), "write", out.name);
  const digest = expected === undefined ? undefined : await startDigest();
  // A digest is of all bytes, those of holes too.
  const extents = digest === undefined ? extentsOfMemfd(file) : [{ offset: 0n, length: file.size }];
  const holes = extents.reduce((left, { length }) => left - length, file.size);
  if (holes > 0n) onBytes?.(Number(holes));
  for (const extent of extents) {
    const moved = digest === undefined
      ? await transferData(file, out, extent, { onBytes, signal })
      : await copyBlocks(file, out, extent, { onData: (bytes) => digest.update(bytes), onBytes, signal });
    if (moved < extent.length) checkWhole(file, extent.offset + moved);
  }
  if (digest !== undefined && expected !== undefined) checkDigest(file.name, expected, digest.text());
  check(fsync(out.fd), "write", out.name);
}

/** A program that got the same file with --exec may have truncated it. */
function checkWhole(file: Restored, moved: bigint): void {
  if (moved >= file.size) return;
  throw new FileProblem("restored-short", { file: file.name, moved, size: file.size });
}

/** Gives the finished file its name. */
function publish(fd: number, target: Target, temporary: string | undefined, replace: boolean): void {
  const subject = `"${target.path}"`;
  const linked = link_fd(fd, target.path);
  if (linked >= 0) {
    if (temporary !== undefined) unlink(temporary);
    return;
  }
  if (linked === -Errno.ENOENT) checkProc(`/proc/self/fd/${fd}`);
  if (linked === -Errno.EEXIST && !replace) throw new FileProblem("target-exists", { path: target.path });
  if (linked !== -Errno.EEXIST && temporary === undefined) throw new LuoError("write", subject, -linked);
  // link(2) replaces nothing, and some file systems have no links: rename(2) does both. Without `replace` the path is checked again.
  if (linked !== -Errno.EEXIST) checkTarget(target, replace);
  const named = temporary ?? temporaryPath(target);
  if (temporary === undefined) check(link_fd(fd, named), "write", subject);
  const renamed = rename(named, target.path);
  if (renamed >= 0) return;
  unlink(named);
  throw new LuoError("write", subject, -renamed);
}

/** A temporary path in the target's own directory: a rename does not cross file systems. */
function temporaryPath({ directory, name }: Target): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  const suffix = `.luo-${random.join("-")}`;
  // NAME_MAX is 255 bytes.
  const stem = new TextDecoder().decode(new TextEncoder().encode(name).subarray(0, 200)).replace(
    /\ufffd+$/,
    "",
  );
  return `${directory === "." ? "./" : directory}.${stem}${suffix}`;
}

/** Brings the new name to the disk too. Where a directory cannot be synced, nothing can be done. */
function syncDirectory({ directory }: Target): void {
  const number = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return;
  using fd = new HostFd(number);
  fsync(fd.number);
}

/**
 * Writes the whole contents to an open descriptor, most of the time standard output. The position of the file does not move.
 *
 * @throws LuoError `read`, `write` (EPIPE: the reader went away); FileProblem `restored-short`
 */
export async function giveToFd(file: Restored, out: End, options: GiveOptions = {}): Promise<void> {
  const { onBytes, signal } = options;
  // Only for pipes, and at most what the system allows: each side then works on a larger piece before the other one has its turn.
  fcntl(out.fd, F_SETPIPE_SZ, PIPE_BYTES);
  checkWhole(file, await transfer(file, out, { offset: 0n, limit: file.size, onBytes, signal }));
}
