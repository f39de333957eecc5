/** Faults of a handover, at the moment of the kexec: a page that is not preserved after all, a byte that is another one. */
import type { Faults } from "../faults/faults.ts";
import type { Kho } from "./kho.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";

/** Of a file's contents: before it is known what the kexec keeps. */
export function lose_page(faults: Faults, kho: Kho): void {
  if (faults.at("page").length === 0) return;
  const files = kho.preserved_blocks().filter(([base]) => !kho.ram.is_kernels(base));
  const lost = files[faults.random(Math.max(1, files.length))];
  if (lost !== undefined) kho.unpreserve_folio(...lost);
}

/** Of what the kernel itself wrote for the next one: the tree, the map, LUO's structs, the lists of pages. */
export function corrupt(faults: Faults, kho: Kho): void {
  if (faults.at("handover").length === 0) return;
  const frames: number[] = [];
  for (const [base, count] of kho.kept()) {
    for (let frame = base; frame < base + count; frame++) if (kho.ram.is_kernels(frame)) frames.push(frame);
  }
  const page = kho.ram.page(frames[faults.random(frames.length)] ?? 0) ?? new Uint8Array(PAGE_SIZE);
  // Zeros up to the end of a page mean nothing to anybody.
  const used = Math.max(1, page.findLastIndex((byte) => byte !== 0) + 1);
  const [at, change] = [faults.random(used), 1 + faults.random(255)];
  page[at] = (page[at] ?? 0) ^ change;
}
