/** Invariants of a machine: `audit` reports what is wrong with its memory, whatever faults were injected. */
import type { Machine } from "./machine.ts";
import { PageCache } from "./fs/page_cache.ts";
import { Directory, type Tmpfs } from "./fs/tmpfs.ts";

/**
 * Returns a sentence for everything that is wrong with the machine; an empty list is the good answer. While processes
 * are alive, only the rules that hold at any time are checked. When all processes have ended, every page frame must be
 * free, belong to the kernel, be part of a named tmpfs file, wait to be retrieved, or be held by a session whose files
 * refused to be finished. (A frame that is freed twice throws at once.)
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
  if (extra !== 0) found.push(`${extra} blocks of memory are preserved and belong to no file or session`);
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

/** Counts an inode with several names or descriptions once. */
function frames_of(inodes: readonly object[]): number {
  let sum = 0;
  for (const inode of new Set(inodes)) sum += pages_of(inode);
  return sum;
}

function pages_of(inode: object): number {
  return "cache" in inode && inode.cache instanceof PageCache ? inode.cache.pages : 0;
}
