/** Watches on files, by inotify and fanotify. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
import { Errno } from "./abi/errno.ts";
import { AT_FDCWD } from "./abi/stat.ts";
import type { Ret } from "./abi/values.ts";
import { cString, errno, libc, ret } from "./libc.ts";

/** linux/inotify.h: IN_NONBLOCK is O_NONBLOCK, IN_CLOEXEC is O_CLOEXEC. */
const IN_NONBLOCK_CLOEXEC = 0o2004000;
/** The inode's attributes have changed; also after its name was removed, while it is open. */
export const IN_ATTRIB = 0x4;
/** A file that was open for writing was closed. The event comes before the kernel lets go of the file. */
export const IN_CLOSE_WRITE = 0x8;
/** In a watched directory: a name has gone to another directory, has come from one, was made, was removed. */
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
/** An inode's last name and last fd are gone. */
export const IN_DELETE_SELF = 0x400;
/** The watched inode was renamed. */
export const IN_MOVE_SELF = 0x800;
/** A file was written; in a watched directory: one of its files. */
export const IN_MODIFY = 0x2;
/** The watch has ended, with its inode. */
export const IN_IGNORED = 0x8000;

/** struct inotify_event: wd i32@0, mask u32@4, cookie u32@8, len u32@12, then a name of `len` bytes. */
const EVENT_SIZE = 16;

export interface InotifyEvent {
  readonly watch: number;
  readonly mask: number;
}

export function inotify_init1(): Ret {
  return ret(libc().inotify_init1(IN_NONBLOCK_CLOEXEC), errno[0]);
}

/** The events that wait now. */
export function inotify_read(fd: number): InotifyEvent[] {
  const into = new Uint8Array(64 * 1024);
  const events: InotifyEvent[] = [];
  for (;;) {
    const got = ret(libc().read(fd, into, BigInt(into.length)), errno[0]);
    if (got === -Errno.EINTR) continue;
    if (got <= 0) return events;
    const view = new DataView(into.buffer, 0, got);
    for (let at = 0; at < got; at += EVENT_SIZE + view.getUint32(at + 12, true)) {
      events.push({ watch: view.getInt32(at, true), mask: view.getUint32(at + 4, true) });
    }
  }
}

/** The watch's number. */
export function inotify_add_watch(fd: number, path: string, mask: number): Ret {
  const name = cString(path);
  return ret(libc().inotify_add_watch(fd, name, mask), errno[0]);
}

export function fanotify_mark(fd: number, flags: number, mask: bigint, path: string): Ret {
  const name = cString(path);
  return ret(libc().fanotify_mark(fd, flags, mask, AT_FDCWD, name), errno[0]);
}
