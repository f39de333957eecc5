/**
 * Where tripwires lie: files on the names of the model's files, which tell the guard of an open (launcher/tripwires.h). So no filter has to trap the opens
 * that only read. A name that the host lacks is made in a copy of its directory.
 */
import { S_IFCHR, S_IFLNK, S_IFMT } from "../../ffi/abi/fcntl.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import { DEBUGFS_MAGIC } from "../../ffi/abi/stat.ts";
import { lstat, stat, statfs_type } from "../../ffi/file.ts";
import { read_directory } from "../../ffi/proc.ts";
import type { SystemCalls } from "../system_calls.ts";
import { joined } from "../joined_bytes.ts";
import {
  isKernelDirectory,
  kernelFileMode,
  kernelFileSize,
  kernelLink,
  kernelNames,
  KMSG,
} from "./kernel_files.ts";
import { splitPath } from "./path_walk.ts";

const [DEVICE, DEBUGFS] = ["/dev/liveupdate", "/sys/kernel/debug"];

export interface TripwirePlan {
  /** For lay_tripwires(): a letter, a path and a NUL; then for a link its text and a NUL, for a tripwire the size of its file. Empty: there can be no tripwires. */
  readonly steps: Uint8Array;
  /** The names with tripwires, in the order of the steps. */
  readonly names: readonly string[];
  /** Where the launcher mounts directories. */
  readonly directories: readonly string[];
}

/** `images`: links of luo's own fds, which programs open. */
export function planOfTripwires(
  sys: SystemCalls,
  hasDevice: boolean,
  images: readonly string[],
): TripwirePlan {
  const plan = new Plan(sys);
  if (hasDevice || typeof lstat(DEVICE) !== "number") plan.tripwire(DEVICE);
  if (typeOf(KMSG) === S_IFCHR) plan.tripwire(KMSG);
  for (const path of kernelNames()) plan.add(path);
  plan.replace(images);
  return plan;
}

class Plan implements TripwirePlan {
  /** Directories that are copies of the host's, and those that are new in a copy. */
  readonly #copies = new Set<string>();
  readonly #new = new Set<string>();
  /** Directories that are empty. */
  readonly #mounts = new Set<string>();
  readonly #changes: string[] = [];
  /** Names and sizes. */
  readonly #tripwires = new Map<string, bigint>();
  #possible = true;

  constructor(readonly sys: SystemCalls) {}

  get names(): readonly string[] {
    return [...this.#tripwires.keys()];
  }

  get directories(): readonly string[] {
    return [...this.#copies, ...this.#mounts];
  }

  get steps(): Uint8Array {
    // A directory is copied before the directories in it.
    const copies = [...this.#copies].sort().map((path) => `${isUnmounted(path) ? "P" : "M"}${path}`);
    const closed = this.directories.map((path) => `R${path}`);
    const tripwires = [...this.#tripwires].map(([path, size]) => `T${path}\0${size}`);
    const steps = [...copies, ...this.#changes, ...tripwires, ...closed];
    return this.#possible ? joined(steps.map((step) => encodeOsText(`${step}\0`))) : new Uint8Array(0);
  }

  tripwire(path: string, size = 0n): void {
    this.#tripwires.set(path, size);
  }

  /** Nothing can be mounted on the links themselves: their directory has nothing else then. */
  replace(links: readonly string[]): void {
    for (const directory of new Set(links.map((link) => splitPath(link)[0]))) {
      this.#changes.push(`E${directory}`);
    }
    for (const link of links) {
      const found = stat(link);
      this.tripwire(link, typeof found === "number" ? 0n : found.size);
    }
  }

  /** A name of the model's kernel, or one that only the host's kernel has. */
  add(path: string): void {
    const [directory] = splitPath(path);
    const onHost = this.#new.has(directory) ? undefined : typeOf(path);
    const link = kernelLink(path);
    const target = link === undefined ? path : new URL(link, `file://${path}`).pathname;
    const inModel = [target, ...(link === undefined ? [] : [directory])].some((path) =>
      kernelFileMode(this.sys, path) !== undefined
    );
    if (!inModel && onHost === undefined) return;
    if (isKernelDirectory(path)) return this.#directory(path, onHost, inModel);
    if (link !== undefined && onHost !== undefined && onHost !== S_IFLNK) return this.#file(path);
    if (link !== undefined && onHost === undefined) this.#name(path, `L${path}\0${link}`);
    // luo answers an open of a file that only the host has, with ENOENT.
    if (link === undefined && (onHost !== undefined || this.#isOwn(path))) this.#file(path);
  }

  #file(path: string): void {
    this.tripwire(path, kernelFileSize(this.sys, path, false));
  }

  #directory(path: string, onHost: number | undefined, inModel: boolean): void {
    const link = kernelLink(path);
    if (onHost === undefined) {
      this.#name(path, link === undefined ? `D${path}` : `L${path}\0${link}`);
      if (link === undefined) this.#new.add(path);
    } else if (!inModel) this.#name(path, `X${path}`);
    else if (link === undefined) {
      this.#mount(path);
      this.#new.add(path);
    }
  }

  #mount(path: string): void {
    this.#changes.push(`E${path}`);
    this.#mounts.add(path);
  }

  /** A step that changes a name: only in a directory of the machine's own. */
  #name(path: string, step: string): void {
    if (this.#isOwn(path)) this.#changes.push(step);
  }

  /** Makes the directory of the name the machine's own. False when the program cannot reach the directory at all. */
  #isOwn(path: string): boolean {
    const [directory] = splitPath(path);
    if (this.#copies.has(directory) || this.#new.has(directory)) return true;
    if (directory === "/") {
      this.#possible = false;
      return false;
    }
    if (typeOf(directory) === undefined) {
      if (!this.#isOwn(directory)) return false;
      this.#changes.push(`D${directory}`);
      this.#new.add(directory);
      return true;
    }
    if (typeof read_directory(directory) === "number") return false;
    this.#copies.add(directory);
    return true;
  }
}

/** Without debugfs the host has a directory there that everybody may search (fs/debugfs/inode.c: DEBUGFS_DEFAULT_MODE 0700). */
function isUnmounted(path: string): boolean {
  return path === DEBUGFS && statfs_type(path) !== DEBUGFS_MAGIC;
}

/** S_IFREG, S_IFDIR or S_IFLNK; undefined: the host has no such name. */
function typeOf(path: string): number | undefined {
  const found = lstat(path);
  return typeof found === "number" ? undefined : found.mode & S_IFMT;
}
