/**
 * The memory mappings of one process (mm/mmap.c, mm/madvise.c): shared and private mappings of shmem files, and
 * anonymous ones.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import type { OpenFile } from "../fs/file.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { vfs_fallocate } from "../fs/read_write.ts";
import { ShmemInode } from "../fs/shmem.ts";

const PAGE = BigInt(PAGE_SIZE);
/** The address of the first mapping, in the user's half of the address space on both architectures. */
const FIRST_ADDRESS = 0x7f00_0000_0000n;
const MADV_MAX = 25;

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly prot: number;
  /** Undefined for an anonymous mapping. */
  readonly file: OpenFile | undefined;
  readonly offset: bigint;
  readonly shared: boolean;
  /** VM_SHARED and VM_MAYWRITE: counted in the inode, and makes F_SEAL_WRITE fail. */
  readonly may_write: boolean;
  /** The pages that were written in an anonymous or private mapping, by their index in the mapping. */
  readonly own: Map<number, Uint8Array>;
}

/** Thrown for an access to memory that does not exist. The caller sends SIGSEGV or SIGBUS. */
export class MemoryFault extends Error {
  override readonly name = "MemoryFault";
}

export class Mappings {
  #next = FIRST_ADDRESS;
  #list: Mapping[] = [];

  mmap(length: bigint, prot: number, flags: number, file: OpenFile | undefined, offset: bigint): bigint {
    const anonymous = (flags & abi.MAP_ANONYMOUS) !== 0;
    if (offset % PAGE !== 0n) return -BigInt(Errno.EINVAL);
    if (!anonymous && file === undefined) return -BigInt(Errno.EBADF);
    if (length <= 0n) return -BigInt(Errno.EINVAL);
    const kind = flags & 0xf;
    if (kind !== abi.MAP_SHARED && kind !== abi.MAP_PRIVATE && kind !== 3) return -BigInt(Errno.EINVAL);
    const shared = kind !== abi.MAP_PRIVATE;
    const backing = anonymous ? undefined : file;
    const may_write = backing === undefined ? 0 : may_map(backing, prot, shared, offset);
    if (may_write < 0) return BigInt(may_write);
    const size = (length + PAGE - 1n) / PAGE * PAGE;
    const start = this.#next;
    this.#next += size + PAGE;
    if (may_write > 0 && backing?.inode instanceof ShmemInode) backing.inode.writable_mappings++;
    this.#add({
      start,
      end: start + size,
      prot,
      file: backing?.get(),
      offset,
      shared,
      may_write: may_write > 0,
      own: new Map(),
    });
    return start;
  }

  #add(mapping: Mapping): void {
    this.#list.push(mapping);
    const inode = mapping.file?.inode;
    if (inode instanceof ShmemInode && !mapping.shared) inode.copies.add(mapping);
  }

  munmap(address: bigint, length: bigint): Ret {
    if (address % PAGE !== 0n || length <= 0n) return -Errno.EINVAL;
    const end = address + (length + PAGE - 1n) / PAGE * PAGE;
    const hit = this.#list.filter((mapping) => mapping.start < end && mapping.end > address);
    for (const mapping of hit) this.#unmap(mapping, address, end);
    return 0;
  }

  /** Unmaps a part of a mapping. The pages before `from` and from `to` on stay mapped. */
  #unmap(mapping: Mapping, from: bigint, to: bigint): void {
    const pieces: Mapping[] = [];
    if (mapping.start < from) pieces.push({ ...mapping, end: from });
    if (mapping.end > to) pieces.push(tail(mapping, to));
    const inode = mapping.file?.inode;
    const counted = mapping.may_write && inode instanceof ShmemInode;
    for (const piece of pieces) {
      piece.file?.get();
      if (counted) inode.writable_mappings++;
    }
    if (counted) inode.writable_mappings--;
    if (inode instanceof ShmemInode) inode.copies.delete(mapping);
    mapping.file?.put();
    this.#list.splice(this.#list.indexOf(mapping), 1);
    for (const piece of pieces) this.#add(piece);
  }

  /** Unmaps everything at the end of the process. */
  unmap_all(): void {
    for (const { start, end } of [...this.#list]) this.munmap(start, end - start);
  }

  forget(): void {
    this.#list = [];
  }

  madvise(address: bigint, length: bigint, advice: number): Ret {
    if (advice < 0 || advice > MADV_MAX || address % PAGE !== 0n || length < 0n) return -Errno.EINVAL;
    const end = address + (length + PAGE - 1n) / PAGE * PAGE;
    let at = address;
    while (at < end) {
      const mapping = this.#at(at);
      if (mapping === undefined) return -Errno.ENOMEM;
      const to = mapping.end < end ? mapping.end : end;
      const answer = advice === abi.MADV_REMOVE ? remove(mapping, at, to) : 0;
      if (answer < 0) return answer;
      at = to;
    }
    return 0;
  }

  /** @throws MemoryFault */
  load(address: bigint, into: Uint8Array): void {
    this.#each(address, into.length, abi.PROT_READ, (mapping, at, from, to) => {
      load_piece(mapping, at, into.subarray(from, to));
    });
  }

  /** @throws MemoryFault */
  store(address: bigint, data: Uint8Array): void {
    this.#each(address, data.length, abi.PROT_WRITE, (mapping, at, from, to) => {
      store_piece(mapping, at, data.subarray(from, to));
    });
  }

  /** Calls `piece` for each part of the range that lies in one page. */
  #each(
    address: bigint,
    length: number,
    prot: number,
    piece: (mapping: Mapping, at: bigint, from: number, to: number) => void,
  ): void {
    for (let done = 0; done < length;) {
      const at = address + BigInt(done);
      const mapping = this.#at(at);
      if (mapping === undefined || !(mapping.prot & prot)) throw new MemoryFault(`SIGSEGV at ${at}`);
      const step = Math.min(PAGE_SIZE - Number(at % PAGE), length - done);
      piece(mapping, at - mapping.start, done, done + step);
      done += step;
    }
  }

  #at(address: bigint): Mapping | undefined {
    return this.#list.find((mapping) => mapping.start <= address && address < mapping.end);
  }
}

