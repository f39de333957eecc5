/** The contents of a handover as plain data, which `luo kho show` prints and `--json` returns (docs/json.md). */
import { hex, KhoError } from "./kho_error.ts";
import { blob_size, tree_format, type TreeFormat } from "./tree_formats.ts";
import { decode_kexec_metadata, KEXEC_METADATA } from "./kexec_metadata.ts";
import type { KhoTree } from "./kho_tree.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read, ReadOnce } from "./kept_memory.ts";
import { range_size } from "./preserved_map.ts";
import type { KhoReport } from "../schema/answer_types.ts";
import { report_luo } from "./report_luo.ts";

export type { KhoReport };

/** Reports everything that KHO's tree at `fdt` refers to. @throws KhoError for the first part that is damaged */
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

/**
 * Reports single blobs, as debugfs shows them. A damaged blob becomes a note, so that the others are still reported.
 */
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

/** Adds the contents of a blob to the report. Without `memory`, addresses are not followed. */
export function report_blob(report: KhoReport, name: string, bytes: Uint8Array, memory?: Memory): void {
  if (name === KEXEC_METADATA) {
    const { previous_release, kexec_count } = decode_kexec_metadata(bytes);
    report.metadata = { previousRelease: previous_release, kexecCount: kexec_count };
  } else if (name === "LUO") {
    const { luo, sessions_pa } = report_luo(bytes, memory);
    report.luo = luo;
    if (memory === undefined && sessions_pa !== 0n) {
      report.notes.push(`sessions begin at ${hex(sessions_pa)}, which cannot be read here`);
    }
  } else report.notes.push(`blob ${name}: ${bytes.length} bytes of an unknown format`);
}
