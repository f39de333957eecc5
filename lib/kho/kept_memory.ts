/** Pages of physical memory by their address, and reads that check that the pages exist. */
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { hex, KhoError } from "./kho_error.ts";

const PAGE = BigInt(PAGE_SIZE);
const END = 1n << 64n;

/** A source of pages: a capture, a dump of a machine, or the model's RAM. */
export interface Memory {
  /** The 4,096 bytes at an address that is a multiple of 4,096; undefined when the source does not have them. */
  page(address: bigint): Uint8Array | undefined;
}

/** Memory that an encoder writes to. */
export interface WritableMemory {
  /** The bytes may cross pages. */
  write(address: bigint, bytes: Uint8Array): void;
}

/** Writable memory that holds only the pages that were written. */
export class Pages implements Memory, WritableMemory {
  readonly #pages = new Map<bigint, Uint8Array>();

  page(address: bigint): Uint8Array | undefined {
    return this.#pages.get(address);
  }

  /** The addresses of all pages, lowest first. */
  addresses(): bigint[] {
    return Array.from(this.#pages.keys()).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** The bytes may cross pages. The rest of a new page is zero. */
  write(address: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = address + BigInt(done);
      const offset = Number(at % PAGE);
      const part = bytes.subarray(done, done + PAGE_SIZE - offset);
      this.#fresh(at - BigInt(offset)).set(part, offset);
      done += part.length;
    }
  }

  #fresh(address: bigint): Uint8Array {
    const known = this.#pages.get(address);
    if (known !== undefined) return known;
    const page = new Uint8Array(PAGE_SIZE);
    this.#pages.set(address, page);
    return page;
  }
}

/** How often a decoder may read each page on average, and how many reads are always allowed. */
const [TIMES, ANYWAY] = [4, 1000];

/**
 * Limits the reads of a decoder. Damaged structs that point into each other could make it read the same pages almost
 * without end; it gets a KhoError instead.
 */
export class ReadOnce implements Memory {
  readonly #seen = new Set<bigint>();
  #reads = 0;

  readonly memory: Memory;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  page(address: bigint): Uint8Array | undefined {
    this.#seen.add(address);
    if (++this.#reads > TIMES * this.#seen.size + ANYWAY) {
      throw new KhoError("the handover", `too many things share the page at ${hex(address)}`);
    }
    return this.memory.page(address);
  }
}

/**
 * Copies `length` bytes from any address.
 *
 * @param thing name of the bytes, for the error
 * @throws KhoError when one of their pages is missing, before anything large is allocated
 */
export function read(memory: Memory, address: bigint, length: number, thing: string): Uint8Array {
  if (address === 0n) throw new KhoError(thing, "its address is 0");
  if (address + BigInt(length) > END) {
    throw new KhoError(thing, `${hex(address)} runs over the end of memory`);
  }
  const first = address - address % PAGE;
  for (let page = first; page < address + BigInt(length); page += PAGE) {
    if (memory.page(page) === undefined) throw new KhoError(thing, `no memory at ${hex(page)}`);
  }
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const at = address + BigInt(done);
    const offset = Number(at % PAGE);
    const part = memory.page(at - BigInt(offset))?.subarray(offset, offset + length - done) ??
      new Uint8Array();
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

/** Copies a page. @throws KhoError also when the address is not a multiple of the page size */
export function read_page(memory: Memory, address: bigint, thing: string): Uint8Array {
  if (address % PAGE !== 0n) throw new KhoError(thing, `${hex(address)} is not the start of a page`);
  return read(memory, address, PAGE_SIZE, thing);
}
