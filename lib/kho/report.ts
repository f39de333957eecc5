/** What a handover says, as plain data: what `luo kho show` prints and what `--json` has (docs/json.md). */
import { hex, KhoError } from "./error.ts";
import { decode_kexec_metadata, KEXEC_METADATA } from "./kexec_metadata.ts";
import { is_fdt } from "./fdt.ts";
import { decode_kho_v2, KHO_V2 } from "./kho_v2.ts";
import { decode_kho_v4, format_of, KHO_V4, type KhoV4 } from "./kho_v4.ts";
import { decode_file_list, decode_luo_v1, decode_sessions, dialect_of, LUO_V1 } from "./luo_v1.ts";
import { decode_luo_tree_v5, decode_luo_v5, type FileEntry, LUO_V5, type LuoTreeV5 } from "./luo_v5.ts";
import { decode_memfd_v2, MEMFD_V2 } from "./memfd_v2.ts";
import { decode_memfd_v1, MEMFD_V1 } from "./memfd_v1.ts";
import { type Memory, PAGE_SIZE, read } from "./memory.ts";
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
export function report_memory(memory: Memory, fdt: bigint): KhoReport {
  const { kho, format } = decode_tree(read(memory, fdt, PAGE_SIZE, "KHO's tree"));
  const report: KhoReport = {
    kho: report_kho(kho, format),
    preserved: report_map(decode_map(memory, kho.map)),
    notes: [],
  };
  for (const { name, address, size } of kho.blobs) {
    if (size > 1n << 20n) throw new KhoError(`blob ${name}`, `${size} bytes`);
    // Of kho-v2, which does not say: a tree of a page.
    report_blob(report, name, read(memory, address, Number(size) || PAGE_SIZE, `blob ${name}`), memory);
  }
  return report;
}

/** Whichever of the known formats it is of. */
function decode_tree(bytes: Uint8Array): { kho: KhoV4; format: string } {
  const format = format_of(bytes);
  return format === KHO_V2
    ? { format, kho: decode_kho_v2(bytes) }
    : { format: KHO_V4, kho: decode_kho_v4(bytes) };
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
      const { kho, format } = decode_tree(tree);
      report.kho = report_kho(kho, format);
    });
  }
  for (const [name, bytes] of blobs) noted(() => report_blob(report, name, bytes));
  return report;
}

function report_kho({ map, blobs }: KhoV4, format: string): KhoReport["kho"] {
  const list = blobs.map(({ name, address, size }) => ({ name, address: hex(address), size: Number(size) }));
  return { format, map: hex(map), blobs: list };
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
    report.luo = is_fdt(bytes) ? report_luo_v1(report, bytes, memory) : report_luo_v5(report, bytes, memory);
  } else report.notes.push(`blob ${name}: ${bytes.length} bytes of a format that is not known here`);
}

function report_luo_v5(report: KhoReport, bytes: Uint8Array, memory: Memory | undefined): LuoReport {
  const luo = decode_luo_v5(bytes);
  const found: LuoReport = { format: LUO_V5, liveupdateNumber: String(luo.liveupdate_number) };
  if (memory !== undefined) report_tree(found, decode_luo_tree_v5(memory, luo), memory);
  else note_sessions(report, luo.sessions_pa);
  return found;
}

/** 6.19 and before. */
function report_luo_v1(report: KhoReport, bytes: Uint8Array, memory: Memory | undefined): LuoReport {
  const dialect = dialect_of(bytes);
  const luo = decode_luo_v1(bytes, dialect);
  const format = `${LUO_V1}, ${dialect.compatible}`;
  const found: LuoReport = { format, liveupdateNumber: String(luo.liveupdate_number) };
  if (memory === undefined) note_sessions(report, luo.sessions_pa);
  else {
    found.sessions = decode_sessions(memory, luo.sessions_pa, dialect).map((session) => {
      const name = text_of(session.name);
      const entries = decode_file_list(memory, session, `files of session ${JSON.stringify(name)}`);
      return { name, files: entries.map((entry) => report_file(memory, entry, name)) };
    });
  }
  return found;
}

function note_sessions(report: KhoReport, address: bigint): void {
  if (address !== 0n) report.notes.push(`sessions begin at ${hex(address)}, which is not at hand`);
}

function text_of(name: Uint8Array): string {
  return new TextDecoder().decode(name);
}

function report_tree(luo: LuoReport, tree: LuoTreeV5, memory: Memory): void {
  luo.sessions = tree.sessions.flatMap(({ entries }) => entries).map((session) => {
    const name = text_of(session.name);
    const entries = session.files.flatMap(({ entries }) => entries);
    return { name, files: entries.map((entry) => report_file(memory, entry, name)) };
  });
  luo.flbs =
    tree.flbs?.entries.map(({ name, data, count }) => ({ name, data: hex(data), files: String(count) })) ??
      [];
}

function report_file(memory: Memory, { token, compatible, data }: FileEntry, session: string): FileReport {
  const thing = `file ${token} of session ${JSON.stringify(session)}`;
  const known = compatible === MEMFD_V2 || compatible === MEMFD_V1;
  return {
    token: String(token),
    handler: compatible,
    data: hex(data),
    ...known ? report_memfd(memory, compatible, data, thing) : {},
  };
}

function report_memfd(memory: Memory, format: string, address: bigint, thing: string): Partial<FileReport> {
  const { seals, ...memfd } = format === MEMFD_V1
    ? { seals: undefined, ...decode_memfd_v1(memory, address, thing) }
    : decode_memfd_v2(memory, address, thing);
  const told = { size: Number(memfd.size), position: Number(memfd.position), folios: memfd.folios.length };
  return seals === undefined ? told : { ...told, seals };
}
