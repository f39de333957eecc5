/** Physical memory, as much of it as somebody kept: pages by their address. */
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { hex, KhoError } from "./kho_error.ts";

const PAGE = BigInt(PAGE_SIZE);
const END = 1n << 64n;

/** Whoever has the bytes of one page: a capture, a dump of a machine, the model's RAM. */
export interface Memory {
  /** The 4,096 bytes at an address that is a multiple of 4,096; undefined when they were not kept. */
  page(address: bigint): Uint8Array | undefined;
}

/** What an encoder writes to. */
export interface WritableMemory {
  /** Bytes may cross pages. */
  write(address: bigint, bytes: Uint8Array): void;
}

/** Memory that can be written: what an encoder fills. Pages nobody wrote are not there. */
export class Pages implements Memory, WritableMemory {
  readonly #pages = new Map<bigint, Uint8Array>();

  page(address: bigint): Uint8Array | undefined {
    return this.#pages.get(address);
  }

  /** The addresses there are, lowest first. */
  addresses(): bigint[] {
    return Array.from(this.#pages.keys()).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** Bytes may cross pages; what is new of a page is zero. */
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

/** Times a decoder may ask for a page, on average, and pages it may ask for as often as it likes. */
const [TIMES, ANYWAY] = [4, 1000];

/**
 * Memory for a decoder that does not trust it: structs that point to each other's insides make it read the same pages again and
 * again, without end as far as anybody wants to wait. Who does gets a KhoError.
 */
export class ReadOnce implements Memory {
  readonly #seen = new Set<bigint>();
  #reads = 0;

  constructor(readonly memory: Memory) {}

  page(address: bigint): Uint8Array | undefined {
    this.#seen.add(address);
    if (++this.#reads > TIMES * this.#seen.size + ANYWAY) {
      throw new KhoError("the handover", `many things share the page at ${hex(address)}, or others`);
    }
    return this.memory.page(address);
  }
}

/**
 * `length` bytes at any address, copied.
 *
 * @param thing what they are, for the error
 * @throws KhoError when a page of them was not kept, before anything large is allocated
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

/** A whole page, whose address the kernel wants to be one. @throws KhoError */
export function read_page(memory: Memory, address: bigint, thing: string): Uint8Array {
  if (address % PAGE !== 0n) throw new KhoError(thing, `${hex(address)} is not the start of a page`);
  return read(memory, address, PAGE_SIZE, thing);
}
