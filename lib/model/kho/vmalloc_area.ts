/**
 * Vmalloc areas of the kernel and their way over a kexec (kho_preserve_vmalloc() of kexec_handover.c; layout in
 * `lib/kho/vmalloc.ts`): pages that need not lie together, and chunks that list them.
 */
import { KhoError } from "../../kho/kho_error.ts";
import {
  decode_area,
  encode_area,
  PER_CHUNK,
  type VmallocArea,
  type VmallocDescriptor,
} from "../../kho/vmalloc.ts";
import { type Kho, restore_free } from "./kho.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";
import { FRAME } from "../memory/section.ts";

/** KHO_VMALLOC_ALLOC: the area comes from vmalloc(), and is not a mapping of other memory. */
const FLAGS = 1;

/** vcalloc(): the frames of zeroed pages. Undefined when memory is used up. */
export function vcalloc(ram: Ram, pages: number): number[] | undefined {
  const frames: number[] = [];
  for (let i = 0; i < pages; i++) {
    const frame = ram.kernel_page();
    if (frame === undefined) {
      vfree(ram, frames);
      return undefined;
    }
    frames.push(frame);
  }
  return frames;
}

export function vfree(ram: Ram, frames: readonly number[]): void {
  for (const frame of frames) ram.free_kernel(frame);
}

/** Preserves the pages and the chunks that list them. Undefined, and nothing changed, when memory is used up. */
export function preserve_vmalloc(kho: Kho, frames: readonly number[]): VmallocArea | undefined {
  const preserved: number[] = [];
  const chunks: { address: bigint; blocks: bigint[] }[] = [];
  const fail = (): undefined => {
    for (const frame of preserved) kho.unpreserve_folio(frame, 0);
    for (const { address } of chunks) kho.unpreserve_free(Number(address));
  };
  // Another chunk follows a full one, even if it stays empty.
  for (let first = 0; first <= frames.length; first += PER_CHUNK) {
    const address = kho.alloc_preserve(PAGE_SIZE);
    if (address === undefined) return fail();
    const blocks: bigint[] = [];
    chunks.push({ address: BigInt(address), blocks });
    for (const frame of frames.slice(first, first + PER_CHUNK)) {
      if (kho.preserve_folio(frame, 0) < 0) return fail();
      preserved.push(frame);
      blocks.push(BigInt(frame * PAGE_SIZE));
    }
  }
  const first = chunks[0]?.address ?? 0n;
  const area = { first, total_pages: frames.length, flags: FLAGS, order: 0, chunks };
  encode_area(new Physical(kho.ram), area);
  return area;
}

export function unpreserve_vmalloc(kho: Kho, area: VmallocArea): void {
  for (const { address, blocks } of area.chunks) {
    for (const block of blocks) kho.unpreserve_folio(Number(block) / PAGE_SIZE, area.order);
    kho.unpreserve_free(Number(address));
  }
}

/**
 * kho_restore_vmalloc(): the frames of the area's pages, which the caller must free. Undefined when the area cannot be
 * read or a page of it was not handed over; the pages restored before that are freed (Linux leaks them).
 */
export function restore_vmalloc(ram: Ram, descriptor: VmallocDescriptor): number[] | undefined {
  const area = read_area(ram, descriptor);
  if (area === undefined) return undefined;
  const frames: number[] = [];
  const take = (base: number, order: number): boolean => {
    const found = ram.restore(base, FRAME.kernel);
    for (let at = 0; found !== undefined && at < 2 ** found; at++) frames.push(base + at);
    return found === order;
  };
  const chunks = area.chunks.map(({ address }) => Number(address) / PAGE_SIZE);
  const blocks = area.chunks.flatMap((chunk) => chunk.blocks).map((block) => Number(block) / PAGE_SIZE);
  if (blocks.every((base) => take(base, area.order))) {
    if (chunks.every((chunk) => restore_free(ram, chunk * PAGE_SIZE))) return frames;
  }
  vfree(ram, frames);
  return undefined;
}

function read_area(ram: Ram, descriptor: VmallocDescriptor): VmallocArea | undefined {
  try {
    return decode_area(new Physical(ram), descriptor, "a vmalloc area");
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}
