/** A machine's memory in a file, as QEMU's pmemsave writes it, and what was read of it. */
import { KhoError } from "../../../lib/kho/kho_error.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { type Memory, Pages, read } from "../../../lib/kho/kept_memory.ts";
import { u64, view } from "../../../lib/kho/struct_fields.ts";

export class Dump implements Memory, Disposable {
  readonly #file: Deno.FsFile;
  /** Every page that was asked for. */
  readonly touched = new Pages();

  constructor(path: string) {
    this.#file = Deno.openSync(path);
  }

  page(address: bigint): Uint8Array | undefined {
    const known = this.touched.page(address);
    if (known !== undefined) return known;
    const page = new Uint8Array(PAGE_SIZE);
    this.#file.seekSync(address, Deno.SeekMode.Start);
    if (this.#file.readSync(page) !== PAGE_SIZE) return undefined;
    this.touched.write(address, page);
    return this.touched.page(address);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** In boot_params, and SETUP_KEXEC_KHO of arch/x86/include/uapi/asm/setup_data.h. */
const [SETUP_DATA, KEXEC_KHO] = [0x250n, 10];

/** The address of KHO's tree, which the old kernel leaves in a list behind boot_params. */
export function fdt_address(dump: Dump, boot_params: bigint): bigint {
  let at = u64(read(dump, boot_params + SETUP_DATA, 8, "boot_params"), 0);
  for (let left = 100; at !== 0n && left > 0; left--) {
    const header = read(dump, at, 16, "setup_data");
    if (view(header).getUint32(8, true) === KEXEC_KHO) {
      return u64(read(dump, at + 16n, 8, "setup_data"), 0);
    }
    at = u64(header, 0);
  }
  throw new KhoError("setup_data", "nothing of KHO's in it");
}
