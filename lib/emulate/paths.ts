/** Does a path of the program mean the device, however it is spelled? */
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import { readlink, stat } from "../../ffi/file.ts";

export const AT_FDCWD = -100;
const NAME = LIVEUPDATE_DEVICE.slice("/dev/".length);
const LINKS_MAX = 8;

/**
 * The directory is compared as the kernel sees it, through /proc of the thread, so `..`, links, chdir and dirfd all count.
 * Links as the last component are followed unless `nofollow`.
 */
export function isDevice(tid: number, dirfd: number, path: string, nofollow = false): boolean {
  let at = path;
  let base = dirfd === AT_FDCWD ? `/proc/${tid}/cwd` : `/proc/${tid}/fd/${dirfd}`;
  for (let links = 0; links < LINKS_MAX; links++) {
    const slash = at.lastIndexOf("/");
    const name = at.slice(slash + 1);
    const directory = at.startsWith("/")
      ? `/proc/${tid}/root${at.slice(0, slash + 1)}`
      : `${base}/${at.slice(0, slash + 1)}`;
    if (name === NAME) return isDev(directory);
    if (nofollow || name === "") return false;
    const target = readlink(directory + name);
    // Links of /proc/PID/fd are no paths.
    if (typeof target === "number" || !target.includes(NAME)) return false;
    [base, at] = [directory, target];
  }
  return false;
}

function isDev(directory: string): boolean {
  const [here, dev] = [stat(directory), stat("/dev")];
  return typeof here === "object" && typeof dev === "object" && here.dev === dev.dev && here.ino === dev.ino;
}
