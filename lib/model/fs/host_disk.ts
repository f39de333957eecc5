/**
 * The host's files as the model's disk, through Deno's file calls. No other file of the model needs Deno or its
 * permissions.
 */
import { Errno, type ErrnoName } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import type { Disk, DiskFile } from "./disk.ts";

/** The files of the host: a machine with this disk reads and writes them, as the permissions of this process allow. */
export class HostDisk implements Disk {
  /** open(2). There is no O_TMPFILE here: EOPNOTSUPP. */
  open(path: string, flags: number, mode: number): DiskFile | Ret {
    if ((flags & abi.O_TMPFILE) === abi.O_TMPFILE) return -Errno.EOPNOTSUPP;
    const access = flags & abi.O_ACCMODE;
    const write = access !== abi.O_RDONLY;
    return call(() =>
      disk_file(Deno.openSync(path, {
        read: access !== abi.O_WRONLY,
        write,
        create: write && (flags & abi.O_CREAT) !== 0,
        createNew: write && (flags & abi.O_CREAT) !== 0 && (flags & abi.O_EXCL) !== 0,
        truncate: write && (flags & abi.O_TRUNC) !== 0,
        mode,
      }))
    );
  }

  /** mkdir(2). */
  mkdir(path: string, mode: number): Ret {
    return call(() => (Deno.mkdirSync(path, { mode }), 0));
  }

  /** unlink(2). */
  unlink(path: string): Ret {
    return call(() => (Deno.removeSync(path), 0));
  }
}

function disk_file(file: Deno.FsFile): DiskFile {
  const seek = (offset: bigint) => file.seekSync(offset, Deno.SeekMode.Start);
  return {
    stat() {
      const info = file.statSync();
      return {
        dev: BigInt(info.dev),
        ino: BigInt(info.ino ?? 0),
        mode: info.mode ?? (info.isFile ? abi.S_IFREG | 0o644 : abi.S_IFDIR | 0o755),
        nlink: info.nlink ?? 1,
        uid: info.uid ?? 0,
        size: BigInt(info.size),
        blocks: BigInt(info.blocks ?? 0),
      };
    },
    read: (into, offset) => call(() => (seek(offset), file.readSync(into) ?? 0)),
    write: (from, offset) => call(() => (seek(offset), file.writeSync(from))),
    truncate: (length) => call(() => (file.truncateSync(Number(length)), 0)),
    close: () => file.close(),
  };
}

function call<T>(run: () => T): T | Ret {
  try {
    return run();
  } catch (error) {
    return -errno_of(error);
  }
}

const by_class = new Map<string, number>([
  ["NotFound", Errno.ENOENT],
  ["AlreadyExists", Errno.EEXIST],
  ["PermissionDenied", Errno.EACCES],
  ["NotCapable", Errno.EACCES],
  ["NotADirectory", Errno.ENOTDIR],
  ["IsADirectory", Errno.EISDIR],
]);

function errno_of(error: unknown): number {
  if (!(error instanceof Error)) throw error;
  const code = "code" in error ? String(error.code) : "";
  return Errno[code as ErrnoName] ?? by_class.get(error.name) ?? Errno.EIO;
}
