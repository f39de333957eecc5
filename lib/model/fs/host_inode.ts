/** An inode of the host inside the model: a memfd or another file that `adopt` brought in or `expose` moved out. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ret, Stat } from "../../system_calls.ts";
import type { Ram } from "../memory/ram.ts";
import type { Inode } from "./file.ts";
import type { HostFile } from "./host_interface.ts";
import type { Run } from "./page_cache.ts";
import { ALL_SEALS, implied_seals } from "./shmem.ts";

/**
 * An inode of the host; a kernel has one for each `dev:ino`. Its contents stay on the host. Only preserving gives it
 * page frames.
 */
export class HostInode implements Inode {
  /**
   * Preserved by LUO: the model refuses changes, as Linux does. The model cannot stop changes that the file's owner
   * makes on the host.
   */
  frozen = false;
  runs: readonly Run[] = [];
  users = 0;

  readonly ram: Ram;
  /** One of its open descriptions, so that the inode answers until the last of them is closed. */
  file: HostFile;
  /** Its open descriptions. They live here, so that they are forgotten with the inode. */
  readonly descriptions: Set<HostFile> = new Set();

  constructor(ram: Ram, file: HostFile) {
    this.ram = ram;
    this.file = file;
  }

  get shmem(): boolean {
    return this.file.shmem;
  }

  get nlink(): number {
    return this.stat().nlink;
  }

  get size(): bigint {
    return this.stat().size;
  }

  get seals(): number {
    return this.file.get_seals();
  }

  /**
   * For kexec_file_load, which asks only whether there is one. The model itself has a preserved file open for writing, so
   * that other writers cannot be told from it.
   */
  get writers(): number {
    if (this.frozen) return 0;
    return this.file.open_for_writing() ? 1 : 0;
  }

  stat(): Stat {
    return this.file.fstat();
  }

  fchmod(mode: number): Ret {
    return this.file.fchmod(mode);
  }

  add_seals(seals: number): Ret {
    const now = this.seals;
    const writes = (seals | implied_seals(seals, this.stat().mode)) & abi.F_SEAL_WRITE & ~now;
    const known = !(seals & ~ALL_SEALS) && !(now & abi.F_SEAL_SEAL);
    if (known && writes && this.frozen && this.size > 0n) return -Errno.EBUSY;
    return this.file.add_seals(seals);
  }

  pin(): readonly Run[] | undefined {
    const count = Math.ceil(Number(this.size) / PAGE_SIZE);
    if (count > this.ram.free_frames) return undefined;
    let index = 0;
    const pages = count === 0 ? undefined : this.file.pages();
    if (count > 0 && pages === undefined) return undefined;
    const extents = pages === undefined ? [] : this.ram.plug(count, pages);
    if (extents === undefined) {
      pages?.release();
      return undefined;
    }
    this.runs = extents.map((extent) => {
      const run = { index, extent };
      index += extent.count;
      return run;
    });
    this.frozen = true;
    return this.runs;
  }

  /**
   * Takes over the page frames of a file that was preserved before it moved to the host. The frames stay; their bytes
   * are now the host's.
   */
  take_over(runs: readonly Run[]): void {
    this.frozen = true;
    if (runs.length === 0) return;
    const pages = this.file.pages();
    if (pages === undefined) {
      throw new Error("Cannot move a file to the host: it has no free file descriptor");
    }
    const store = {
      pages,
      frames: runs.reduce((sum, { extent }) => sum + extent.count, 0),
    };
    this.runs = runs.map(({ index, extent }) => ({
      index,
      extent: this.ram.move(extent, store, index * PAGE_SIZE),
    }));
  }

  unpin(): void {
    for (const { extent } of this.runs) this.ram.free(extent);
    [this.runs, this.frozen] = [[], false];
  }
}
