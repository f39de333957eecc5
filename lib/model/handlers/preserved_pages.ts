/**
 * The handover of a file of pages: a struct in preserved memory, a list of its folios, and the pages (mm/memfd_luo.c).
 */
import { KhoError } from "../../kho/kho_error.ts";
import type { PreservedState } from "../luo/file_handler.ts";
import * as folios from "./folios.ts";
import { type Kho, restore_free } from "../kho/kho.ts";
import { type MemfdFormat, type MemfdHeader, NO_FOLIOS } from "./memfd_format.ts";
import type { Run } from "../fs/page_cache.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";

/** The state of a preserved file (`private_data`). */
export class PreservedPages implements PreservedState {
  readonly kho: Kho;
  readonly format: MemfdFormat;
  /** Address of the struct. */
  readonly data: bigint;
  readonly header: MemfdHeader;
  readonly runs: readonly Run[];
  /** Undefined for a file without pages. */
  readonly list: folios.FolioList | undefined;

  private constructor(
    kho: Kho,
    format: MemfdFormat,
    data: bigint,
    header: MemfdHeader,
    runs: readonly Run[],
    list: folios.FolioList | undefined,
  ) {
    this.kho = kho;
    this.format = format;
    this.data = data;
    this.header = header;
    this.runs = runs;
    this.list = list;
  }

  /**
   * Preserves the pages and writes the struct at `address`, which is preserved already. Undefined, and nothing changed,
   * when memory is used up.
   */
  static preserve(
    kho: Kho,
    format: MemfdFormat,
    address: number,
    about: Pick<MemfdHeader, "position" | "size" | "seals">,
    runs: readonly Run[],
  ): PreservedPages | undefined {
    const list = runs.length === 0 ? undefined : folios.preserve_file_pages(kho, runs, format);
    if (runs.length > 0 && list === undefined) return undefined;
    const header = { ...about, count: folios.count_pages(runs), folios: list?.area ?? NO_FOLIOS };
    const preserved = new PreservedPages(kho, format, BigInt(address), header, runs, list);
    preserved.write(about.position);
    return preserved;
  }

  write(position: bigint): void {
    const bytes = this.format.encode({ ...this.header, position });
    new Physical(this.kho.ram).write(this.data, bytes);
  }

  unpreserve(): void {
    if (this.list !== undefined) folios.unpreserve_file_pages(this.kho, this.runs, this.list);
    this.kho.unpreserve_free(Number(this.data));
  }
}

/** Reads the struct in the next kernel. Undefined when there is none at the address. */
export function read_preserved(ram: Ram, format: MemfdFormat, data: bigint): MemfdHeader | undefined {
  try {
    return format.decode(new Physical(ram), data);
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

/** Frees the data of a file that was never retrieved. */
export function discard_preserved(ram: Ram, format: MemfdFormat, data: bigint): void {
  const header = read_preserved(ram, format, data);
  if (header === undefined) return;
  folios.discard_file_pages(ram, header, format);
  restore_free(ram, Number(data));
}
