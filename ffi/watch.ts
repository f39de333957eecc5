/** Watches on files, by inotify and fanotify. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
import { AT_FDCWD } from "./abi/stat.ts";
import type { Ret } from "./abi/values.ts";
import { cString, libc, ret } from "./libc.ts";

/** The watch's number. */
export function inotify_add_watch(fd: number, path: string, mask: number): Ret {
  const name = cString(path);
  return ret(libc().inotify_add_watch(fd, name, mask));
}

export function fanotify_mark(fd: number, flags: number, mask: bigint, path: string): Ret {
  const name = cString(path);
  return ret(libc().fanotify_mark(fd, flags, mask, AT_FDCWD, name));
}
