/**
 * The host's files that are open in one kernel: `adopt` brings them in, `expose` moves a memfd of the model out.
 * The host implements `host_interface.ts`.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import { type FileOperations, type Inode, OpenFile } from "./file.ts";
import { HostInode } from "./host_inode.ts";
import type { Host, HostFile } from "./host_interface.ts";
import { PageCache } from "./page_cache.ts";
import type { Ram } from "../memory/ram.ts";
import { ShmemInode } from "./shmem.ts";
import { whole_chunks } from "./whole_chunks.ts";

/** The operations of a host description. The host keeps its flags and its position. */
class HostOperations implements FileOperations {
  readonly positioned = true;

  readonly files: HostFiles;
  readonly inode: HostInode;
  readonly host: HostFile;

  constructor(files: HostFiles, inode: HostInode, host: HostFile) {
    this.files = files;
    this.inode = inode;
    this.host = host;
  }

  read(_file: OpenFile, into: Uint8Array, offset: bigint | undefined): Ret {
    return offset === undefined ? this.host.read(into) : this.host.pread(into, offset);
  }

  write(file: OpenFile, from: Uint8Array, offset: bigint | undefined): Ret {
    let bytes = from;
    if (this.inode.frozen && from.length > 0) {
      const append = (file.flags & abi.O_APPEND) !== 0;
      const at = append ? this.inode.size : offset ?? this.host.lseek(0n, abi.SEEK_CUR);
      bytes = from.subarray(0, whole_chunks(Number(at), from.length, Number(this.inode.size)));
      if (bytes.length === 0) return -Errno.EPERM;
    }
    return offset === undefined ? this.host.write(bytes) : this.host.pwrite(bytes, offset);
  }

  lseek(_file: OpenFile, offset: bigint, whence: number): bigint {
    return this.host.lseek(offset, whence);
  }

  ftruncate(_file: OpenFile, length: bigint): Ret {
    return this.inode.frozen && length !== this.inode.size ? -Errno.EPERM : this.host.ftruncate(length);
  }

  fallocate(_file: OpenFile, mode: number, offset: bigint, length: bigint): Ret {
    if (!this.inode.frozen) return this.host.fallocate(mode, offset, length);
    return mode & ~(abi.FALLOC_FL_KEEP_SIZE | abi.FALLOC_FL_PUNCH_HOLE) ? -Errno.EOPNOTSUPP : -Errno.EPERM;
  }

  poll(_file: OpenFile, events: number): number {
    return Math.max(0, this.host.poll(events));
  }

  set_flags(_file: OpenFile, flags: number): Ret {
    return this.host.set_flags(flags);
  }

  reopen(_file: OpenFile, flags: number): OpenFile | Ret {
    if (flags & abi.O_TRUNC && this.inode.frozen && this.inode.size > 0n) return -Errno.EPERM;
    const again = this.host.reopen(flags);
    return typeof again === "number" ? again : this.files.open(again);
  }

  release(): void {
    this.files.put(this.inode, this.host);
    this.host.close();
  }
}

/** The files of the host that are open in one kernel. */
export class HostFiles {
  /** By `dev:ino`. */
  readonly inodes: Map<string, HostInode> = new Map();

  readonly ram: Ram;
  readonly host: Host | undefined;
  readonly moved: (from: Inode, to: Inode) => void;

  /**
   * `moved` is called when a file gets another inode, so that LUO applies what it knows of the old one to the new one.
   */
  constructor(ram: Ram, host: Host | undefined, moved: (from: Inode, to: Inode) => void) {
    this.ram = ram;
    this.host = host;
    this.moved = moved;
  }

  /** Whether the host's inode `dev:ino` is preserved in this kernel. */
  is_preserved(identity: string): boolean {
    return this.inodes.get(identity)?.frozen ?? false;
  }

  /** `SystemCalls.adopt`. */
  adopt(host_fd: number): OpenFile | Ret {
    if (this.host === undefined) return -Errno.ENOSYS;
    const file = this.host.adopt(host_fd);
    return typeof file === "number" ? file : this.open(file);
  }

  /**
   * `SystemCalls.expose`. -EOPNOTSUPP for files that cannot be files of the host: sessions, devices, pipes, named tmpfs
   * files.
   */
  expose(file: OpenFile): Ret {
    if (this.host === undefined) return -Errno.ENOSYS;
    if (file.operations instanceof HostOperations) return file.operations.host.dup();
    if (!(file.inode instanceof ShmemInode) || file.inode.nlink > 0) return -Errno.EOPNOTSUPP;
    return this.#move_to_host(this.host, file, file.inode);
  }

  open(file: HostFile): OpenFile {
    const inode = this.#get(file);
    return new OpenFile(inode, new HostOperations(this, inode, file), file.flags(), () => file.link());
  }

  #get(file: HostFile): HostInode {
    const inode = this.inodes.get(file.identity) ?? new HostInode(this.ram, file);
    this.inodes.set(file.identity, inode);
    inode.descriptions.add(file);
    return inode;
  }

  put(inode: HostInode, file: HostFile): void {
    inode.descriptions.delete(file);
    const [other] = inode.descriptions;
    if (other !== undefined) inode.file = other;
    else this.inodes.delete(file.identity);
  }

  /**
   * Lets the host create a file from the inode. Every description of the inode in the model becomes one of that file.
   */
  #move_to_host(host: Host, file: OpenFile, inode: ShmemInode): Ret {
    if (inode.writable_mappings > 0) return -Errno.EBUSY;
    const [only, second] = inode.cache.runs;
    const alone = only !== undefined && second === undefined && only.index === 0;
    const whole = alone && only.extent.offset === 0 && only.extent.store?.frames === only.extent.count;
    const { size, seals, mode } = inode;
    const made = host.materialize({
      name: file.link().replace(/^\/(memfd:)?/, "").replace(/ \(deleted\)$/, ""),
      size,
      position: file.position,
      seals,
      mode,
      flags: file.flags,
      pages: whole ? only.extent.store?.pages : undefined,
      read: (offset, into) => inode.cache.read(Number(offset), into),
    });
    if (typeof made === "number") return made;
    for (const other of [...inode.files]) {
      const description = other === file ? made : made.reopen(other.flags & ~(abi.O_CREAT | abi.O_TRUNC));
      if (typeof description === "number") continue;
      description.lseek(other.position, abi.SEEK_SET);
      other.become(this.open(description));
    }
    this.#settle(inode, file.inode);
    return made.dup();
  }

  /** Moves LUO's state and the page frames to the new inode, and frees the old frames. */
  #settle(old: ShmemInode, inode: Inode): void {
    this.moved(old, inode);
    if (old.frozen && inode instanceof HostInode) {
      inode.take_over(old.cache.runs);
      old.cache = new PageCache(old.ram);
    }
    old.unpin();
    old.free();
  }
}
