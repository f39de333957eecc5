/** What must be true of a machine whatever went wrong in it. */
import type { Machine } from "./machine.ts";
import { PageCache } from "./fs/page_cache.ts";
import { Directory, type Tmpfs } from "./fs/tmpfs.ts";

/**
 * Everything that is wrong with the machine, in words; nothing is the good answer. With processes alive only what holds at any
 * time is looked at; with none left, every page frame must be free, the kernel's own, in a named tmpfs file, waiting to be
 * retrieved, or held by a session whose files refused to be finished.
 * (A frame freed twice throws where it happens.)
 */
export function audit(machine: Machine): string[] {
  const { ram } = machine;
  const found = ram.audit();
  if (machine.off) return found;
  const blocks = machine.system.kho?.preserved_blocks() ?? [];
  for (const [base, order] of blocks) {
    if (ram.any_free(base, 2 ** order)) {
      found.push(`page frames ${base}+${2 ** order} are preserved and free`);
    }
  }
  if (machine.system.processes.size > 0) return found;
  const extra = blocks.length - machine.system.blocks_at_boot;
  if (extra !== 0) found.push(`${extra} blocks of memory are preserved for nobody`);
  const { shm, tmp, luo, kho } = machine.system;
  const leaked = (kho?.allocated ?? 0) - machine.system.kho_at_boot;
  if (leaked !== 0) found.push(`${leaked} page frames that were allocated to be preserved are leaked`);
  const incoming = [...luo?.sessions.incoming.values() ?? []];
  const held = incoming.flatMap(({ files }) => [...files.held()]).map(({ inode }) => inode);
  const owned = tmpfs_frames(shm) + tmpfs_frames(tmp) + frames_of(held) + ram.unclaimed_frames +
    machine.system.own_frames;
  const lost = ram.used_frames - owned;
  if (lost !== 0) found.push(`${lost} page frames are leaked`);
  return found;
}

function tmpfs_frames({ root }: Tmpfs): number {
  const inodes: object[] = [];
  const directories = [root];
  for (const { entries } of directories) {
    for (const entry of entries.values()) {
      if (entry instanceof Directory) directories.push(entry);
      else inodes.push(entry);
    }
  }
  return frames_of(inodes);
}

/** An inode with several names or descriptions counts once. */
function frames_of(inodes: readonly object[]): number {
  let sum = 0;
  for (const inode of new Set(inodes)) sum += pages_of(inode);
  return sum;
}

function pages_of(inode: object): number {
  return "cache" in inode && inode.cache instanceof PageCache ? inode.cache.pages : 0;
}
