/** What a handover says, as plain data: what `luo kho show` prints and what `--json` has (docs/json.md). */
import { hex, KhoError } from "./error.ts";
import { decode_kexec_metadata, KEXEC_METADATA } from "./kexec_metadata.ts";
import { decode_kho_v4, KHO_V4, type KhoV4 } from "./kho_v4.ts";
import { decode_luo_tree_v5, decode_luo_v5, LUO_V5, type LuoTreeV5, type LuoV5 } from "./luo_v5.ts";
import { decode_memfd_v2, MEMFD_V2 } from "./memfd_v2.ts";
import { type Memory, PAGE_SIZE, read, ReadOnce } from "./memory.ts";
import { decode_map, type PreservedMap, range_size } from "./preserved_map.ts";

/** Addresses are hexadecimal strings, u64 that are no sizes decimal ones. */
export interface KhoReport {
  kho?: { format: string; map: string; blobs: { name: string; address: string; size: number }[] };
  metadata?: { previousRelease: string; kexecCount: number };
  /** Pages of the map itself; bytes it preserves; blocks of 2^order pages. */
  preserved?: {
    mapPages: number;
    bytes: number;
    ranges: { address: string; order: number; count: number }[];
  };
  luo?: LuoReport;
  /** What could not be read, and why. */
  notes: string[];
}

export interface LuoReport {
  format: string;
  liveupdateNumber: string;
  /** Missing when there was nothing but the blob to read. */
  sessions?: { name: string; files: FileReport[] }[];
  flbs?: { name: string; data: string; files: string }[];
}

export interface FileReport {
  token: string;
  handler: string;
  /** The handler's own u64, for memfds the address of its struct. */
  data: string;
  /** Of a memfd. */
  size?: number;
  position?: number;
  seals?: number;
  folios?: number;
}

/** Everything that can be reached from KHO's tree at `fdt`. @throws KhoError for the first thing that is wrong */
export function report_memory(all: Memory, fdt: bigint): KhoReport {
  const memory = new ReadOnce(all);
  const kho = decode_kho_v4(read(memory, fdt, PAGE_SIZE, "KHO's tree"));
  const report: KhoReport = {
    kho: report_kho(kho),
    preserved: report_map(decode_map(memory, kho.map)),
    notes: [],
  };
  for (const { name, address, size } of kho.blobs) {
    if (size > 1n << 20n) throw new KhoError(`blob ${name}`, `${size} bytes`);
    report_blob(report, name, read(memory, address, Number(size), `blob ${name}`), memory);
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
  if (tree !== undefined) noted(() => report.kho = report_kho(decode_kho_v4(tree)));
  for (const [name, bytes] of blobs) noted(() => report_blob(report, name, bytes));
  return report;
}

function report_kho({ map, blobs }: KhoV4): KhoReport["kho"] {
  const list = blobs.map(({ name, address, size }) => ({ name, address: hex(address), size: Number(size) }));
  return { format: KHO_V4, map: hex(map), blobs: list };
}

function report_map(map: PreservedMap): KhoReport["preserved"] {
  const bytes = map.ranges.reduce((sum, range) => sum + range_size(range), 0n);
  const ranges = map.ranges.map(({ address, order, count }) => ({ address: hex(address), order, count }));
  return { mapPages: map.nodes.length, bytes: Number(bytes), ranges };
}

/** Puts what a blob says into the report. Without `memory` nothing is followed. */
export function report_blob(report: KhoReport, name: string, bytes: Uint8Array, memory?: Memory): void {
  if (name === KEXEC_METADATA) {
    const { previous_release, kexec_count } = decode_kexec_metadata(bytes);
    report.metadata = { previousRelease: previous_release, kexecCount: kexec_count };
  } else if (name === "LUO") {
    const luo = decode_luo_v5(bytes);
    report.luo = report_luo(luo);
    if (memory !== undefined) report_tree(report.luo, decode_luo_tree_v5(memory, luo), memory);
    else if (luo.sessions_pa !== 0n) {
      report.notes.push(`sessions begin at ${hex(luo.sessions_pa)}, which is not at hand`);
    }
  } else report.notes.push(`blob ${name}: ${bytes.length} bytes of a format that is not known here`);
}

function report_luo({ liveupdate_number }: LuoV5): LuoReport {
  return { format: LUO_V5, liveupdateNumber: String(liveupdate_number) };
}

function report_tree(luo: LuoReport, tree: LuoTreeV5, memory: Memory): void {
  luo.sessions = tree.sessions.flatMap(({ entries }) => entries).map((session) => {
    const name = new TextDecoder().decode(session.name);
    const files = session.files.flatMap(({ entries }) => entries).map(({ token, compatible, data }) => ({
      token: String(token),
      handler: compatible,
      data: hex(data),
      ...compatible === MEMFD_V2
        ? report_memfd(memory, data, `file ${token} of session ${JSON.stringify(name)}`)
        : {},
    }));
    return { name, files };
  });
  luo.flbs =
    tree.flbs?.entries.map(({ name, data, count }) => ({ name, data: hex(data), files: String(count) })) ??
      [];
}

function report_memfd(memory: Memory, address: bigint, thing: string): Partial<FileReport> {
  const { size, position, seals, folios } = decode_memfd_v2(memory, address, thing);
  return { size: Number(size), position: Number(position), seals, folios: folios.length };
}
