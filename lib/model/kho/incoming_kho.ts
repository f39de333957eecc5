/**
 * Kexec handover, incoming: what a kernel does with the handover before it knows which memory is its own
 * (kho_populate() and kho_memory_init() of kernel/liveupdate/kexec_handover.c). Until the map is read, frames come from
 * the scratch areas only.
 */
import { KhoError } from "../../kho/kho_error.ts";
import { format_of, type KhoTree } from "../../kho/kho_tree.ts";
import type { Handover, Scratch } from "./kho.ts";
import { BrokenMap, type MapFormat } from "./map_format.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { KernelPanic } from "../ground/panic.ts";
import type { Ram } from "../memory/ram.ts";

/** The handover that this kernel received. `blobs` have names (`kho_retrieve_subtree`). */
export interface HandedOver {
  readonly fdt: number;
  readonly blobs: KhoTree["blobs"];
  readonly scratch: readonly Scratch[];
}

/** The format of KHO's tree in one release. */
export interface TreeFormat {
  readonly format: string;
  readonly decode: (bytes: Uint8Array) => KhoTree;
}

/**
 * kho_populate(): undefined when this kernel does not understand the tree. It then boots as if nothing had been handed
 * over.
 */
export function populate(
  ram: Ram,
  handover: Handover,
  { format, decode }: TreeFormat,
  print: (line: string) => void,
): (HandedOver & { readonly map: number }) | undefined {
  const tree = read_tree(ram, handover.fdt, { format, decode });
  if (typeof tree === "string") {
    print(`KHO: setup: handover FDT (0x${handover.fdt.toString(16)}) is ${tree}`);
    print("KHO: disabling KHO revival");
    return undefined;
  }
  const scratch = read_scratch(ram, handover);
  const [list, ...others] = scratch;
  // Linux would access memory that does not exist.
  if (list === undefined || !ram.scratch_only([{ base: list.base + 1, count: list.count - 1 }, ...others])) {
    throw new KernelPanic("Fatal exception: the scratch area is no memory");
  }
  print("KHO: found kexec handover data.");
  return { fdt: handover.fdt, blobs: tree.blobs, scratch, map: Number(tree.map) };
}

/** The tree, or a text that says what is wrong with it. */
function read_tree(ram: Ram, address: number, { format, decode }: TreeFormat): KhoTree | string {
  try {
    const page = ram.page(address / PAGE_SIZE) ?? new Uint8Array(0);
    if (format_of(page) !== format) return `incompatible with '${format}': 1`;
    return decode(page);
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    return `invalid: ${error.problem}`;
  }
}

function read_scratch(ram: Ram, { scratch, scratch_areas }: Handover): Scratch[] {
  const page = ram.page(scratch / PAGE_SIZE) ?? new Uint8Array(PAGE_SIZE);
  const words = new BigUint64Array(page.buffer, page.byteOffset, scratch_areas * 2);
  return Array.from({ length: scratch_areas }, (_, index) => ({
    base: Number(words[index * 2]) / PAGE_SIZE,
    count: Number(words[index * 2 + 1]) / PAGE_SIZE,
  }));
}

/**
 * kho_mem_retrieve(): reserves every block of the map.
 *
 * @throws KernelPanic when the map leads to memory that does not exist
 */
export function retrieve_memory(ram: Ram, format: MapFormat, map: number): void {
  try {
    format.read(ram, map, {
      block: (base, order) => {
        if (!ram.keep(base, order)) throw new BrokenMap(base * PAGE_SIZE);
      },
    });
  } catch (error) {
    if (error instanceof BrokenMap) throw new KernelPanic(`Fatal exception: ${error.message}`);
    throw error;
  }
}
