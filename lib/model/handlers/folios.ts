/** Preserves and restores the pages of a file. Each page is a folio of order 0, as in shmem without huge pages. */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret } from "../../system_calls.ts";
import type { VmallocArea } from "../../kho/vmalloc.ts";
import type { Kho } from "../kho/kho.ts";
import { list_pages, type MemfdFormat, type MemfdHeader, read_folios, write_folios } from "./memfd_format.ts";
import type { Run } from "../fs/page_cache.ts";
import type { Ram } from "../memory/ram.ts";
import {
  preserve_vmalloc,
  restore_vmalloc,
  unpreserve_vmalloc,
  vcalloc,
  vfree,
} from "../kho/vmalloc_area.ts";

/**
 * The list of a file's folios: the frames that hold the list, and the vmalloc area by which the next kernel finds them.
 */
export interface FolioList {
  readonly frames: readonly number[];
  readonly area: VmallocArea;
}

export function count_pages(runs: readonly Run[]): number {
  return runs.reduce((sum, { extent }) => sum + extent.count, 0);
}

/**
 * memfd_luo_preserve_folios(): preserves the pages and a list of them. Undefined, and nothing changed, when memory is
 * used up.
 */
export function preserve_file_pages(
  kho: Kho,
  runs: readonly Run[],
  { pfn }: MemfdFormat,
): FolioList | undefined {
  const frames = vcalloc(kho.ram, list_pages(count_pages(runs)));
  if (frames === undefined) return undefined;
  if (preserve_folios(kho, runs)) {
    write_folios(kho.ram, frames, runs, pfn);
    const area = preserve_vmalloc(kho, frames);
    if (area !== undefined) return { frames, area };
    unpreserve_folios(kho, runs);
  }
  vfree(kho.ram, frames);
  return undefined;
}

export function unpreserve_file_pages(kho: Kho, runs: readonly Run[], list: FolioList): void {
  unpreserve_vmalloc(kho, list.area);
  unpreserve_folios(kho, runs);
  vfree(kho.ram, list.frames);
}

/** Restores the pages; works once. -EINVAL when the list cannot be read, other errnos as in `restore_folios`. */
export function restore_file_pages(
  ram: Ram,
  { folios, count }: MemfdHeader,
  { pfn }: MemfdFormat,
): Run[] | Ret {
  if (count === 0) return [];
  const list = restore_vmalloc(ram, folios);
  if (list === undefined) return -Errno.EINVAL;
  const runs = restore_folios(ram, read_folios(ram, list, count, pfn));
  vfree(ram, list);
  return runs;
}

/** Frees the pages of a file that was never retrieved. */
export function discard_file_pages(ram: Ram, header: MemfdHeader, format: MemfdFormat): void {
  const runs = restore_file_pages(ram, header, format);
  if (typeof runs === "object") { for (const { extent } of runs) ram.free(extent); }
}

/** Preserves all pages or, when the map cannot grow (false), none. */
function preserve_folios(kho: Kho, runs: readonly Run[]): boolean {
  let done = 0;
  for (const { extent } of runs) {
    for (let frame = extent.base; frame < extent.base + extent.count; frame++, done++) {
      if (kho.preserve_folio(frame, 0) === 0) continue;
      unpreserve_folios(kho, runs, done);
      return false;
    }
  }
  return true;
}

/** Unpreserves the first `count` pages. */
function unpreserve_folios(kho: Kho, runs: readonly Run[], count = Infinity): void {
  let left = count;
  for (const { extent } of runs) {
    for (let frame = extent.base; frame < extent.base + extent.count && left > 0; frame++, left--) {
      kho.unpreserve_folio(frame, 0);
    }
  }
}

/**
 * memfd_luo_retrieve_folios(): restores the file's pages. -EIO when a page was not handed over, -EEXIST when two have
 * the same index. On an error all pages that were found are freed.
 */
function restore_folios(
  ram: Ram,
  folios: Iterable<{ readonly frame: number; readonly index: number }>,
): Run[] | Ret {
  const pages: { index: number; base: number; count: number }[] = [];
  let answer: Ret = 0;
  for (const { frame, index } of folios) {
    const order = ram.restore(frame);
    if (order === undefined) {
      answer ||= -Errno.EIO;
      continue;
    }
    const [last, count] = [pages.at(-1), 2 ** order];
    const next = last !== undefined && last.index + last.count === index && last.base + last.count === frame;
    if (next) last.count += count;
    else pages.push({ index, base: frame, count });
  }
  const runs = pages.flatMap(({ index, base, count }) => {
    let at = index;
    return ram.extents(base, count).map((extent) => ({ index: (at += extent.count) - extent.count, extent }));
  });
  answer ||= overlap(runs) ? -Errno.EEXIST : 0;
  if (answer === 0) return runs;
  for (const { extent } of runs) ram.free(extent);
  return answer;
}

/** Are there two pages with the same index? A page cache cannot hold them (shmem_add_to_page_cache). */
function overlap(runs: readonly Run[]): boolean {
  const sorted = runs.toSorted((a, b) => a.index - b.index);
  return sorted.some(({ index, extent }, i) => (sorted[i + 1]?.index ?? Infinity) < index + extent.count);
}
