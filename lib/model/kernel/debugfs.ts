/**
 * /sys/kernel/debug/kho (kernel/liveupdate/kexec_handover_debugfs.c): KHO's trees and blobs as they are in memory now, also those
 * of the previous kernel that have been freed meanwhile. Files only: a directory cannot be listed.
 */
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { HandedOver } from "../kho/incoming_kho.ts";
import type { Kho } from "../kho/kho.ts";
import type { Hardware } from "./hardware.ts";

const ROOT = "/sys/kernel/debug/kho/";

/** What debugfs shows: the handover this kernel prepares, and the one it was given. */
interface Handovers {
  readonly kho: Kho | undefined;
  readonly handed: HandedOver | undefined;
  readonly hardware: Hardware;
}

/** The bytes of a file there; undefined when there is none of that name. */
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
    // Before kho-v3 a blob is a tree, which says its own size.
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
      // Only a kernel that was handed nothing has it (kho_init()), and as long as it was before LUO came.
      return handed === undefined ? memory(kho.handover.fdt, kho.first_tree_size) : undefined;
    case "in/fdt":
      return handed && tree(memory(handed.fdt, PAGE_SIZE));
  }
}

/** As many bytes as a tree says it has. */
function tree(page: Uint8Array | undefined): Uint8Array | undefined {
  return page?.subarray(0, new DataView(page.buffer, page.byteOffset).getUint32(4));
}
