/**
 * Kexec handover, outgoing (kernel/liveupdate/kexec_handover.c). The preserved-memory map lists the memory that is to
 * survive; the tree names the structs that the next kernel must find. Addresses are physical, in bytes.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Blob, KhoTree } from "../../kho/kho_tree.ts";
import { words } from "../../kho/struct_fields.ts";
import type { Ret } from "../../system_calls.ts";
import type { KhoMap, MapFormat } from "./map_format.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";
import { FRAME } from "../memory/section.ts";

/** A scratch area: memory that the next kernel may use before it has read the map. It is never preserved. */
export interface Scratch {
  /** Page frame number. */
  readonly base: number;
  readonly count: number;
}

/** The addresses that a kexec passes to the next kernel. Everything else is in memory. */
export interface Handover {
  /** Address of KHO's tree. */
  readonly fdt: number;
  /** Address of the list of scratch areas, {u64 address, u64 bytes} each. The list itself lies in scratch. */
  readonly scratch: number;
  readonly scratch_areas: number;
}

/**
 * The frame of the list of scratch areas: the first frame of scratch. The list is a segment of the loaded image, and
 * segments are loaded into scratch.
 */
export function scratch_list([first]: readonly Scratch[]): number {
  return first?.base ?? 0;
}

/** Bytes of scratch: enough for the model's early allocations, and not too much of a small machine. */
const SCRATCH_BYTES = 64 * 1024 * 1024;

/** kho_reserve_scratch(). Linux has three kinds of area: below 4 GiB, anywhere, and one for each node. */
export function reserve_scratch(ram: Ram): Scratch[] | undefined {
  const order = Math.floor(Math.log2(Math.min(SCRATCH_BYTES, ram.size_bytes / 16) / PAGE_SIZE));
  const base = order < 1 ? undefined : ram.kernel_block(order);
  return base === undefined ? undefined : [{ base, count: 2 ** order }];
}

/** How one release writes KHO's tree and map. */
export interface KhoFormat {
  readonly map: MapFormat;
  encode(tree: KhoTree): Uint8Array;
}

export class Kho {
  #blobs: Blob[] = [];
  /** Order of each block from `alloc_preserve`, by its first frame. Blocks of order 0 are left out. */
  readonly #orders = new Map<number, number>();
  /** Frames from `alloc_preserve` that were not freed. `audit` finds leaks by this count. */
  allocated = 0;
  /** Bytes of the tree at the end of kho_init(). */
  first_tree_size = 0;

  /** kho_init(). Undefined when memory is used up: the kernel then runs without KHO. */
  static init(ram: Ram, format: KhoFormat, scratch: readonly Scratch[]): Kho | undefined {
    const map = format.map.create(ram);
    const fdt = map && ram.kernel_page();
    if (map === undefined || fdt === undefined || map.add(fdt, 0) < 0) {
      if (fdt !== undefined) ram.free_kernel(fdt);
      map?.destroy();
      return undefined;
    }
    return new Kho(ram, format, scratch, map, fdt);
  }

  /** Undoes `init`: frees the map and the tree. */
  stop(): void {
    this.map.destroy();
    this.ram.free_kernel(this.fdt);
  }

  readonly ram: Ram;
  readonly format: KhoFormat;
  readonly scratch: readonly Scratch[];
  readonly map: KhoMap;
  readonly fdt: number;

  private constructor(ram: Ram, format: KhoFormat, scratch: readonly Scratch[], map: KhoMap, fdt: number) {
    this.ram = ram;
    this.format = format;
    this.scratch = scratch;
    this.map = map;
    this.fdt = fdt;
    this.#write_fdt();
    const areas = scratch.flatMap(({ base, count }) => [base, count].map((frames) => frames * PAGE_SIZE));
    new Physical(ram).write(BigInt(scratch_list(scratch) * PAGE_SIZE), words(...areas.map(BigInt)));
  }

  get blobs(): readonly Blob[] {
    return this.#blobs;
  }

