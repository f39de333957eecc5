/**
 * Where tripwires lie: files on the names of the model's files, which tell the guard of an open (launcher/tripwires.h). So no filter has to trap the opens
 * that only read. A name that the host lacks is made in a copy of its directory.
 */
import { S_IFCHR, S_IFLNK, S_IFMT } from "../../ffi/abi/fcntl.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import { DEBUGFS_MAGIC } from "../../ffi/abi/stat.ts";
import { lstat, statfs_type } from "../../ffi/file.ts";
import { read_directory } from "../../ffi/proc.ts";
import type { SystemCalls } from "../system_calls.ts";
import { joined } from "../joined_bytes.ts";
import {
  isKernelDirectory,
  kernelFileMode,
  kernelLink,
  kernelNames,
  KMSG,
  readKernelFile,
} from "./kernel_files.ts";
import { splitPath } from "./path_walk.ts";

const [DEVICE, DEBUGFS] = ["/dev/liveupdate", "/sys/kernel/debug"];

export interface TripwirePlan {
  /**
   * For lay_tripwires(): a letter, a path and a NUL; for a link its text and a NUL as well, for the content of a file its length, a NUL and
   * the bytes. Empty: there can be no tripwires.
   */
  readonly steps: Uint8Array;
  /** Where the launcher mounts directories. */
  readonly directories: readonly string[];
}

/** Files that stay the same for a boot. The order to the launcher has room for these contents. */
const STAY = [
  ...["cmdline", "version", "misc", "sys/kernel/osrelease", "sys/kernel/version", "sys/kernel/random/boot_id"]
    .map((name) => `/proc/${name}`),
  "/sys/devices/virtual/misc/liveupdate/dev",
  "/sys/devices/virtual/misc/liveupdate/uevent",
];
const CONTENT_MAX = 2048;

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
  for (const path of STAY) {
    const content = readKernelFile(sys, path);
    if (typeof content !== "number" && content.length <= CONTENT_MAX) plan.give(path, content);
  }
  return plan;
}

class Plan implements TripwirePlan {
  /** Directories that are copies of the host's, and those that are new in a copy. */
  readonly #copies = new Set<string>();
  readonly #new = new Set<string>();
  /** Directories that are empty. */
  readonly #mounts = new Set<string>();
  readonly #names: string[] = [];
  readonly #tripwires: string[] = [];
  readonly #contents: Uint8Array[] = [];
  #possible = true;

  constructor(readonly sys: SystemCalls) {}

  get directories(): readonly string[] {
    return [...this.#copies, ...this.#mounts];
  }

  give(path: string, content: Uint8Array): void {
    this.#contents.push(encodeOsText(`C${path}\0${content.length}\0`), content);
  }

  get steps(): Uint8Array {
    // A directory is copied before the directories in it.
    const copies = [...this.#copies].sort().map((path) => `${isUnmounted(path) ? "P" : "M"}${path}`);
    const closed = this.directories.map((path) => `R${path}`);
    const steps = [...copies, ...this.#names, ...this.#tripwires, ...closed];
    return this.#possible
      ? joined([...this.#contents, ...steps.map((step) => encodeOsText(`${step}\0`))])
      : new Uint8Array(0);
  }

  tripwire(path: string): void {
    this.#tripwires.push(`T${path}`);
  }

  /** Nothing can be mounted on the links themselves: their directory has nothing else then. */
  replace(links: readonly string[]): void {
    for (const directory of new Set(links.map((link) => splitPath(link)[0]))) {
      this.#names.push(`E${directory}`);
    }
    for (const link of links) this.tripwire(link);
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
    if (link !== undefined && onHost !== undefined && onHost !== S_IFLNK) return this.tripwire(path);
    if (link !== undefined && onHost === undefined) this.#name(path, `L${path}\0${link}`);
    // luo answers an open of a file that only the host has, with ENOENT.
    if (link === undefined && (onHost !== undefined || this.#isOwn(path))) this.tripwire(path);
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
    this.#names.push(`E${path}`);
    this.#mounts.add(path);
  }

  /** A step that changes a name: only in a directory of the machine's own. */
  #name(path: string, step: string): void {
    if (this.#isOwn(path)) this.#names.push(step);
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
      this.#names.push(`D${directory}`);
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
