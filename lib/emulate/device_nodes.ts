/** The device nodes of one boot: names that exist in the emulated machine only, and never reach the host's directories. */
import { MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { born_ns, close, fchmod, memfd_create, stat, touch } from "../../ffi/file.ts";
import { check } from "../error.ts";
import { identityOf } from "./emulated_fds.ts";
import { type FileTimes, timesOf } from "./stat_structs.ts";

/** The host's directory of devices. The machine's own has the flags of its mount. */
export const DEVICE_DIRECTORY = "/dev";
const NAME = "liveupdate";

/** The device's inode, or a file that a program made in its place after it had unlinked the device. */
export interface Node {
  readonly kind: "device" | "file";
  readonly ino: bigint;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  readonly times: FileTimes;
  readonly xattrs: Map<string, Uint8Array<ArrayBuffer>>;
  /** The file's content; for the device, once it is watched, the file that the host's inotify watches in its place. */
  memfd: number | undefined;
}

/** A name in a directory of the host, with the node behind it. */
export interface Entry {
  /** The path by which luo can open the directory. */
  directory: string;
  name: string;
  /** The name is a bind mount over a file of the host. */
  readonly bound?: true;
  /** Undefined after unlink: the name of the device stays reserved, so that nothing is made there on the host. */
  node: Node | undefined;
}

export class DeviceNodes implements Disposable {
  /** By the directory's `dev:ino` and birth, and the name. */
  readonly #entries = new Map<string, Entry>();
  readonly #reserved: string | undefined;
  #names = new Set<string>();

  /**
   * `directory`: the machine's /dev, as luo can open it. `present`: whether the kernel of this boot has the device. `onName`: called
   * for each name of a file without a tripwire (tripwires.ts).
   */
  constructor(directory: string, readonly present: boolean, readonly onName: () => void) {
    const key = keyOf(directory, NAME);
    this.#reserved = key;
    if (key !== undefined) {
      this.#put(key, directory, NAME, present ? newNode("device", 0o600) : undefined);
    }
  }

  /** Whether any entry has this name: quick, for the many paths that have nothing to do with the device. */
  has(name: string): boolean {
    return this.#names.has(name);
  }

  find(directory: string, name: string): Entry | undefined {
    if (!this.#names.has(name)) return undefined;
    const key = keyOf(directory, name);
    return key === undefined ? undefined : this.#entries.get(key);
  }

  /** False when there is no such directory. */
  add(directory: string, name: string, node: Node): boolean {
    const key = keyOf(directory, name);
    if (key !== undefined) this.#put(key, directory, name, node);
    this.onName();
    return key !== undefined;
  }

  /** Makes the reserved name again. */
  fill(entry: Entry, node: Node): void {
    entry.node = node;
    if (!this.present) this.onName();
  }

  /** A bind mount of the node over a file of the host. False when there is no such directory. */
  bind(directory: string, name: string, node: Node): boolean {
    const key = keyOf(directory, name);
    if (key === undefined) return false;
    this.#entries.set(key, { directory, name, node, bound: true });
    this.onName();
    this.#rename();
    return true;
  }

  /** False when the entry is no bind mount. */
  unbind(entry: Entry): boolean {
    const key = this.#keyOf(entry);
    if (key === undefined || entry.bound === undefined) return false;
    this.#entries.delete(key);
    this.#rename();
    return true;
  }

  /** Gives an entry another name; open fds keep the entry, and so does their link text. */
  move(entry: Entry, directory: string, name: string): boolean {
    const [from, to] = [this.#keyOf(entry), keyOf(directory, name)];
    if (from === undefined || to === undefined) return false;
    this.#forget(from, entry);
    [entry.directory, entry.name] = [directory, name];
    this.#entries.set(to, entry);
    if (to !== this.#reserved || !this.present) this.onName();
    this.#rename();
    return true;
  }

  /** Each of the two entries gets the name of the other. */
  exchange(one: Entry, other: Entry): void {
    const [first, second] = [this.#keyOf(one), this.#keyOf(other)];
    if (first === undefined || second === undefined) return;
    const { directory, name } = one;
    [one.directory, one.name] = [other.directory, other.name];
    [other.directory, other.name] = [directory, name];
    this.#entries.set(first, other);
    this.#entries.set(second, one);
  }

  /** A name of the inode `ino`. */
  byInode(ino: bigint): Entry | undefined {
    return [...this.#entries.values()].find(({ node }) => node?.ino === ino);
  }

  /** unlink(2). The entry keeps its name, without a node, for the fds that are still open. */
  remove(entry: Entry): void {
    const { node } = entry;
    const key = this.#keyOf(entry);
    if (key !== undefined) this.#forget(key, entry);
    entry.node = undefined;
    if (node !== undefined && --node.nlink === 0) release(node);
    else if (node !== undefined) touched(node);
    this.#rename();
  }

  /** Whether a directory of the host has no name of the device, which the host does not know. */
  isEmpty(directory: string): boolean {
    const start = keyOf(directory, "");
    return start === undefined ||
      ![...this.#entries].some(([key, { node }]) => node !== undefined && key.startsWith(start));
  }

  /** Forgets the names in a file system that is gone. */
  endFileSystem(dev: bigint): void {
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(`${dev}:`) || key === this.#reserved) continue;
      this.#entries.delete(key);
      if (entry.node !== undefined && --entry.node.nlink === 0) release(entry.node);
      entry.node = undefined;
    }
    this.#rename();
  }

  [Symbol.dispose](): void {
    for (const { node } of this.#entries.values()) if (node !== undefined) release(node);
    this.#entries.clear();
  }

  #put(key: string, directory: string, name: string, node: Node | undefined): void {
    this.#entries.set(key, { directory, name, node });
    this.#rename();
  }

  #forget(key: string, { directory, name }: Entry): void {
    if (key === this.#reserved) this.#entries.set(key, { directory, name, node: undefined });
    else this.#entries.delete(key);
  }

  #keyOf(entry: Entry): string | undefined {
    for (const [key, other] of this.#entries) if (other === entry) return key;
  }

  #rename(): void {
    this.#names = new Set([...this.#entries.values()].map(({ name }) => name));
  }
}

export function newNode(
  kind: Node["kind"],
  mode: number,
  { uid, gid }: Pick<Node, "uid" | "gid"> = { uid: 0, gid: 0 },
): Node {
  const memfd = kind === "file" ? newFile(mode) : undefined;
  const ino = BigInt(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1);
  return { kind, ino, mode, uid, gid, nlink: 1, times: timesOf(now()), xattrs: new Map(), memfd };
}

export function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** The device's inode has changed: its watchers are told, by the file in its place. */
export function touched(node: Node): void {
  node.times.ctime = now();
  if (node.memfd !== undefined) fchmod(node.memfd, node.mode);
}

/** The device's times were set: its watchers see which (linux/fsnotify.h: fsnotify_change()). */
export function timed(node: Node, chosen: { readonly atime: boolean; readonly mtime: boolean }): void {
  if (!chosen.atime && !chosen.mtime) return;
  node.times.ctime = now();
  if (node.memfd !== undefined) touch(node.memfd, chosen);
}

/** The file that inotify and fanotify of the host watch in place of the device. */
export function watchedFile(node: Node): number {
  node.memfd ??= newFile(node.mode);
  return node.memfd;
}

function newFile(mode: number): number {
  const fd = check(memfd_create(NAME, MFD_CLOEXEC), "memfd_create", "a file in place of the device");
  fchmod(fd, mode);
  return fd;
}

/** The change of the mode and the end of the file are what watchers of a deleted file see. */
function release(node: Node): void {
  if (node.memfd === undefined) return;
  fchmod(node.memfd, node.mode);
  close(node.memfd);
  node.memfd = undefined;
}

function keyOf(directory: string, name: string): string | undefined {
  const found = stat(directory);
  // The next file system that is mounted may get the number of one that is gone.
  return typeof found === "number" ? undefined : `${identityOf(found)}:${born_ns(directory)}/${name}`;
}
