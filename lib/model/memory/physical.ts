/** Physical memory by address, in the form that the codecs of `lib/kho` read and write. */
import type { Memory, WritableMemory } from "../../kho/kept_memory.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ram } from "./ram.ts";

export class Physical implements Memory, WritableMemory {
  readonly ram: Ram;

  constructor(ram: Ram) {
    this.ram = ram;
  }

  page(address: bigint): Uint8Array | undefined {
    return this.ram.page(Number(address) / PAGE_SIZE);
  }

  /** Writes bytes. All their pages must belong to the kernel. */
  write(address: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const { page, offset } = this.#at(Number(address) + done);
      const part = bytes.subarray(done, done + PAGE_SIZE - offset);
      page.set(part, offset);
      done += part.length;
    }
  }

  /** A view of a struct in the kernel's memory; the struct must lie in one page. */
  struct(address: number, size: number): DataView<ArrayBuffer> {
    const { page, offset } = this.#at(address);
    return new DataView(page.buffer, page.byteOffset + offset, size);
  }

  #at(address: number): { page: Uint8Array<ArrayBuffer>; offset: number } {
    const page = this.ram.page(Math.floor(address / PAGE_SIZE));
    if (page === undefined) throw new Error(`No memory at ${address}`);
    return { page, offset: address % PAGE_SIZE };
  }
}
