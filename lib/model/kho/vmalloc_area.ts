/**
 * Memory of the kernel's that need not lie together, and its way over a kexec (kho_preserve_vmalloc() of kexec_handover.c; layout
 * in `lib/kho/vmalloc.ts`): pages, and chunks that list them.
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

/** KHO_VMALLOC_ALLOC: made by vmalloc(), as opposed to a mapping of something else. */
const FLAGS = 1;

/** vcalloc(): zeroed pages, by frame; undefined when memory is out. */
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

/** Undefined, and nothing done, when memory is out. */
export function preserve_vmalloc(kho: Kho, frames: readonly number[]): VmallocArea | undefined {
  const preserved: number[] = [];
  const chunks: { address: bigint; blocks: bigint[] }[] = [];
  const fail = (): undefined => {
    for (const frame of preserved) kho.unpreserve_folio(frame, 0);
    for (const { address } of chunks) kho.unpreserve_free(Number(address));
  };
  // A full chunk is followed by another one, even if that stays empty.
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
 * kho_restore_vmalloc(): the area's pages by frame, the caller's to free. Undefined when it cannot be read or a page of it was not
 * handed over; what has been taken back by then is free again (Linux leaks it).
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
}

function read_area(ram: Ram, descriptor: VmallocDescriptor): VmallocArea | undefined {
  try {
    return decode_area(new Physical(ram), descriptor, "a vmalloc area");
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}
