/**
 * A preserved vmalloc area of `kho-v4` (include/linux/kho/abi/kexec_handover.h): pages that may lie apart.
 * All addresses are physical.
 *
 * | struct | layout |
 * |---|---|
 * | kho_vmalloc, 16 bytes | u64 first @0: the first chunk; u32 total_pages @8; u16 flags @12; u16 order @14 |
 * | kho_vmalloc_chunk, a page | u64 next @0, 0 for the last; u64 phys[511] @8: blocks of 2^order pages, up to a 0 |
 */
import { hex, KhoError } from "./kho_error.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read, read_page, type WritableMemory } from "./kept_memory.ts";
import { exactly, join, u64, view, words } from "./struct_fields.ts";

export const VMALLOC_SIZE = 16;
/** Number of blocks in one chunk (KHO_VMALLOC_SIZE). */
export const PER_CHUNK = 511;

/** struct kho_vmalloc. */
export interface VmallocDescriptor {
  readonly first: bigint;
  readonly total_pages: number;
  readonly flags: number;
  readonly order: number;
}

export interface VmallocArea extends VmallocDescriptor {
  readonly chunks: readonly { readonly address: bigint; readonly blocks: readonly bigint[] }[];
}

export function decode_descriptor(bytes: Uint8Array, thing: string): VmallocDescriptor {
  const fields = view(exactly(bytes, VMALLOC_SIZE, thing));
  return {
    first: fields.getBigUint64(0, true),
    total_pages: fields.getUint32(8, true),
    flags: fields.getUint16(12, true),
    order: fields.getUint16(14, true),
  };
}

export function encode_descriptor(area: VmallocDescriptor): Uint8Array {
  const bytes = new Uint8Array(VMALLOC_SIZE);
  bytes.set(words(area.first));
  const fields = view(bytes);
  fields.setUint32(8, area.total_pages, true);
  fields.setUint16(12, area.flags, true);
  fields.setUint16(14, area.order, true);
  return bytes;
}

/**
 * Reads the chunks of an area.
 *
 * @throws KhoError for a cycle, a chunk that is not full but not the last, and another number of pages than total_pages
 */
export function decode_area(memory: Memory, descriptor: VmallocDescriptor, thing: string): VmallocArea {
  if (descriptor.order > 20) throw new KhoError(thing, `blocks of order ${descriptor.order}`);
  const chunks = [];
  const seen = new Set<bigint>();
  for (let address = descriptor.first; address !== 0n;) {
    const name = `chunk ${chunks.length} of ${thing}`;
    if (seen.has(address)) throw new KhoError(name, `the chain comes back to ${hex(address)}`);
    seen.add(address);
    const bytes = read_page(memory, address, name);
    const blocks = [];
    for (let at = 8; at < PAGE_SIZE && u64(bytes, at) !== 0n; at += 8) blocks.push(u64(bytes, at));
    chunks.push({ address, blocks });
    address = u64(bytes, 0);
    if (address !== 0n && blocks.length < PER_CHUNK) {
      throw new KhoError(name, `${blocks.length} blocks, and more chunks`);
    }
  }
  const pages = chunks.reduce((sum, { blocks }) => sum + blocks.length, 0) * 2 ** descriptor.order;
  if (pages !== descriptor.total_pages) {
    throw new KhoError(thing, `${pages} pages, not ${descriptor.total_pages}`);
  }
  return { ...descriptor, chunks };
}

/** Writes the chunks. `write_area` writes the contents of the area. */
export function encode_area(pages: WritableMemory, area: VmallocArea): void {
  area.chunks.forEach(({ address, blocks }, index) => {
    const bytes = new Uint8Array(PAGE_SIZE);
    bytes.set(words(area.chunks[index + 1]?.address ?? 0n, ...blocks));
    pages.write(address, bytes);
  });
}

/** The blocks of the area, in order, up to `length` bytes. */
function* parts(area: VmallocArea, length: number): Generator<{ address: bigint; from: number; to: number }> {
  let done = 0;
  for (const block of area.chunks.flatMap(({ blocks }) => blocks)) {
    const to = Math.min(length, done + PAGE_SIZE * 2 ** area.order);
    if (to > done) yield { address: block, from: done, to };
    done = to;
  }
}

/** Reads the first `length` bytes of the area. @throws KhoError when the area is shorter, or a page is missing */
export function read_area(memory: Memory, area: VmallocArea, length: number, thing: string): Uint8Array {
  if (length > area.total_pages * PAGE_SIZE) {
    throw new KhoError(thing, `${length} bytes in ${area.total_pages} pages`);
  }
  return join(Array.from(
    parts(area, length),
    ({ address, from, to }) => read(memory, address, to - from, thing),
  ));
}

export function write_area(pages: WritableMemory, area: VmallocArea, bytes: Uint8Array): void {
  for (const { address, from, to } of parts(area, bytes.length)) {
    pages.write(address, bytes.subarray(from, to));
  }
}
