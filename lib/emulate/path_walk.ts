/** Follows a path of a program, component by component, to the place that it names. */
import { Errno } from "../../ffi/abi/errno.ts";
import { AT_FDCWD } from "../../ffi/abi/stat.ts";
import { readlink, stat } from "../../ffi/file.ts";
import { getpid } from "../../ffi/process.ts";
import type { DeviceNodes, Entry } from "./device_nodes.ts";
import { statOfFd, textOfFd } from "./program_fds.ts";
import { isKernelFile, kernelLink, mayBeKernelLink } from "./kernel_files.ts";
import { namesInSystem } from "./mounted_systems.ts";
import { isSafeLink } from "./safe_links.ts";
import { mayLookInto } from "./process_rights.ts";
import { hostPid, innerPid, leader } from "./process_numbers.ts";

/** fs/namei.c: MAXSYMLINKS. */
const LINKS_MAX = 40;
/** linux/openat2.h */
const [NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT] = [1, 2, 4, 8, 16];

/** A file that is neither the device nor an fd. It need not exist. */
export interface FilePlace {
  readonly is: "file";
  /** As luo can open it. */
  readonly path: string;
  /** From the program's root; of /proc and /sys the usual name, wherever they are mounted. */
  readonly inside: string;
  /** The file is in procfs, sysfs or debugfs. */
  readonly system?: true;
}

/** The object that a path names. */
export type Place =
  /** A name of the device, or the name that is reserved for it. `directory`: as luo can open it, in the program's mount. */
  | { readonly is: "entry"; readonly entry: Entry; readonly directory: string }
  /** The path goes on after the device; `slash`: only by slashes. */
  | { readonly is: "below"; readonly entry: Entry; readonly slash: boolean }
  /** A link of /proc to an fd of a process. `path` is the link. */
  | { readonly is: "fd"; readonly pid: number; readonly fd: number; readonly path: string }
  | FilePlace
  /** A RESOLVE_ flag of openat2 forbids the way to the device. */
  | { readonly is: "refused"; readonly errno: number };

export interface WalkOptions {
  /** Whether a link in the last component is followed. */
  readonly follow: boolean;
  /** RESOLVE_ flags of openat2. */
  readonly resolve?: number;
}

/** The place; undefined when the path leads nowhere: the host's kernel knows the errno. `alike`: /proc and /sys are where they were. */
export function walk(
  nodes: DeviceNodes,
  tid: number,
  dirfd: number,
  path: string,
  { follow, resolve = 0 }: WalkOptions,
  alike = true,
): Place | undefined {
  const way = new Walk(nodes, tid, resolve, alike);
  if (!way.start(dirfd, path)) return undefined;
  const place = way.go(path, follow);
  // Of a file of the host its kernel says so.
  if (place === undefined || (place.is === "file" && !isKernelFile(place.inside))) return place;
  return way.violation === undefined ? place : { is: "refused", errno: way.violation };
}

class Walk {
  /** The place that the walk has reached: a directory that luo can name, and components without links below it. */
  #base: string;
  #parts: string[] = [];
  readonly #root: string;
  /** `..` goes no higher than so many components (RESOLVE_BENEATH, RESOLVE_IN_ROOT). */
  #floor = 0;
  #started = "";
  #foreign: boolean | undefined;
  /** The last answer of `#inSystem`. */
  #known: { readonly here: string; readonly names: readonly string[] | undefined } | undefined;
  /** The errno of the first RESOLVE_ flag that the way has violated. */
  violation: number | undefined;

  constructor(
    readonly nodes: DeviceNodes,
    readonly tid: number,
    readonly resolve: number,
    readonly alike: boolean,
  ) {
    this.#root = `/proc/${tid}/root`;
    this.#base = this.#root;
  }

