/**
 * The memfd handler (mm/memfd_luo.c): preserves contents, size, position and seals of any shmem file without a name.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret } from "../../system_calls.ts";
import type { FileHandler, PreservedState, Retrieved } from "../luo/file_handler.ts";
import type { OpenFile } from "../fs/file.ts";
import { restore_file_pages } from "./folios.ts";
import { HostInode } from "../fs/host_inode.ts";
import { type Kho, restore_free } from "../kho/kho.ts";
import type { MemfdFormat, MemfdHeader } from "./memfd_format.ts";
import { PageCache, type Run } from "../fs/page_cache.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { discard_preserved, PreservedPages, read_preserved } from "./preserved_pages.ts";
import type { Release } from "../ground/releases.ts";
import { ALL_SEALS, ShmemInode } from "../fs/shmem.ts";
import { memfd_file } from "../fs/shmem_file.ts";

/**
 * The part of an inode that the handler needs. `ShmemInode` has it, and so has `HostInode` for a shmem file of the
 * host.
 */
export interface Preservable {
  readonly nlink: number;
  readonly size: bigint;
  readonly seals: number;
  /** Fixes the pages up to the size and returns their frames. Undefined when memory is used up. */
  pin(): readonly Run[] | undefined;
  unpin(): void;
}

/** memfd_pin_folios() counts pages in 32 bits. */
const MAX_PAGES = 0xffffffffn;

export class MemfdHandler implements FileHandler {
  readonly #seals: boolean;
  readonly compatible: string;

  readonly kho: Kho;
  readonly new_ino: () => bigint;
  readonly format: MemfdFormat;

  /** `release.seals` says whether this release hands seals over; formats before memfd-v2 do not. */
  constructor(kho: Kho, new_ino: () => bigint, { formats, seals }: Release, format: MemfdFormat) {
    this.kho = kho;
    this.new_ino = new_ino;
    this.format = format;
    this.compatible = formats.memfd;
    this.#seals = seals;
  }

  can_preserve(file: OpenFile): boolean {
    return preservable(file)?.nlink === 0;
  }

  preserve(file: OpenFile): Ret | PreservedState {
    const inode = preservable(file);
    if (inode === undefined) return -Errno.EINVAL;
    const address = this.kho.alloc_preserve(this.format.size);
    if (address === undefined) return -Errno.ENOMEM;
    const large = (inode.size + BigInt(PAGE_SIZE) - 1n) / BigInt(PAGE_SIZE) > MAX_PAGES;
    const runs = large ? undefined : inode.pin();
    // Seals that are added after this are lost. `freeze` writes the position again.
    const about = { position: position_of(file), size: inode.size, seals: this.#seals ? inode.seals : 0 };
    const state = runs && PreservedPages.preserve(this.kho, this.format, address, about, runs);
    if (state !== undefined) return state;
    if (runs !== undefined) inode.unpin();
    this.kho.unpreserve_free(address);
    return large ? -Errno.EFBIG : -Errno.ENOMEM;
  }

  unpreserve(file: OpenFile, state: PreservedState): void {
    if (state instanceof PreservedPages) state.unpreserve();
    preservable(file)?.unpin();
  }

  freeze(file: OpenFile, state: PreservedState): Ret {
    if (state instanceof PreservedPages) state.write(position_of(file));
    return 0;
  }

  retrieve(data: bigint, uid: number): OpenFile | Ret {
    if (data === 0n) return -Errno.EINVAL;
    const { ram } = this.kho;
    const memfd = read_preserved(ram, this.format, data);
    if (memfd === undefined) return -Errno.EINVAL;
    const answer = this.#retrieve(memfd, uid);
    restore_free(ram, Number(data));
    return answer;
  }

  #retrieve(memfd: MemfdHeader, uid: number): OpenFile | Ret {
    const { position, size, seals } = memfd;
    // MEMFD_LUO_ALL_SEALS.
    if (seals & ~ALL_SEALS) return -Errno.EOPNOTSUPP;
    const { ram } = this.kho;
    const runs = restore_file_pages(ram, memfd, this.format);
    if (typeof runs === "number") return runs;
    const file = memfd_file(ram, this.new_ino(), uid, "", abi.MFD_ALLOW_SEALING);
    // vfs_setpos() refuses a negative position.
    file.position = position < 0n ? 0n : position;
    if (file.inode instanceof ShmemInode) {
      file.inode.size = size;
      file.inode.cache = new PageCache(ram, runs);
      // Beware: the new file has mode 0777, so F_SEAL_EXEC also seals it against writing.
      if (seals !== 0) file.inode.add_seals(seals);
    }
    return file;
  }

  /** All descriptions of an inode are the same file. */
  identity(file: OpenFile): object {
    return file.inode;
  }

  finish(data: bigint, retrieved: Retrieved): void {
    // A failed retrieve has already freed its data.
    if (retrieved !== undefined || data === 0n) return;
    discard_preserved(this.kho.ram, this.format, data);
  }
}

function preservable(file: OpenFile): Preservable | undefined {
  const { inode } = file;
  return inode instanceof ShmemInode || (inode instanceof HostInode && inode.shmem) ? inode : undefined;
}

function position_of(file: OpenFile): bigint {
  return file.operations.lseek?.(file, 0n, abi.SEEK_CUR) ?? file.position;
}
