/** The model's disk: the files of the host, opened by libc. This needs `--allow-ffi` but none of Deno's file permissions. */
import { O_CLOEXEC, O_CREAT, S_IFDIR, S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import * as file from "../../ffi/file.ts";
import type { Ret, Stat } from "../system_calls.ts";
import type { Disk, DiskFile } from "../model/fs/disk.ts";
import { Errno } from "../../ffi/abi/errno.ts";

/** All files of the host, by absolute path. */
export class LibcDisk implements Disk {
  open(path: string, flags: number, mode: number): DiskFile | Ret {
    // The open of a FIFO could block, and the whole machine with it.
    const found = flags & O_CREAT ? undefined : file.stat(path);
    if (typeof found === "number") return found;
    if (found !== undefined && !readableAtOnce(found)) return -Errno.ENXIO;
    const fd = file.open(path, flags | O_CLOEXEC, mode);
    return fd < 0 ? fd : new LibcDiskFile(fd);
  }

  mkdir(path: string, mode: number): Ret {
    return file.mkdir(path, mode);
  }

  unlink(path: string): Ret {
    return file.unlink(path);
  }
}

function readableAtOnce(stat: Stat): boolean {
  const kind = stat.mode & S_IFMT;
  return kind === S_IFREG || kind === S_IFDIR;
}

class LibcDiskFile implements DiskFile {
  constructor(readonly fd: number) {}

  stat(): Stat {
    const stat = file.fstat(this.fd);
    if (typeof stat === "number") throw new Error(`Host file ${this.fd} is closed`);
    return stat;
  }

  read(into: Uint8Array, offset: bigint): Ret {
    return file.pread(this.fd, into, offset);
  }

  write(from: Uint8Array, offset: bigint): Ret {
    return file.pwrite(this.fd, from, offset);
  }

  truncate(length: bigint): Ret {
    return file.ftruncate(this.fd, length);
  }

  close(): void {
    file.close(this.fd);
  }
}
