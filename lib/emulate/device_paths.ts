import { readlink, stat } from "../../ffi/file.ts";
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";

const AT_FDCWD = -100;
const LINKS_MAX = 8;
const KNOWN_MAX = 10_000;
const [DIRECTORY, NAME] = ["/dev", "liveupdate"];

/** What a path that a program names leads to, as far as it concerns the machine; `behind` goes on as if the device were a directory. */
export type Where = { readonly is: "device" } | { readonly is: "behind" } | {
  readonly is: "fd";
  readonly fd: number;
} | undefined;

/** Absolute paths that are known to lead nowhere near the device, since the last time that anything was linked or renamed. */
export class KnownPaths {
  readonly #elsewhere = new Set<string>();
  /** Once a process has another root, a path is not the same for all. */
  #one_root = true;

  /** Links may lead elsewhere now. */
  changed(): void {
    this.#elsewhere.clear();
  }

  rooted_elsewhere(): void {
    this.#one_root = false;
  }

  where(tid: number, dirfd: number, path: string, follow = true): Where {
    if (this.#elsewhere.has(path)) return undefined;
    const where = whereIs(tid, dirfd, path, follow);
    if (where === undefined && follow && this.#one_root && path.startsWith("/")) {
      if (this.#elsewhere.size >= KNOWN_MAX) this.#elsewhere.clear();
      this.#elsewhere.add(path);
    }
    return where;
  }
}

/**
 * Whether a path, relative to `dirfd` of thread `tid`, is the device (by any spelling: relative, `..`, links, a chroot's) or one
 * of the thread's fds. Cheap for what is neither: most paths are.
 */
export function whereIs(tid: number, dirfd: number, path: string, follow = true): Where {
  const behind = /^(.*liveupdate)\/./.exec(`${path}.`)?.[1];
  if (behind !== undefined && whereIs(tid, dirfd, behind)?.is === "device") return { is: "behind" };
  let [base, rest] = path.startsWith("/")
    ? [`/proc/${tid}/root`, path]
    : [dirfd === AT_FDCWD ? `/proc/${tid}/cwd` : `/proc/${tid}/fd/${dirfd}`, `/${path}`];
  for (let links = 0; links < LINKS_MAX; links++) {
    if (rest === LIVEUPDATE_DEVICE && base.endsWith("/root")) return { is: "device" };
    const fd = own_fd(tid, rest);
    if (fd !== undefined) return { is: "fd", fd };
    const slash = rest.replace(/\/+$/, "").lastIndexOf("/");
    const [directory, name] = [rest.slice(0, slash + 1), rest.slice(slash + 1)];
    if (name === NAME && same(`${base}${directory}`, `/proc/${tid}/root${DIRECTORY}`)) {
      return { is: "device" };
    }
    if (!follow) return undefined;
    const link = readlink(`${base}${rest}`);
    if (typeof link === "number") return undefined;
    if (link.startsWith("/")) [base, rest] = [`/proc/${tid}/root`, link];
    else rest = `${directory}${link}`;
  }
}

/** N of /proc/self/fd/N, /proc/thread-self/fd/N, /proc/TID/fd/N, /dev/fd/N. */
function own_fd(tid: number, path: string): number | undefined {
  const match = /^\/(?:proc\/(?:self|thread-self|\d+)|dev)\/fd\/(\d+)$/.exec(path);
  if (match === null) return undefined;
  const pid = /^\/proc\/(\d+)\//.exec(path)?.[1];
  return pid === undefined || pid === String(tid) ? Number(match[1]) : undefined;
}

function same(one: string, other: string): boolean {
  const [a, b] = [stat(one), stat(other)];
  return typeof a !== "number" && typeof b !== "number" && a.dev === b.dev && a.ino === b.ino;
}
