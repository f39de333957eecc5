/** The disk: all paths outside the kernel's own file systems. It belongs to the hardware, so it survives reboots. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat } from "../../system_calls.ts";
import { type FileOperations, type Inode, opened_flags, OpenFile } from "./file.ts";
import { generic_lseek } from "./read_write.ts";

/** The disk of a machine. Every call answers a value or -errno. Offsets are bytes. */
export interface Disk {
  /** open(2). */
  open(path: string, flags: number, mode: number): DiskFile | Ret;
  /** mkdir(2). */
  mkdir(path: string, mode: number): Ret;
  /** unlink(2). */
  unlink(path: string): Ret;
}

/** An open file of a `Disk`. */
export interface DiskFile {
  /** fstat(2). */
  stat(): Stat;
  /** pread(2). */
  read(into: Uint8Array, offset: bigint): Ret;
  /** pwrite(2). */
  write(from: Uint8Array, offset: bigint): Ret;
  /** ftruncate(2). */
  truncate(length: bigint): Ret;
  /** close(2). */
  close(): void;
}

/**
 * The disk as one kernel uses it. Inodes are kept by dev:ino, so that two opens of a file count as one file (ETXTBSY).
 */
export class MountedDisk {
  #inodes = new Map<string, DiskInode>();

  readonly disk: Disk;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  open(path: string, flags: number, mode: number): OpenFile | Ret {
    const directory = (flags & abi.O_DIRECTORY) !== 0;
    const opened = this.disk.open(path, directory ? abi.O_RDONLY : flags, mode);
    if (typeof opened === "number") return opened;
    if (directory) {
      opened.close();
      return -Errno.ENOTDIR;
    }
    const { dev, ino } = opened.stat();
    const key = `${dev}:${ino}`;
    const inode = this.#inodes.get(key) ?? new DiskInode(opened);
    this.#inodes.set(key, inode);
    inode.current = opened;
    inode.users++;
    const writes = (flags & abi.O_ACCMODE) !== abi.O_RDONLY;
    if (writes) inode.writers++;
    const release = () => {
      opened.close();
      if (writes) inode.writers--;
      if (--inode.users === 0) this.#inodes.delete(key);
    };
    const operations = this.#operations(opened, path, release);
    return new OpenFile(inode, operations, opened_flags(flags), () => path);
  }

  #operations(disk: DiskFile, path: string, release: () => void): FileOperations {
    return {
      positioned: true,
      read(file, into, offset) {
        const got = disk.read(into, offset ?? file.position);
        if (offset === undefined && got > 0) file.position += BigInt(got);
        return got;
      },
      write(file, from, offset) {
        const at = file.flags & abi.O_APPEND ? disk.stat().size : offset ?? file.position;
        const done = disk.write(from, at);
        if (offset === undefined && done > 0) file.position = at + BigInt(done);
        return done;
      },
      lseek: (file, offset, whence) => generic_lseek(file, offset, whence, disk.stat().size),
      ftruncate: (_file, length) => disk.truncate(length),
      reopen: (_file, flags) => this.open(path, flags, 0),
      release,
    };
  }
}

class DiskInode implements Inode {
  writers = 0;
  users = 0;

  current: DiskFile;

  constructor(current: DiskFile) {
    this.current = current;
  }

  stat(): Stat {
    return this.current.stat();
  }
}

/** A disk in memory, for tests: files by absolute path. Directories need not be created. */
export class MemoryDisk implements Disk {
  readonly #files = new Map<string, { bytes: Uint8Array; ino: bigint }>();
  #ino = 1n;

  /** `files` are the contents of the disk, by absolute path. */
  constructor(files: Record<string, Uint8Array> = {}) {
    for (const [path, bytes] of Object.entries(files)) this.#files.set(path, { bytes, ino: this.#ino++ });
  }

  /** Opens the file; O_CREAT creates it. */
  open(path: string, flags: number): DiskFile | Ret {
    let file = this.#files.get(path);
    if (file !== undefined && flags & abi.O_CREAT && flags & abi.O_EXCL) return -Errno.EEXIST;
    if (file === undefined) {
      if (!(flags & abi.O_CREAT)) return -Errno.ENOENT;
      file = { bytes: new Uint8Array(0), ino: this.#ino++ };
      this.#files.set(path, file);
    }
    if (flags & abi.O_TRUNC) file.bytes = new Uint8Array(0);
    return memory_file(file);
  }

  /** Does nothing: directories need not be created. */
  mkdir(): Ret {
    return 0;
  }

  /** Removes the file; -ENOENT when there is none. */
  unlink(path: string): Ret {
    return this.#files.delete(path) ? 0 : -Errno.ENOENT;
  }
}

function memory_file(file: { bytes: Uint8Array; ino: bigint }): DiskFile {
  const resize = (length: number) => {
    const bytes = new Uint8Array(length);
    bytes.set(file.bytes.subarray(0, length));
    file.bytes = bytes;
  };
  return {
    stat: () => ({
      dev: 2n,
      ino: file.ino,
      mode: abi.S_IFREG | 0o644,
      nlink: 1,
      uid: 0,
      size: BigInt(file.bytes.length),
      blocks: BigInt(Math.ceil(file.bytes.length / 4096) * 8),
    }),
    read(into, offset) {
      const piece = file.bytes.subarray(Number(offset), Number(offset) + into.length);
      into.set(piece);
      return piece.length;
    },
    write(from, offset) {
      const end = Number(offset) + from.length;
      if (end > file.bytes.length) resize(end);
      file.bytes.set(from, Number(offset));
      return from.length;
    },
    truncate(length) {
      resize(Number(length));
      return 0;
    },
    close: () => {},
  };
}
