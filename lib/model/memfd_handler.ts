/** The memfd handler, `memfd-v2` (mm/memfd_luo.c): contents, size, position and seals of any shmem file without a name. */
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import type { Ret } from "../kernel.ts";
import { BadBytes, Reader, Writer } from "./bytes.ts";
import type { FileHandler, PreservedState, Retrieved } from "./file_handler.ts";
import type { OpenFile } from "./file.ts";
import { HostInode } from "./host_file.ts";
import { PageCache, type Run } from "./page_cache.ts";
import { PAGE_SIZE } from "./pages.ts";
import type { Extent, Ram } from "./ram.ts";
import type { Release } from "./releases.ts";
import { discard_runs, read_runs, restore_runs, write_runs, type WrittenRun } from "./run_list.ts";
import { ShmemInode } from "./shmem.ts";
import { memfd_file } from "./shmem_file.ts";

/** What the handler needs of an inode. `ShmemInode` is one; a shmem file of the host is another (`host_file.ts`). */
export interface Preservable {
  readonly nlink: number;
  readonly size: bigint;
  readonly seals: number;
  /** The frames of every page, from now on fixed; undefined when memory is out. */
  pin(): readonly Run[] | undefined;
  readonly runs: readonly Run[];
  unpin(): void;
}

/** What `serialize` writes: u64 position, u64 size, u32 seals, then the runs (`run_list.ts`). */
interface Memfd {
  readonly position: bigint;
  readonly size: bigint;
  readonly seals: number;
  readonly runs: readonly WrittenRun[];
}

/** MEMFD_LUO_ALL_SEALS. */
const ALL_SEALS = 0x3f;

/** memfd_pin_folios() counts pages in 32 bits. */
const MAX_PAGES = 0xffffffffn;

export class MemfdHandler implements FileHandler {
  readonly #seals: boolean;
  readonly compatible: string;

  /** `seals`: they come along, which they did not before memfd-v2. */
  constructor(
    readonly ram: Ram,
    readonly new_ino: () => bigint,
    { formats, seals }: Pick<Release, "formats" | "seals">,
  ) {
    this.compatible = formats.memfd;
    this.#seals = seals;
  }

  can_preserve(file: OpenFile): boolean {
    return preservable(file)?.nlink === 0;
  }

  preserve(file: OpenFile): Ret | PreservedState {
    const inode = preservable(file);
    if (inode === undefined) return -Errno.EINVAL;
    if ((inode.size + BigInt(PAGE_SIZE) - 1n) / BigInt(PAGE_SIZE) > MAX_PAGES) return -Errno.EFBIG;
    if (inode.pin() === undefined) return -Errno.ENOMEM;
    // Seals added from now on are lost; the position is read again in freeze.
    return new PreservedMemfd(file, inode.size, this.#seals ? inode.seals : 0);
  }

  unpreserve(file: OpenFile): void {
    preservable(file)?.unpin();
  }

  freeze(file: OpenFile, state: PreservedState): Ret {
    if (state instanceof PreservedMemfd) state.position = position_of(file);
    return 0;
  }

  retrieve(data: Uint8Array, uid: number): OpenFile | Ret {
    const memfd = decode(data);
    if (memfd === undefined) return -Errno.EINVAL;
    const runs = restore_runs(this.ram, memfd.runs);
    if (runs === undefined) return -Errno.EIO;
    if (memfd.seals & ~ALL_SEALS) {
      for (const { extent } of runs) this.ram.free(extent);
      return -Errno.EOPNOTSUPP;
    }
    const file = memfd_file(this.ram, this.new_ino(), uid, "", abi.MFD_ALLOW_SEALING);
    file.position = memfd.position;
    if (file.inode instanceof ShmemInode) {
      file.inode.size = memfd.size;
      file.inode.cache = new PageCache(this.ram, runs);
      // The trap: the new file has mode 0777, so F_SEAL_EXEC seals it against writing too.
      if (memfd.seals !== 0) file.inode.add_seals(memfd.seals);
    }
    return file;
  }

  /** A dup, a reopened or a second fd of the same file is the same file. */
  identity(file: OpenFile): object {
    return file.inode;
  }

  finish(data: Uint8Array, retrieved: Retrieved): void {
    // A retrieve that failed has cleaned up after itself.
    if (retrieved !== undefined) return;
    discard_runs(this.ram, decode(data)?.runs ?? []);
  }
}

class PreservedMemfd implements PreservedState {
  position: bigint;

  constructor(readonly file: OpenFile, readonly size: bigint, readonly seals: number) {
    this.position = position_of(file);
  }

  /** Asked of the inode each time: it may have moved to the host meanwhile. */
  get runs(): readonly Run[] {
    return preservable(this.file)?.runs ?? [];
  }

  *frames(): Iterable<Extent> {
    for (const run of this.runs) yield run.extent;
  }

  serialize(): Uint8Array {
    return write_runs(new Writer().u64(this.position).u64(this.size).u32(this.seals), this.runs).finish();
  }
}

function preservable(file: OpenFile): Preservable | undefined {
  const { inode } = file;
  return inode instanceof ShmemInode || (inode instanceof HostInode && inode.shmem) ? inode : undefined;
}

function position_of(file: OpenFile): bigint {
  return file.operations.lseek?.(file, 0n, abi.SEEK_CUR) ?? file.position;
}

/** Undefined when the bytes are none of ours. Numbers are taken as Linux takes them: nothing says that they are sane. */
function decode(data: Uint8Array): Memfd | undefined {
  try {
    return read(new Reader(data));
  } catch (error) {
    if (error instanceof BadBytes) return undefined;
    throw error;
  }
}

/** @throws BadBytes */
function read(bytes: Reader): Memfd {
  const position = BigInt.asIntN(64, bytes.u64());
  const size = BigInt.asIntN(64, bytes.u64());
  const seals = bytes.u32();
  const runs = read_runs(bytes);
  // vfs_setpos() does not take a negative one.
  return { position: position < 0n ? 0n : position, size, seals, runs };
}
