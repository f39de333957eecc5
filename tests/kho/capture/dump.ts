/** A dump of a machine's memory by QEMU's pmemsave, which records the pages that were read. */
import { KhoError } from "../../../lib/kho/kho_error.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { type Memory, Pages, read } from "../../../lib/kho/kept_memory.ts";
import { u64, view } from "../../../lib/kho/struct_fields.ts";

export class Dump implements Memory, Disposable {
  readonly #file: Deno.FsFile;
  /** Every page that was read. */
  readonly touched = new Pages();

  readonly start: bigint;

  /** `start`: the physical address of the first byte. */
  constructor(path: string, start: bigint) {
    this.#file = Deno.openSync(path);
    this.start = start;
  }

  page(address: bigint): Uint8Array | undefined {
    const known = this.touched.page(address);
    if (known !== undefined) return known;
    const page = new Uint8Array(PAGE_SIZE);
    if (address < this.start) return undefined;
    this.#file.seekSync(address - this.start, Deno.SeekMode.Start);
    if (this.#file.readSync(page) !== PAGE_SIZE) return undefined;
    this.touched.write(address, page);
    return this.touched.page(address);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Offset of the list in boot_params, and SETUP_KEXEC_KHO of arch/x86/include/uapi/asm/setup_data.h. */
const [SETUP_DATA, KEXEC_KHO] = [0x250n, 10];

/** x86: the address of KHO's tree, which the old kernel puts into the setup_data list of boot_params. */
export function fdt_address(dump: Dump, boot_params: bigint): bigint {
  let at = u64(read(dump, boot_params + SETUP_DATA, 8, "boot_params"), 0);
  for (let left = 100; at !== 0n && left > 0; left--) {
    const header = read(dump, at, 16, "setup_data");
    if (view(header).getUint32(8, true) === KEXEC_KHO) {
      return u64(read(dump, at + 16n, 8, "setup_data"), 0);
    }
    at = u64(header, 0);
  }
  throw new KhoError("setup_data", "no entry of KHO");
}
