/** Faults injected into the handover at the kexec: `lose_page` drops a page from the map, `corrupt` changes a byte. */
import type { Faults } from "../faults/faults.ts";
import type { Kho } from "./kho.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";

/** Removes one page of a file from the map. Call it before the list of kept frames is made. */
export function lose_page(faults: Faults, kho: Kho): void {
  if (faults.at("page").length === 0) return;
  const files = kho.preserved_blocks().filter(([base]) => !kho.ram.is_kernels(base));
  const lost = files[faults.random(Math.max(1, files.length))];
  if (lost !== undefined) kho.unpreserve_folio(...lost);
}

/** Changes one byte of the kernel's own handover data: the tree, the map, LUO's structs, or the lists of pages. */
export function corrupt(faults: Faults, kho: Kho): void {
  if (faults.at("handover").length === 0) return;
  const frames: number[] = [];
  for (const [base, count] of kho.kept()) {
    for (let frame = base; frame < base + count; frame++) if (kho.ram.is_kernels(frame)) frames.push(frame);
  }
  const page = kho.ram.page(frames[faults.random(frames.length)] ?? 0) ?? new Uint8Array(PAGE_SIZE);
  // Zeros at the end of a page are padding: changing them would prove nothing.
  const used = Math.max(1, page.findLastIndex((byte) => byte !== 0) + 1);
  const [at, change] = [faults.random(used), 1 + faults.random(255)];
  page[at] = (page[at] ?? 0) ^ change;
}
