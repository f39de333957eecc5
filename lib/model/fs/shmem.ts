/** The inodes of memfds and of files on tmpfs (mm/shmem.c, mm/memfd.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret, Stat } from "../../system_calls.ts";
import { stat } from "./file.ts";
import type { Inode, OpenFile } from "./file.ts";
import { PageCache, type Run } from "./page_cache.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ram } from "../memory/ram.ts";

/**
 * generic_perform_write() splits a write into aligned chunks of at most this size: the largest folio of shmem on
 * x86-64.
 */
export const CHUNK: number = 2 * 1024 * 1024;
export const MAX_FILE_SIZE: bigint = (1n << 63n) - 1n;

/** A regular shmem inode: size, pages, seals, and whether LUO froze its mapping. */
export class ShmemInode implements Inode {
  size = 0n;
  /** F_SEAL_ flags. A tmpfs file begins with F_SEAL_SEAL, so it can never be sealed. */
  seals: number = abi.F_SEAL_SEAL;
  nlink = 0;
  /** Its open descriptions. */
  readonly files: Set<OpenFile> = new Set();
  /** I_LINKABLE: created by O_TMPFILE without O_EXCL, so it may be given a name. */
  linkable = false;
  /** SHMEM_F_MAPPING_FROZEN: LUO preserves the file, so its set of pages must not change. */
  frozen = false;
  /** LUO pinned the pages. F_SEAL_WRITE would have to wait for them and fails. */
  pinned = false;
  /** Shared mappings that are writable or may become so (mapping_writably_mapped). */
  writable_mappings = 0;
  /**
   * Private mappings. Pages written through them belong to the mapping (`own`, by page of the mapping) until the file
   * is truncated.
   */
  readonly copies: Set<{ readonly offset: bigint; readonly own: Map<number, Uint8Array> }> = new Set();
  /** Open descriptions and names (directory entries). Without any, the inode is freed. */
  #users = 0;
  /** Descriptions that open(2) opened for writing. The description of memfd_create does not count. */
  writers = 0;
  cache: PageCache;

  readonly ram: Ram;
  readonly ino: bigint;
  mode: number;
  readonly uid: number;
  /** st_dev of its mount. */
  readonly dev: bigint;

  constructor(ram: Ram, ino: bigint, mode: number, uid: number, dev: bigint) {
    this.ram = ram;
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.dev = dev;
    this.cache = new PageCache(ram);
  }

  stat(): Stat {
    return stat({
      dev: this.dev,
      ino: this.ino,
      mode: abi.S_IFREG | this.mode,
      nlink: this.nlink,
      uid: this.uid,
      size: this.size,
      blocks: BigInt(this.cache.pages) * 8n,
    });
  }

  /** shmem_setattr(): F_SEAL_EXEC forbids changes of the x bits. */
  fchmod(mode: number): Ret {
    if (this.seals & abi.F_SEAL_EXEC && (this.mode ^ mode) & 0o111) return -Errno.EPERM;
    this.mode = mode & 0o7777;
    return 0;
  }

  read(offset: bigint, into: Uint8Array): Ret {
    if (offset >= this.size) return 0;
    const left = this.size - offset;
    const length = left < BigInt(into.length) ? Number(left) : into.length;
    this.cache.read(Number(offset), into.subarray(0, length));
    return length;
  }

  /**
   * generic_perform_write() over shmem_write_begin(): writes chunk by chunk. The write is short when a later chunk is
   * refused.
   */
  write(offset: bigint, from: Uint8Array): Ret {
    if (from.length === 0) return 0;
    if (offset >= MAX_FILE_SIZE) return -Errno.EFBIG;
    const start = Number(offset);
    let done = 0;
    while (done < from.length) {
      const at = start + done;
      const length = Math.min(CHUNK - at % CHUNK, from.length - done);
      const refused = this.#write_begin(at, length);
      const copied = refused < 0 ? refused : this.#copy(at, from.subarray(done, done + length));
      if (copied < 0) return done > 0 ? done : copied;
      done += copied;
      if (copied < length) break;
    }
    return done;
  }

