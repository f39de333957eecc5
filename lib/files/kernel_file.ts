/** Opens a kernel or an initramfs to read it, without taking a copy. */
import { Errno } from "../../ffi/abi/errno.ts";
import { fstat, pread } from "../../ffi/file.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { kindOf } from "./file_kind.ts";
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
    const kind = kindOf(mode);
    if (kind !== "regular file") {
      const errno = kind === "directory" ? Errno.EISDIR : Errno.EINVAL;
      throw new LuoError("read", name, errno, `Cannot read ${name}: it is a ${kind}`);
    }
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

/** As `openKernelFile`. @throws LuoError `kexec load`: EINVAL, an empty initramfs cannot be loaded */
export function openInitrdFile(path: string): KernelFile {
  const file = openKernelFile(path);
  if (file.size > 0) return file;
  file[Symbol.dispose]();
  const name = `initrd "${path}"`;
  throw new LuoError("kexec load", name, Errno.EINVAL, `Cannot load ${name}: the file is empty`);
}
