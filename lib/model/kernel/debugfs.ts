/**
 * /sys/kernel/debug/kho (kernel/liveupdate/kexec_handover_debugfs.c): KHO's trees and blobs in their present state,
 * also those of the previous kernel whose memory has been freed since. Directories cannot be listed.
 */
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { HandedOver } from "../kho/incoming_kho.ts";
import type { Kho } from "../kho/kho.ts";
import type { Hardware } from "./hardware.ts";

const ROOT = "/sys/kernel/debug/kho/";

/** The two handovers that debugfs shows: the one that this kernel prepares, and the one it was given. */
interface Handovers {
  readonly kho: Kho | undefined;
  readonly handed: HandedOver | undefined;
  readonly hardware: Hardware;
}

/** The bytes of a file; undefined when there is no file of that name. */
export function read_debugfs(
  { kho, handed, hardware: { ram } }: Handovers,
  path: string,
): Uint8Array | undefined {
  if (kho === undefined || !path.startsWith(ROOT)) return undefined;
  const name = path.slice(ROOT.length);
  const memory = (address: number, size: number) => {
    const [frame, offset] = [Math.floor(address / PAGE_SIZE), address % PAGE_SIZE];
    return ram.page(frame)?.subarray(offset, offset + size);
  };
  const blob = (blobs: readonly { name: string; address: bigint; size: bigint }[], name: string) => {
    const found = blobs.find((blob) => blob.name === name);
    // Before kho-v3 a blob is a tree, which contains its own size.
    if (found?.size === 0n) return tree(memory(Number(found.address), PAGE_SIZE));
    return found && memory(Number(found.address), Number(found.size));
  };
  const lines = (numbers: readonly number[]) =>
    new TextEncoder().encode(numbers.map((number) => `0x${number.toString(16)}\n`).join(""));
  const [, side, file] = /^(in|out)\/sub_fdts\/([^/]+)$/.exec(name) ?? [];
  if (file !== undefined) return side === "out" ? blob(kho.blobs, file) : blob(handed?.blobs ?? [], file);
  switch (name) {
    case "out/scratch_phys":
      return lines(kho.scratch.map(({ base }) => base * PAGE_SIZE));
    case "out/scratch_len":
      return lines(kho.scratch.map(({ count }) => count * PAGE_SIZE));
    case "out/fdt":
      // kho_init() creates this file only when nothing was handed over, and with the length that the tree has before
      // LUO adds to it.
      return handed === undefined ? memory(kho.handover.fdt, kho.first_tree_size) : undefined;
    case "in/fdt":
      return handed && tree(memory(handed.fdt, PAGE_SIZE));
  }
  return undefined;
}

/** The page, cut to the size that the tree states. */
function tree(page: Uint8Array | undefined): Uint8Array | undefined {
  return page?.subarray(0, new DataView(page.buffer, page.byteOffset).getUint32(4));
}
