/** What a handover says, as plain data: what `luo kho show` prints and what `--json` has (docs/json.md). */
import { hex, KhoError } from "./kho_error.ts";
import { blob_size, tree_format, type TreeFormat } from "./tree_formats.ts";
import { decode_kexec_metadata, KEXEC_METADATA } from "./kexec_metadata.ts";
import type { KhoTree } from "./kho_tree.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read, ReadOnce } from "./kept_memory.ts";
import { range_size } from "./preserved_map.ts";
import { type LuoReport, report_luo } from "./report_luo.ts";

export type { FileReport, LuoReport } from "./report_luo.ts";

/** Addresses are hexadecimal strings, u64 that are no sizes decimal ones. */
export interface KhoReport {
  /** Formats before kho-v4 do not say how large a blob is. */
  kho?: { format: string; map: string; blobs: { name: string; address: string; size?: number }[] };
  metadata?: { previousRelease: string; kexecCount: number };
  /** Pages of the map itself; bytes it preserves; blocks of 2^order pages. */
  preserved?: {
    mapPages: number;
    bytes: number;
    ranges: { address: string; order: number; count: number }[];
  };
  /** Where the next kernel boots: for low memory, for all, for each node. A size of 0 is an area that is not needed. */
  scratch?: { address: string; size: number }[];
  luo?: LuoReport;
  /** What could not be read, and why. */
  notes: string[];
}

/** Everything that can be reached from KHO's tree at `fdt`. @throws KhoError for the first thing that is wrong */
export function report_memory(all: Memory, fdt: bigint): KhoReport {
  const memory = new ReadOnce(all);
  const bytes = read(memory, fdt, PAGE_SIZE, "KHO's tree");
  const format = tree_format(bytes);
  const kho = format.decode(bytes);
  const report: KhoReport = {
    kho: report_kho(format, kho),
    preserved: report_map(format, memory, kho.map),
    notes: [],
  };
  for (const blob of kho.blobs) {
    const size = blob_size(format, blob.size);
    const thing = `blob ${blob.name}`;
    if (size > 1n << 20n) throw new KhoError(thing, `${size} bytes`);
    report_blob(report, blob.name, read(memory, blob.address, Number(size), thing), memory);
  }
  return report;
}

/** Blobs on their own, as debugfs has them. What is wrong with one is a note: the others are still there. */
export function report_blobs(
  tree: Uint8Array | undefined,
  blobs: ReadonlyMap<string, Uint8Array>,
): KhoReport {
  const report: KhoReport = { notes: [] };
  const noted = (step: () => void) => {
    try {
      step();
    } catch (error) {
      if (!(error instanceof KhoError)) throw error;
      report.notes.push(error.message);
    }
  };
  if (tree !== undefined) {
    noted(() => {
      const format = tree_format(tree);
      report.kho = report_kho(format, format.decode(tree));
    });
  }
  for (const [name, bytes] of blobs) noted(() => report_blob(report, name, bytes));
  return report;
}

function report_kho({ name: format, sizes }: TreeFormat, { map, blobs }: KhoTree): KhoReport["kho"] {
  const list = blobs.map(({ name, address, size }) => ({
    name,
    address: hex(address),
    ...sizes ? { size: Number(size) } : {},
  }));
  return { format, map: hex(map), blobs: list };
}

function report_map(format: TreeFormat, memory: Memory, address: bigint): KhoReport["preserved"] {
  const map = format.map(memory, address);
  const bytes = map.ranges.reduce((sum, range) => sum + range_size(range), 0n);
  const ranges = map.ranges.map(({ address, order, count }) => ({ address: hex(address), order, count }));
  return { mapPages: map.pages, bytes: Number(bytes), ranges };
}

/** Puts what a blob says into the report. Without `memory` nothing is followed. */
export function report_blob(report: KhoReport, name: string, bytes: Uint8Array, memory?: Memory): void {
  if (name === KEXEC_METADATA) {
    const { previous_release, kexec_count } = decode_kexec_metadata(bytes);
    report.metadata = { previousRelease: previous_release, kexecCount: kexec_count };
  } else if (name === "LUO") {
    const { luo, sessions_pa } = report_luo(bytes, memory);
    report.luo = luo;
    if (memory === undefined && sessions_pa !== 0n) {
      report.notes.push(`sessions begin at ${hex(sessions_pa)}, which is not at hand`);
    }
  } else report.notes.push(`blob ${name}: ${bytes.length} bytes of a format that is not known here`);
}