/** The checks of do_mmap() and shmem_mmap(): -errno, or whether the mapping counts as writable (1) or not (0). */
function may_map(file: OpenFile, prot: number, shared: boolean, offset: bigint): Ret {
  const writes = (prot & abi.PROT_WRITE) !== 0;
  if (shared && writes && !file.writable) return -Errno.EACCES;
  if (!file.readable) return -Errno.EACCES;
  const { inode } = file;
  const sealed = ((inode.seals ?? 0) & (abi.F_SEAL_WRITE | abi.F_SEAL_FUTURE_WRITE)) !== 0;
  if (shared && writes && sealed) return -Errno.EPERM;
  if (!(inode instanceof ShmemInode)) return inode.mmap?.(offset) ?? -Errno.ENODEV;
  return shared && file.writable && !sealed ? 1 : 0;
}

function tail(mapping: Mapping, from: bigint): Mapping {
  const skipped = Number((from - mapping.start) / PAGE);
  const own = new Map(
    [...mapping.own].filter(([page]) => page >= skipped).map(([page, b]) => [page - skipped, b]),
  );
  return { ...mapping, start: from, offset: mapping.offset + from - mapping.start, own };
}

/** madvise_remove(): punches a hole into the mapped file. */
function remove(mapping: Mapping, from: bigint, to: bigint): Ret {
  if (mapping.file === undefined) return -Errno.EINVAL;
  if (!mapping.may_write) return -Errno.EACCES;
  const mode = abi.FALLOC_FL_PUNCH_HOLE | abi.FALLOC_FL_KEEP_SIZE;
  return vfs_fallocate(mapping.file, mode, mapping.offset + from - mapping.start, to - from);
}

interface ShmemPlace {
  readonly inode: ShmemInode;
  readonly offset: bigint;
}

/**
 * The place in a shmem file that is mapped at byte `at` of a mapping; undefined for an anonymous one.
 *
 * @throws MemoryFault
 */
function shmem_at(mapping: Mapping, at: bigint): ShmemPlace | undefined {
  const inode = mapping.file?.inode;
  if (!(inode instanceof ShmemInode)) return undefined;
  const offset = mapping.offset + at;
  const pages = (inode.size + PAGE - 1n) / PAGE;
  if (offset / PAGE >= pages) throw new MemoryFault(`SIGBUS: past the end of ${mapping.file?.link()}`);
  return { inode, offset };
}

function load_piece(mapping: Mapping, at: bigint, into: Uint8Array): void {
  const own = mapping.own.get(Number(at / PAGE));
  if (own !== undefined) return into.set(own.subarray(Number(at % PAGE), Number(at % PAGE) + into.length));
  const place = shmem_at(mapping, at);
  if (place === undefined) return void into.fill(0);
  fault(place);
  place.inode.cache.read(Number(place.offset), into);
}

/** shmem_fault(): a read of a hole allocates its page too. */
function fault({ inode, offset }: ShmemPlace): void {
  const page = Math.floor(Number(offset) / PAGE_SIZE);
  if (!inode.cache.populate(page, 1)) throw new MemoryFault("SIGBUS: out of memory");
}

function store_piece(mapping: Mapping, at: bigint, data: Uint8Array): void {
  const page = Number(at / PAGE);
  const own = mapping.own.get(page);
  if (own !== undefined) return own.set(data, Number(at % PAGE));
  const place = shmem_at(mapping, at);
  if (place !== undefined) fault(place);
  if (place !== undefined && mapping.shared) return place.inode.cache.write(Number(place.offset), data);
  const copy = new Uint8Array(PAGE_SIZE);
  if (place !== undefined) place.inode.cache.read(Number(place.offset - at % PAGE), copy);
  copy.set(data, Number(at % PAGE));
  mapping.own.set(page, copy);
}
