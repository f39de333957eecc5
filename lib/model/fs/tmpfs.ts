/** A tmpfs mount: directories, names, and the errors of the calls that change them (mm/shmem.c, fs/namei.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat } from "../../system_calls.ts";
import { type FileOperations, type Inode, opened_flags, OpenFile, path_file, stat } from "./file.ts";
import { Fifo, open_fifo } from "./pipe.ts";
import type { Ram } from "../memory/ram.ts";
import { generic_lseek } from "./read_write.ts";
import { ShmemInode } from "./shmem.ts";
import { open_shmem } from "./shmem_file.ts";

export class Directory implements Inode {
  readonly entries: Map<string, Directory | ShmemInode | Fifo> = new Map();

  readonly ino: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly dev: bigint;

  constructor(ino: bigint, mode: number, uid: number, dev: bigint) {
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.dev = dev;
  }

  stat(): Stat {
    return stat({ dev: this.dev, ino: this.ino, mode: abi.S_IFDIR | this.mode, nlink: 2, uid: this.uid });
  }
}

type Entry = Directory | ShmemInode | Fifo;

/** The end of a path: the entry, when there is one, and the directory and name under which it lies or would lie. */
interface Found {
  readonly directory: Directory;
  readonly name: string;
  readonly entry: Entry | undefined;
}

export class Tmpfs {
  readonly root: Directory;
  #ino = 1n;

  readonly ram: Ram;
  readonly mount: string;
  readonly dev: bigint;

  constructor(ram: Ram, mount: string, dev: bigint) {
    this.ram = ram;
    this.mount = mount;
    this.dev = dev;
    this.root = new Directory(this.#ino++, 0o1777, 0, dev);
  }

  open(path: readonly string[], flags: number, mode: number, uid: number): OpenFile | Ret {
    const found = this.#find(path);
    if (typeof found === "number") return found;
    if ((flags & abi.O_TMPFILE) === abi.O_TMPFILE) return this.#tmpfile(found, flags, mode, uid);
    let { entry } = found;
    const creates = (flags & abi.O_CREAT) !== 0;
    if (entry !== undefined && creates && flags & abi.O_EXCL) return -Errno.EEXIST;
    if (entry === undefined) {
      if (!creates) return -Errno.ENOENT;
      entry = this.#inode(mode, uid);
      entry.nlink = 1;
      entry.get();
      found.directory.entries.set(found.name, entry);
    }
    return this.#open_entry(entry, `${this.mount}/${path.join("/")}`, flags);
  }

  #open_entry(entry: Entry, path: string, flags: number): OpenFile | Ret {
    if (flags & abi.O_PATH) {
      return path_file(entry, () => path, flags, (_file, again) => this.#open_entry(entry, path, again));
    }
    if (entry instanceof Directory) {
      const writes = (flags & abi.O_ACCMODE) !== abi.O_RDONLY || flags & abi.O_CREAT;
      return writes ? -Errno.EISDIR : open_directory(entry, path, flags);
    }
    if (flags & abi.O_DIRECTORY) return -Errno.ENOTDIR;
    if (entry instanceof Fifo) return open_fifo(entry, path, flags);
    return open_shmem(entry, flags, () => entry.nlink === 0 ? `${path} (deleted)` : path);
  }

  /** O_TMPFILE: a file without a name. It can be given one, except with O_EXCL. */
  #tmpfile({ entry }: Found, flags: number, mode: number, uid: number): OpenFile | Ret {
    if ((flags & abi.O_ACCMODE) === abi.O_RDONLY) return -Errno.EINVAL;
    if (entry === undefined) return -Errno.ENOENT;
    if (!(entry instanceof Directory)) return -Errno.ENOTDIR;
    const inode = this.#inode(mode, uid);
    inode.linkable = (flags & abi.O_EXCL) === 0;
    return open_shmem(
      inode,
      flags,
      () => `${this.mount}/#${inode.ino}${inode.nlink === 0 ? " (deleted)" : ""}`,
    );
  }

  mkdir(path: readonly string[], mode: number, uid: number): Ret {
    return this.#make(path, () => new Directory(this.#ino++, mode & ~0o022, uid, this.dev));
  }

  mkfifo(path: readonly string[], mode: number, uid: number): Ret {
    return this.#make(path, () => new Fifo(this.#ino++, mode & ~0o022, uid, this.dev));
  }

  #make(path: readonly string[], make: () => Entry): Ret {
    const found = this.#find(path);
    if (typeof found === "number") return found;
    if (found.entry !== undefined) return -Errno.EEXIST;
    found.directory.entries.set(found.name, make());
    return 0;
  }

  unlink(path: readonly string[]): Ret {
    const found = this.#find(path);
    if (typeof found === "number") return found;
    if (found.entry === undefined) return -Errno.ENOENT;
    if (found.entry instanceof Directory) return -Errno.EISDIR;
    found.directory.entries.delete(found.name);
    found.entry.nlink--;
    if (found.entry instanceof ShmemInode) found.entry.put();
    return 0;
  }

  /**
   * linkat() of an open file: works for a file that has a name, or that O_TMPFILE created without O_EXCL (I_LINKABLE).
   */
  link(inode: Inode, path: readonly string[]): Ret {
    const found = this.#find(path);
    if (typeof found === "number") return found;
    if (found.entry !== undefined) return -Errno.EEXIST;
    const here = inode instanceof ShmemInode || inode instanceof Fifo || inode instanceof Directory;
    if (!here || inode.dev !== this.dev) return -Errno.EXDEV;
    if (inode instanceof Directory) return -Errno.EPERM;
    if (inode.nlink === 0 && !(inode instanceof ShmemInode && inode.linkable)) return -Errno.ENOENT;
    inode.nlink++;
    if (inode instanceof ShmemInode) inode.get();
    found.directory.entries.set(found.name, inode);
    return 0;
  }

  #inode(mode: number, uid: number): ShmemInode {
    return new ShmemInode(this.ram, this.#ino++, mode & 0o7777 & ~0o022, uid, this.dev);
  }

  #find(path: readonly string[]): Found | Ret {
    const name = path.at(-1);
    if (name === undefined) return { directory: this.root, name: "", entry: this.root };
    if (name.length > 255) return -Errno.ENAMETOOLONG;
    let directory = this.root;
    for (const part of path.slice(0, -1)) {
      const next = directory.entries.get(part);
      if (next === undefined) return -Errno.ENOENT;
      if (!(next instanceof Directory)) return -Errno.ENOTDIR;
      directory = next;
    }
    return { directory, name, entry: directory.entries.get(name) };
  }
}

function open_directory(inode: Inode, path: string, flags: number): OpenFile {
  const operations: FileOperations = {
    read: () => -Errno.EISDIR,
    positioned: true,
    // offset_dir_llseek(): a directory has no end to seek to.
    lseek: (file, offset, whence) =>
      whence > abi.SEEK_CUR ? -BigInt(Errno.EINVAL) : generic_lseek(file, offset, whence, 0n),
    reopen: (file, again) =>
      (again & abi.O_ACCMODE) === abi.O_RDONLY ? open_directory(file.inode, path, again) : -Errno.EISDIR,
  };
  return new OpenFile(inode, operations, opened_flags(flags), () => path);
}
