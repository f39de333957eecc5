/** Tells the paths that concern the machine from the many that do not, at the price of one readlink or less. */
import { Errno } from "../../ffi/abi/errno.ts";
import { AT_FDCWD } from "../../ffi/abi/stat.ts";
import { readlink } from "../../ffi/file.ts";
import type { DeviceNodes } from "./device_nodes.ts";
import type { KernelDirectories } from "./kernel_directories.ts";
import { isKernelFile, KMSG, mayBeKernelFile } from "./kernel_files.ts";
import { textOfFd } from "./program_fds.ts";
import { type Place, walk, type WalkOptions } from "./path_walk.ts";

const KNOWN_MAX = 10_000;
/** So many links in the last component are followed without a walk. */
const SHORT_CHAIN = 4;
/** A path with one of these components may mean another file to luo than to the program. */
const OF_A_PROCESS = new Set(["self", "thread-self", "fd", "fdinfo"]);

export class Paths {
  /** Absolute paths that lead to no place of the machine. A call that can redirect a path empties the sets. */
  readonly #elsewhere = new Set<string>();
  /** Absolute directories without an absolute link on the way. */
  readonly #direct = new Set<string>();
  /** The names of files that are mounted one by one. */
  readonly #mounted = new Set<string>();
  /** False after a chroot or a mount: from then on a path can mean different files in different processes. */
  #alike = true;

  /** `onDiverged`: called when a path can mean another file to the guard than to a program. */
  constructor(
    readonly nodes: DeviceNodes,
    readonly directories: KernelDirectories,
    readonly onDiverged: () => void,
  ) {}

  /** No chroot and no mount has changed what a path means. */
  get alike(): boolean {
    return this.#alike;
  }

  /** A link or a rename may have redirected any path. */
  changed(): undefined {
    this.#elsewhere.clear();
    this.#direct.clear();
  }

  /** A file is mounted by this name: it may be any. */
  mounted(path: string): void {
    this.#mounted.add(path.slice(path.lastIndexOf("/") + 1));
  }

  diverged(): undefined {
    this.changed();
    this.#alike = false;
    this.onDiverged();
  }

  /** The place when it concerns the machine; undefined, or a plain file, when the host's kernel is to make the call. */
  find(tid: number, dirfd: number, path: string, options: WalkOptions): Place | undefined {
    if (this.#elsewhere.has(path)) return undefined;
    const inside = this.#insideOwn(tid, dirfd, path);
    if (inside !== undefined) return this.find(tid, AT_FDCWD, inside, options);
    const concerns = this.#concerns(path);
    if (!concerns && !options.follow) return undefined;
    if (!concerns && this.direct(tid, dirfd, path, options) !== undefined) return this.#remember(path);
    const place = walk(this.nodes, tid, dirfd, path, options, this.#alike);
    const elsewhere = place === undefined ||
      (place.is === "file" && !isKernelFile(place.inside) && place.inside !== KMSG);
    return concerns || !elsewhere ? place : this.#remember(path);
  }

  /** The place of any path, with a whole walk. */
  resolve(tid: number, dirfd: number, path: string, options: WalkOptions): Place | undefined {
    return walk(this.nodes, tid, dirfd, path, options, this.#alike);
  }

  /**
   * The name by which luo can open a file whose path does not concern the machine. Undefined: only a walk can tell. The host's kernel
   * follows the relative links on the way.
   */
  direct(tid: number, dirfd: number, path: string, { follow }: WalkOptions): string | undefined {
    const base = `/proc/${tid}/${path.startsWith("/") ? "root" : dirfd === AT_FDCWD ? "cwd" : `fd/${dirfd}`}`;
    for (let links = 0, spelt = path; links < SHORT_CHAIN; links++) {
      // Above the root of a program luo sees more than the program.
      if (!this.#alike && spelt.includes("..")) return undefined;
      const directory = spelt.slice(0, spelt.lastIndexOf("/") + 1);
      const text = follow ? readlink(`${base}/${spelt}`) : -Errno.EINVAL;
      if (text === -Errno.EINVAL || text === -Errno.ENOENT) {
        return this.#isDirect(base, directory) ? `${base}/${spelt}` : undefined;
      }
      if (typeof text === "number") return undefined;
      const absolute = text.startsWith("/");
      // A link of /proc leads to a file whatever its text says. Such a text is absolute, or names no file.
      const mayBeMagic = !this.#alike || !spelt.startsWith("/") || spelt.startsWith("/proc/");
      if (absolute && mayBeMagic) return undefined;
      spelt = absolute ? text : `${directory}${text}`;
      if (this.#concerns(spelt)) return undefined;
    }
  }

  /** The whole path of a name in a directory of the machine that luo gave the program. */
  #insideOwn(tid: number, dirfd: number, path: string): string | undefined {
    if (!this.directories.given || path.startsWith("/") || path === "") return undefined;
    const text = dirfd === AT_FDCWD ? readlink(`/proc/${tid}/cwd`) : textOfFd(tid, dirfd);
    const directory = typeof text === "string" ? this.directories.find(text) : undefined;
    return directory && `${directory.path}/${path}`;
  }

  #remember(path: string): undefined {
    if (!this.#alike || !path.startsWith("/")) return;
    if (this.#elsewhere.size >= KNOWN_MAX) this.#elsewhere.clear();
    this.#elsewhere.add(path);
  }

  /** Whether the names alone call for a walk: every link to an fd ends in a number. */
  #concerns(path: string): boolean {
    const names = path.split("/");
    const last = names.at(-1) ?? "";
    return /^\d+$/.test(last) || last === "status" || last === "kmsg" || mayBeKernelFile(names) ||
      names.some((name) => OF_A_PROCESS.has(name) || this.nodes.has(name) || this.#mounted.has(name));
  }

  /** An absolute link on the way to the directory would lead luo to a file of its own mounts, and not of the program's. */
  #isDirect(base: string, directory: string): boolean {
    if (this.#alike && this.#direct.has(directory)) return true;
    const names = directory.split("/").filter((name) => name !== "" && name !== ".");
    const direct = names.every((_, index) => {
      const text = readlink(`${base}/${names.slice(0, index + 1).join("/")}`);
      return typeof text === "number" || !text.startsWith("/");
    });
    if (this.#direct.size >= KNOWN_MAX) this.#direct.clear();
    if (direct && this.#alike && directory.startsWith("/")) this.#direct.add(directory);
    return direct;
  }
}
