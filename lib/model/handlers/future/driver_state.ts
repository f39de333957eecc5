/**
 * The handover data of a simulated driver: a few bytes in memory preserved through KHO, after a u32 with their number.
 */
import { type Kho, restore_free } from "../../kho/kho.ts";
import { PAGE_SIZE } from "../../../../ffi/abi/page.ts";
import { Physical } from "../../memory/physical.ts";
import type { Ram } from "../../memory/ram.ts";

/** Preserves the bytes and returns their address. Undefined when memory is used up, or when they do not fit a page. */
export function preserve_state(kho: Kho, bytes: Uint8Array): bigint | undefined {
  if (bytes.length + 4 > PAGE_SIZE) return undefined;
  const address = kho.alloc_preserve(bytes.length + 4);
  if (address === undefined) return undefined;
  const struct = new Physical(kho.ram).struct(address, bytes.length + 4);
  struct.setUint32(0, bytes.length, true);
  new Uint8Array(struct.buffer, struct.byteOffset + 4).set(bytes);
  return BigInt(address);
}

/** Undefined when there is no such data at the address. */
export function read_state(ram: Ram, data: bigint): Uint8Array | undefined {
  const page = ram.page(Number(data) / PAGE_SIZE);
  const length = page === undefined ? 0 : new DataView(page.buffer, page.byteOffset).getUint32(0, true);
  return length > PAGE_SIZE - 4 ? undefined : page?.slice(4, 4 + length);
}

export function free_state(ram: Ram, data: bigint): void {
  restore_free(ram, Number(data));
}