  /** -ENOMEM when the map cannot grow, -EINVAL for memory in scratch. */
  preserve_folio(base: number, order: number): Ret {
    if (this.#in_scratch(base, 2 ** order)) return -Errno.EINVAL;
    return this.map.add(base, order);
  }

  unpreserve_folio(base: number, order: number): void {
    if (!this.map.delete(base, order)) {
      throw new Error(`Frames ${base}+${2 ** order} are not preserved`);
    }
  }

  /**
   * kho_preserve_pages(): preserves the range in the largest aligned blocks. On an error (-ENOMEM) nothing is
   * preserved.
   */
  preserve_pages(base: number, count: number): Ret {
    for (const [at, order] of blocks(base, count)) {
      const answer = this.preserve_folio(at, order);
      if (answer < 0) {
        this.unpreserve_pages(base, at - base);
        return answer;
      }
    }
    return 0;
  }

  unpreserve_pages(base: number, count: number): void {
    for (const [at, order] of blocks(base, count)) this.unpreserve_folio(at, order);
  }

  /**
   * kho_alloc_preserve(): the address of 2^order zeroed, preserved pages, enough for `size` bytes. Undefined when
   * memory is used up.
   */
  alloc_preserve(size: number): number | undefined {
    const order = Math.ceil(Math.log2(Math.max(1, size / PAGE_SIZE)));
    const base = this.ram.kernel_block(order);
    if (base === undefined) return undefined;
    if (this.preserve_folio(base, order) < 0) {
      this.ram.free_kernel(base, 2 ** order);
      return undefined;
    }
    if (order > 0) this.#orders.set(base, order);
    this.allocated += 2 ** order;
    return base * PAGE_SIZE;
  }

  unpreserve_free(address: number): void {
    const base = address / PAGE_SIZE;
    const order = this.#orders.get(base) ?? 0;
    this.#orders.delete(base);
    this.unpreserve_folio(base, order);
    this.ram.free_kernel(base, 2 ** order);
    this.allocated -= 2 ** order;
  }

  /**
   * kho_add_subtree(): names memory for the next kernel; the caller preserves it. The newest blob comes first, as in
   * libfdt.
   */
  add_subtree(name: string, address: number, size: number): Ret {
    if (this.#blobs.some((blob) => blob.name === name)) return -Errno.EEXIST;
    this.#blobs.unshift({ name, address: BigInt(address), size: BigInt(size) });
    this.#write_fdt();
    return 0;
  }

  remove_subtree(address: number): void {
    this.#blobs = this.#blobs.filter((blob) => blob.address !== BigInt(address));
    this.#write_fdt();
  }

  #write_fdt(): void {
    const bytes = this.format.encode({ map: BigInt(this.map.address), blobs: this.#blobs });
    const page = this.ram.page(this.fdt);
    page?.fill(0);
    page?.set(bytes);
  }

  /** reboot(2): completes the map. What is preserved now is what the next kernel gets. -ENOMEM. */
  finish(): Ret {
    const answer = this.map.finish();
    if (answer === 0) this.#write_fdt();
    return answer;
  }

  /** Called at the end of kho_init(): debugfs shows the length that the tree has now. */
  up(): void {
    const page = this.ram.page(this.fdt);
    if (page !== undefined) this.first_tree_size = new DataView(page.buffer, page.byteOffset).getUint32(4);
  }

  /**
   * All frames that the kexec must keep for the next kernel: the blocks of the map, the map itself, the list of scratch
   * areas.
   */
  kept(): (readonly [base: number, count: number])[] {
    const found: [number, number][] = [[scratch_list(this.scratch), 1]];
    this.map.walk({
      node: (frame) => found.push([frame, 1]),
      block: (base, order) => {
        const last = found.at(-1);
        if (last !== undefined && last[0] + last[1] === base) last[1] += 2 ** order;
        else found.push([base, 2 ** order]);
      },
    });
    return found;
  }

  /** Every block of the map. */
  preserved_blocks(): [base: number, order: number][] {
    const found: [number, number][] = [];
    this.map.walk({ block: (base, order) => found.push([base, order]) });
    return found;
  }

  /** kho_fill_kimage(): the addresses that the kexec passes on. */
  get handover(): Handover {
    return {
      fdt: this.fdt * PAGE_SIZE,
      scratch: scratch_list(this.scratch) * PAGE_SIZE,
      scratch_areas: this.scratch.length,
    };
  }

  /**
   * Linux checks this only with CONFIG_KEXEC_HANDOVER_DEBUG, because it would be a mistake of the kernel itself. The
   * model always checks.
   */
  #in_scratch(base: number, count: number): boolean {
    return this.scratch.some((area) => base < area.base + area.count && base + count > area.base);
  }
}

/** kho_restore_free(): frees memory from the previous kernel's `alloc_preserve`. False when it was not handed over. */
export function restore_free(ram: Ram, address: number): boolean {
  const order = ram.restore(address / PAGE_SIZE, FRAME.kernel);
  if (order !== undefined) ram.free_kernel(address / PAGE_SIZE, 2 ** order);
  return order !== undefined;
}

/** __kho_preserve_pages_order(): the blocks of a range, each as large and aligned as possible. */
export function* blocks(base: number, count: number): Iterable<readonly [base: number, order: number]> {
  for (let at = base; at < base + count;) {
    const aligned = at === 0 ? 52 : Math.log2(at & -at);
    const order = Math.min(aligned, Math.floor(Math.log2(base + count - at)));
    yield [at, order];
    at += 2 ** order;
  }
}
