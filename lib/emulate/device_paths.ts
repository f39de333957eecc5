/** Decides whether a path that a program names is `/dev/liveupdate` or one of the program's own fds. */
import { readlink, stat } from "../../ffi/file.ts";
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";

const AT_FDCWD = -100;
const LINKS_MAX = 8;
const KNOWN_MAX = 10_000;
const [DIRECTORY, NAME] = ["/dev", "liveupdate"];

/**
 * What the path names; undefined for files that are the host's business. `below`: the path treats the device as a
 * directory.
 */
export type Where = { readonly is: "device" } | { readonly is: "below" } | {
  readonly is: "fd";
  readonly fd: number;
} | undefined;

/** Caches absolute paths that do not name the device. A call that can redirect a path empties the cache. */
export class KnownPaths {
  readonly #elsewhere = new Set<string>();
  /** False after a chroot: from then on a path can mean different files in different processes. */
  #one_root = true;

  /** A link or a rename may have redirected any path. */
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
 * Resolves a path, relative to `dirfd` of thread `tid`, in every spelling: relative, `..`, links, in a chroot.
 * Most paths name neither the device nor an fd: these cost one readlink.
 */
export function whereIs(tid: number, dirfd: number, path: string, follow = true): Where {
  const parent = /^(.*liveupdate)\/./.exec(`${path}.`)?.[1];
  if (parent !== undefined && whereIs(tid, dirfd, parent)?.is === "device") return { is: "below" };
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
