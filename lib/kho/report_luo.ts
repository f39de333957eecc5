/** The contents of LUO's blob as plain data, for every format. */
import { hex } from "./kho_error.ts";
import { is_fdt } from "./fdt.ts";
import {
  decode_file_list,
  decode_luo_v1,
  decode_sessions,
  type Dialect,
  dialect_of,
  LUO_V1,
  type LuoV1,
} from "./luo_v1.ts";
import type { FileEntry, SessionEntry } from "./luo_entries.ts";
import {
  decode_flbs,
  decode_luo_tree_v5,
  decode_luo_v5,
  type FlbsV5,
  LUO_V5,
  type LuoTreeV5,
} from "./luo_v5.ts";
import { decode_memfd_v1, MEMFD_V1 } from "./memfd_v1.ts";
import { decode_memfd_v2, MEMFD_V2 } from "./memfd_v2.ts";
import type { Memory } from "./kept_memory.ts";
import type { FileReport, LuoReport } from "../schema/answer_types.ts";

/**
 * Reports LUO's blob. Without `memory` addresses are not followed; `sessions_pa` is the address of the sessions.
 * @throws KhoError
 */
export function report_luo(bytes: Uint8Array, memory?: Memory): { luo: LuoReport; sessions_pa: bigint } {
  return is_fdt(bytes) ? report_v1(bytes, memory) : report_v5(bytes, memory);
}

function report_v5(bytes: Uint8Array, memory?: Memory): { luo: LuoReport; sessions_pa: bigint } {
  const blob = decode_luo_v5(bytes);
  const luo: LuoReport = { format: LUO_V5, liveupdateNumber: String(blob.liveupdate_number) };
  if (memory !== undefined) report_tree(luo, decode_luo_tree_v5(memory, blob), memory);
  return { luo, sessions_pa: blob.sessions_pa };
}

function report_tree(luo: LuoReport, tree: LuoTreeV5, memory: Memory): void {
  luo.sessions = tree.sessions.flatMap(({ entries }) => entries).map((session) =>
    report_session(session, session.files.flatMap(({ entries }) => entries), memory)
  );
  luo.flbs = tree.flbs === undefined ? [] : report_flbs(tree.flbs);
}

function report_flbs({ entries }: FlbsV5): NonNullable<LuoReport["flbs"]> {
  return entries.map(({ name, data, count }) => ({ name, data: hex(data), files: String(count) }));
}

function report_v1(bytes: Uint8Array, memory?: Memory): { luo: LuoReport; sessions_pa: bigint } {
  const dialect = dialect_of(bytes);
  const blob = decode_luo_v1(bytes, dialect);
  const luo: LuoReport = {
    format: `${LUO_V1}, ${dialect.compatible}`,
    liveupdateNumber: String(blob.liveupdate_number),
  };
  if (memory !== undefined) {
    luo.sessions = report_list(blob, dialect, memory);
    if (blob.flbs_pa !== undefined) luo.flbs = report_flbs(decode_flbs(memory, blob.flbs_pa));
  }
  return { luo, sessions_pa: blob.sessions_pa };
}

function report_list({ sessions_pa }: LuoV1, dialect: Dialect, memory: Memory): LuoReport["sessions"] {
  return decode_sessions(memory, sessions_pa, dialect).map((session) => {
    const thing = `files of session ${JSON.stringify(text(session.name))}`;
    return report_session(session, decode_file_list(memory, session, thing), memory);
  });
}

function report_session(session: SessionEntry, files: readonly FileEntry[], memory: Memory) {
  const name = text(session.name);
  return {
    name,
    files: files.map(({ token, compatible, data }): FileReport => ({
      token: String(token),
      handler: compatible,
      data: hex(data),
      ...report_memfd(memory, compatible, data, `file ${token} of session ${JSON.stringify(name)}`),
    })),
  };
}

function report_memfd(memory: Memory, handler: string, address: bigint, thing: string): Partial<FileReport> {
  if (handler === MEMFD_V2) {
    const { size, position, seals, folios } = decode_memfd_v2(memory, address, thing);
    return { size: Number(size), position: Number(position), seals, folios: folios.length };
  }
  if (handler !== MEMFD_V1) return {};
  const { size, position, folios } = decode_memfd_v1(memory, address, thing);
  return { size: Number(size), position: Number(position), folios: folios.length };
}

function text(name: Uint8Array): string {
  return new TextDecoder().decode(name);
}
