/** Opens a kernel or an initramfs to read it, without taking a copy. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { fstat, pread } from "../../ffi/file.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { openImage } from "./open_image.ts";

/** An open file. */
export interface KernelFile extends Disposable {
  readonly size: number;
  /** Bytes of it, fewer at the end. @throws LuoError `read` */
  read(offset: number, length: number): Uint8Array;
}

/** @throws LuoError `read`: ENOENT, EACCES, EISDIR, EINVAL (no regular file) */
export function openKernelFile(path: string): KernelFile {
  const fd = openImage(path);
  const name = JSON.stringify(path);
  try {
    const { mode, size } = check<Stat>(fstat(fd.number), "read", name);
    const type = mode & S_IFMT;
    if (type !== S_IFREG) throw new LuoError("read", name, type === S_IFDIR ? Errno.EISDIR : Errno.EINVAL);
    return {
      size: Number(size),
      read(offset, length) {
        const bytes = new Uint8Array(length);
        return bytes.subarray(0, check(pread(fd.number, bytes, BigInt(offset)), "read", name));
      },
      [Symbol.dispose]: () => fd[Symbol.dispose](),
    };
  } catch (error) {
    fd[Symbol.dispose]();
    throw error;
  }
}
