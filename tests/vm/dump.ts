/** A machine's memory in a file (QEMU's pmemsave from address 0), and KHO's handover found in it as x86's Linux finds it. */
import { KhoError } from "../../lib/kho/error.ts";
import { type Memory, PAGE_SIZE, Pages, read } from "../../lib/kho/memory.ts";
import { u32, u64 } from "../../lib/kho/struct.ts";

/** Of struct boot_params: physical address of the first struct setup_data. */
const BOOT_PARAMS_SETUP_DATA = 0x250n;
/** arch/x86/include/uapi/asm/setup_data.h. */
const SETUP_KEXEC_KHO = 10;

/** struct kho_data, all u64: what one kernel tells the next by its boot parameters. */
export interface Handover {
  /** Physical address of KHO's tree, and the bytes it may have. */
  readonly fdt: bigint;
  readonly fdt_size: bigint;
  /** Of an array of {u64 address; u64 size}. */
  readonly scratch: bigint;
  readonly scratch_size: bigint;
}

export class Dump implements Memory, Disposable {
  readonly #file: Deno.FsFile;

  constructor(path: string) {
    this.#file = Deno.openSync(path);
  }

  page(address: bigint): Uint8Array | undefined {
    const bytes = new Uint8Array(PAGE_SIZE);
    this.#file.seekSync(address, Deno.SeekMode.Start);
    return this.#file.readSync(bytes) === PAGE_SIZE ? bytes : undefined;
  }

  /** Follows the list of setup_data: {u64 next; u32 type; u32 length; data}. @throws KhoError when none is KHO's */
  handover(boot_params: bigint): Handover {
    const word = (address: bigint) => u64(read(this, address, 8, "setup_data"), 0);
    for (let at = word(boot_params + BOOT_PARAMS_SETUP_DATA); at !== 0n; at = word(at)) {
      if (u32(read(this, at + 8n, 4, "setup_data"), 0) !== SETUP_KEXEC_KHO) continue;
      const [fdt, fdt_size, scratch, scratch_size] = [16n, 24n, 32n, 40n].map((field) => word(at + field));
      if (scratch_size === undefined || fdt === undefined) break;
      return { fdt, fdt_size: fdt_size ?? 0n, scratch: scratch ?? 0n, scratch_size };
    }
    throw new KhoError("the boot parameters", "they have no setup_data of KHO");
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Memory that remembers which of its pages were asked for. */
export class Recorder implements Memory {
  readonly pages = new Pages();

  constructor(readonly memory: Memory) {}

  page(address: bigint): Uint8Array | undefined {
    const bytes = this.memory.page(address);
    if (bytes !== undefined) this.pages.write(address, bytes);
    return bytes;
  }
}