  start(dirfd: number, path: string): boolean {
    const absolute = path.startsWith("/");
    if (absolute && !(this.resolve & IN_ROOT)) this.#violates(BENEATH, Errno.EXDEV);
    else {
      const link = `/proc/${this.tid}/${dirfd === AT_FDCWD ? "cwd" : `fd/${dirfd}`}`;
      const text = dirfd === AT_FDCWD ? readlink(link) : textOfFd(this.tid, dirfd);
      if (typeof text === "number") return false;
      this.#jump(link, text);
      // The text of a directory in a mount that is nowhere yet (fsmount(2), open_tree(2)) starts at that mount.
      if (dirfd !== AT_FDCWD && this.#isElsewhere(dirfd)) [this.#base, this.#parts] = [link, []];
      if (this.resolve & (BENEATH | IN_ROOT)) this.#floor = this.#parts.length;
    }
    this.#started = this.#here();
    return true;
  }

  /** Whether the fd's directory is known to be another one than its text names. */
  #isElsewhere(dirfd: number): boolean {
    const [held, named] = [statOfFd(this.tid, dirfd), stat(this.#here())];
    return typeof held !== "number" &&
      (typeof named === "number" || held.dev !== named.dev || held.ino !== named.ino);
  }

  go(path: string, follow: boolean): Place | undefined {
    const rest = path.split("/");
    for (let links = 0; rest.length > 0;) {
      const name = rest.shift() ?? "";
      if (name === "" || name === ".") continue;
      if (name === "..") {
        this.#up();
        this.#crosses();
        continue;
      }
      if (this.#isForbidden(name)) return undefined;
      const last = rest.length === 0;
      const entry = this.nodes.has(name) ? this.nodes.find(this.#here(), name) : undefined;
      if (entry !== undefined) return this.#at(entry, rest);
      const text = this.#link(name);
      const fd = typeof text === "string" ? this.#descriptor(name) : undefined;
      if (fd !== undefined && last) {
        if (follow) this.#followsMagic();
        return fd;
      }
      if (typeof text === "number" || (last && !follow)) {
        if (!last && text !== -Errno.EINVAL) return this.#ofKernel([name, ...rest]);
        this.#parts.push(name);
        this.#crosses();
        continue;
      }
      if (++links > LINKS_MAX || (last && !isSafeLink(this.#here(), name, this.tid))) return undefined;
      this.#follow(name, text, rest);
      // Such a link leads to no directory: its path is the file's.
      if (last && this.#base.endsWith(`/map_files/${name}`)) {
        return { is: "file", path: this.#base, inside: this.#base };
      }
    }
    const system = this.alike || this.#inSystem() === undefined ? undefined : true;
    return { is: "file", path: this.#here(), inside: this.#inside(), system };
  }

  /** A file in a directory of /sys that the host does not have, and the model's kernel may have. */
  #ofKernel(rest: readonly string[]): Place | undefined {
    const names = rest.filter((name) => name !== "" && name !== ".");
    const inside = `/${[...this.#names, ...names].join("/")}`;
    const [parent] = splitPath(inside);
    if (!(isKernelFile(inside) || isKernelFile(parent))) return undefined;
    const system = this.alike || this.#inSystem() === undefined ? undefined : true;
    return { is: "file", path: `${this.#here()}/${names.join("/")}`, inside, system };
  }

  #at(entry: Entry, rest: readonly string[]): Place | undefined {
    const slash = rest.every((name) => name === "");
    // mkdir takes a slash after the name that it makes.
    if (rest.length === 0 || (slash && entry.node === undefined)) {
      return { is: "entry", entry, directory: this.#here() };
    }
    return entry.node === undefined ? undefined : { is: "below", entry, slash };
  }

  #followsMagic(): void {
    this.#violates(NO_SYMLINKS | NO_MAGICLINKS, Errno.ELOOP);
    this.#violates(BENEATH | IN_ROOT, Errno.EXDEV);
  }

  #follow(name: string, text: string, rest: string[]): void {
    this.#violates(NO_SYMLINKS, Errno.ELOOP);
    if (this.#isMagic(name)) {
      this.#followsMagic();
      this.#jump(`${this.#here()}/${name}`, text);
      this.#crosses();
      return;
    }
    if (text.startsWith("/")) {
      this.#violates(BENEATH, Errno.EXDEV);
      if (this.resolve & IN_ROOT) this.#parts.length = this.#floor;
      else [this.#base, this.#parts] = [this.#root, []];
      this.#crosses();
    }
    rest.unshift(...text.split("/"));
  }

  /** To the directory that a link of /proc leads to. Its text starts at luo's root. */
  #jump(link: string, text: string): void {
    const root = readlink(this.#root);
    const prefix = root === "/" ? "" : root;
    const inside = text === prefix || text.startsWith(`${prefix}/`);
    if (!inside || text.endsWith(" (deleted)")) [this.#base, this.#parts] = [link, []];
    else {
      const parts = text.slice(String(prefix).length).split("/").filter((name) => name !== "");
      [this.#base, this.#parts] = [this.#root, parts];
    }
  }

  #up(): void {
    if (this.#parts.length > this.#floor) this.#parts.pop();
    else if (this.resolve & BENEATH) this.#violates(BENEATH, Errno.EXDEV);
    else if (this.#base !== this.#root && this.#floor === 0) this.#base += "/..";
  }

  /** The text of a link; /proc/self and /proc/thread-self are the program's, not luo's. */
  #link(name: string): string | number {
    if (name === "self" && this.#isProc()) return String(this.#procOf(leader(this.tid)));
    if (name === "thread-self" && this.#isProc()) {
      return `${this.#procOf(leader(this.tid))}/task/${this.#procOf(this.tid)}`;
    }
    if (this.#isOfLuo()) return readlink(`/proc/self/fd/${name}`);
    const ours = mayBeKernelLink(name) ? kernelLink(`/${[...this.#names, name].join("/")}`) : undefined;
    return ours ?? readlink(`${this.#here()}/${name}`);
  }

  /** The program's /proc shows a pid namespace that a program has made, with numbers of its own. */
  get #isForeignProc(): boolean {
    this.#foreign ??= typeof readlink(`${this.#root}/proc/self`) === "number" &&
      innerPid(this.tid) !== this.tid;
    return this.#foreign;
  }

  /** The number of a thread of the program in the program's /proc. */
  #procOf(tid: number): number {
    return this.#isForeignProc ? innerPid(tid) : tid;
  }

  /** luo's number for a process or thread that the program's /proc shows. */
  #hostPid(pid: number): number {
    return this.#isForeignProc ? hostPid(pid, this.tid) ?? pid : pid;
  }

  /** In the directory of luo's own fds, where files lie on some of the links (tripwires.ts). */
  #isOfLuo(): boolean {
    const [proc, pid, fds] = this.#parts;
    return this.#base === this.#root && this.#parts.length === 3 && proc === "proc" && fds === "fd" &&
      pid === String(getpid()) && !this.#isForeignProc;
  }

  #isProc(): boolean {
    return this.#names.length === 1 && this.#names[0] === "proc";
  }

  /** The names from the program's root, or from that of /proc or /sys; none in a directory that has no such name. */
  get #names(): readonly string[] {
    const known = this.alike ? undefined : this.#inSystem();
    return known ?? (this.#base === this.#root ? this.#parts : []);
  }

  #inSystem(): readonly string[] | undefined {
    const here = this.#here();
    if (this.#known?.here !== here) {
      this.#known = { here, names: namesInSystem(this.tid, this.#base, this.#parts) };
    }
    return this.#known.names;
  }

  /** Whether a link of /proc leads to a file whatever its text says. */
  #isMagic(name: string): boolean {
    const [proc, pid = ""] = this.#names;
    if (proc !== "proc" || !/^\d+$/.test(pid)) return false;
    return ["fd", "map_files", "ns"].includes(this.#names.at(-1) ?? "") ||
      ["cwd", "root", "exe"].includes(name);
  }

  /** Whether /proc does not let the program see this of another process: the host's kernel refuses it. */
  #isForbidden(name: string): boolean {
    // The names alone tell in most cases: after a mount `#names` is slow.
    if (!/^(\d+|[0-9a-f]+-[0-9a-f]+|cwd|root|exe)$/.test(name)) return false;
    const [proc, pid = ""] = this.#names;
    if (proc !== "proc" || !/^\d+$/.test(pid)) return false;
    const guarded = ["fd", "fdinfo", "map_files"].includes(this.#names.at(-1) ?? "");
    if (!guarded && !["cwd", "root", "exe"].includes(name)) return false;
    const shown = this.#hostPid(Number(pid));
    // luo itself has the files for the next boot.
    return shown !== getpid() && !mayLookInto(this.tid, shown);
  }

  #descriptor(name: string): Place | undefined {
    if (!this.#isMagic(name) || this.#names.at(-1) !== "fd" || !/^\d+$/.test(name)) return undefined;
    const pid = this.#hostPid(Number(this.#names.at(-2)));
    return { is: "fd", pid, fd: Number(name), path: `${this.#here()}/${name}` };
  }

  /** From the program's root, with luo's numbers of processes. */
  #inside(): string {
    const names = (this.alike ? undefined : this.#inSystem()) ?? this.#parts;
    const parts = names[0] === "proc" && this.#isForeignProc
      ? names.map((part, index) =>
        /^\d+$/.test(part) && (index === 1 || names[index - 1] === "task")
          ? String(this.#hostPid(Number(part)))
          : part
      )
      : names;
    return `/${parts.join("/")}`;
  }

  #here(): string {
    return this.#parts.length === 0 ? `${this.#base}/` : `${this.#base}/${this.#parts.join("/")}`;
  }

  /** Whether the last step led into another mount. */
  #crosses(): void {
    if (!(this.resolve & NO_XDEV) || this.violation !== undefined) return;
    if (!sameDevice(this.#started, this.#here())) this.#violates(NO_XDEV, Errno.EXDEV);
  }

  #violates(flags: number, errno: number): void {
    if (this.resolve & flags) this.violation ??= errno;
  }
}

export function sameDevice(one: string, other: string): boolean {
  const [a, b] = [stat(one), stat(other)];
  return typeof a !== "number" && typeof b !== "number" && a.dev === b.dev;
}

/** The directory and the last component of a path that luo can open. */
export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash) || "/", path.slice(slash + 1)];
}