  #write_begin(at: number, length: number): Ret {
    if (this.seals & (abi.F_SEAL_WRITE | abi.F_SEAL_FUTURE_WRITE)) return -Errno.EPERM;
    const grows = BigInt(at) + BigInt(length) > this.size;
    return grows && (this.frozen || this.seals & abi.F_SEAL_GROW) ? -Errno.EPERM : 0;
  }

  /** Copies the data. When memory is short it copies page by page, as much as fits. */
  #copy(at: number, data: Uint8Array): Ret {
    let length = data.length;
    if (!this.#populate(at, length)) {
      if (at % PAGE_SIZE + length <= PAGE_SIZE) return -Errno.ENOMEM;
      for (length = 0; length < data.length;) {
        const step = Math.min(PAGE_SIZE - (at + length) % PAGE_SIZE, data.length - length);
        if (!this.#populate(at + length, step)) break;
        length += step;
      }
      if (length === 0) return -Errno.ENOMEM;
    }
    this.cache.write(at, data.subarray(0, length));
    const end = BigInt(at + length);
    if (end > this.size) this.size = end;
    return length;
  }

  #populate(at: number, length: number): boolean {
    const first = Math.floor(at / PAGE_SIZE);
    return this.cache.populate(first, Math.ceil((at + length) / PAGE_SIZE) - first);
  }

  /** shmem_setattr() with ATTR_SIZE. */
  truncate(length: bigint): Ret {
    if (length < this.size && this.seals & abi.F_SEAL_SHRINK) return -Errno.EPERM;
    if (length > this.size && this.seals & abi.F_SEAL_GROW) return -Errno.EPERM;
    if (length !== this.size && this.frozen) return -Errno.EPERM;
    // Even without a change of the size, and even for a frozen file, pages after the end (FALLOC_FL_KEEP_SIZE) are
    // freed.
    if (length <= this.size) {
      const end = Number(length);
      const partial = end % PAGE_SIZE === 0 ? 0 : PAGE_SIZE - end % PAGE_SIZE;
      this.cache.zero(end, partial);
      this.cache.drop(Math.ceil(end / PAGE_SIZE), Infinity);
      this.#drop_copies(Math.ceil(end / PAGE_SIZE));
    }
    this.size = length;
    return 0;
  }

  /** unmap_mapping_range() with even_cows: private copies go too. Punching a hole does not ask for that. */
  #drop_copies(first: number): void {
    if (BigInt(first) * BigInt(PAGE_SIZE) >= this.size) return;
    for (const { offset, own } of this.copies) {
      const skipped = Number(offset) / PAGE_SIZE;
      for (const page of [...own.keys()]) if (page + skipped >= first) own.delete(page);
    }
  }

  /** shmem_fallocate(). `vfs_fallocate` has checked the arguments. */
  fallocate(mode: number, offset: bigint, length: bigint): Ret {
    if (mode & ~(abi.FALLOC_FL_KEEP_SIZE | abi.FALLOC_FL_PUNCH_HOLE)) return -Errno.EOPNOTSUPP;
    if (this.frozen) return -Errno.EPERM;
    const [start, end] = [Number(offset), Number(offset + length)];
    if (mode & abi.FALLOC_FL_PUNCH_HOLE) {
      if (this.seals & (abi.F_SEAL_WRITE | abi.F_SEAL_FUTURE_WRITE)) return -Errno.EPERM;
      this.#punch(start, end);
      return 0;
    }
    const grows = offset + length > this.size;
    if (grows && this.seals & abi.F_SEAL_GROW) return -Errno.EPERM;
    const first = Math.floor(start / PAGE_SIZE);
    if (!this.cache.populate(first, Math.ceil(end / PAGE_SIZE) - first, true)) return -Errno.ENOMEM;
    if (grows && !(mode & abi.FALLOC_FL_KEEP_SIZE)) this.size = offset + length;
    return 0;
  }

  #punch(start: number, end: number): void {
    const [first, last] = [Math.ceil(start / PAGE_SIZE), Math.floor(end / PAGE_SIZE)];
    if (first > last) return this.cache.zero(start, end - start);
    this.cache.zero(start, first * PAGE_SIZE - start);
    this.cache.zero(last * PAGE_SIZE, end - last * PAGE_SIZE);
    this.cache.drop(first, last);
  }

  /** memfd_add_seals() of mm/memfd.c, for a writable fd. */
  add_seals(seals: number): Ret {
    if (seals & ~ALL_SEALS) return -Errno.EINVAL;
    if (this.seals & abi.F_SEAL_SEAL) return -Errno.EPERM;
    seals |= implied_seals(seals, this.mode);
    if (seals & abi.F_SEAL_WRITE && !(this.seals & abi.F_SEAL_WRITE)) {
      if (this.writable_mappings > 0) return -Errno.EBUSY;
      if (this.pinned && this.size > 0n) return -Errno.EBUSY;
    }
    this.seals |= seals;
    return 0;
  }

  /**
   * memfd_pin_folios() and the freeze: fills every hole up to the size, and fixes the set of pages from now on. Pages
   * after the size (FALLOC_FL_KEEP_SIZE) are not pinned and may still be freed. Undefined when memory is used up.
   */
  pin(): readonly Run[] | undefined {
    const pages = Math.ceil(Number(this.size) / PAGE_SIZE);
    if (!this.cache.populate(0, pages)) return undefined;
    this.frozen = this.pinned = true;
    return this.cache.first(pages);
  }

  unpin(): void {
    this.frozen = this.pinned = false;
  }

  get(): void {
    this.#users++;
  }

  put(): void {
    if (--this.#users === 0) this.free();
  }

  /** evict_inode(): frees the pages of an inode without descriptions and names. */
  free(): void {
    this.cache.drop(0, Infinity);
  }
}

export const ALL_SEALS: number = abi.F_SEAL_SEAL | abi.F_SEAL_SHRINK | abi.F_SEAL_GROW | abi.F_SEAL_WRITE |
  abi.F_SEAL_FUTURE_WRITE | abi.F_SEAL_EXEC;

/** The seals that F_SEAL_EXEC adds on an executable file: all that forbid changes (W^X). */
export function implied_seals(seals: number, mode: number): number {
  if (!(seals & abi.F_SEAL_EXEC) || !(mode & 0o111)) return 0;
  return abi.F_SEAL_SHRINK | abi.F_SEAL_GROW | abi.F_SEAL_WRITE | abi.F_SEAL_FUTURE_WRITE;
}
