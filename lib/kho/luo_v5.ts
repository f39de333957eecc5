/**
 * `luo-v5`, the LUO of Linux 7.2 and 7.3 (include/linux/kho/abi/luo.h). It is KHO's blob "LUO"; all structs are packed.
 *
 * | struct | layout |
 * |---|---|
 * | luo_ser, 32 bytes | char compatible[8] @0; u64 liveupdate_num @8; u64 sessions_pa @16; u64 flbs_pa @24 |
 * | luo_session_ser, 80 | char name[64] @0; u64 files @64: first block of files; u64 count @72: files in all |
 * | luo_file_ser, 64 | char compatible[48] @0; u64 data @48: the handler's; u64 token @56 |
 * | luo_flb_header_ser, 16 | u64 pgcnt @0; u64 count @8; then the FLBs |
 * | luo_flb_ser, 64 | char name[48] @0; u64 data @48; u64 count @56: files that need it |
 *
 * 51 sessions or 63 files fit a block (`blocks.ts`). sessions_pa is the address of the first block of sessions;
 * the kernel writes it only at the reboot.
 */
import { type Block, decode_blocks, encode_blocks, type EntryCodec, per_block } from "./blocks.ts";
import { KhoError } from "./kho_error.ts";
import { FILE, type FileEntry, type SessionEntry } from "./luo_entries.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read, type WritableMemory } from "./kept_memory.ts";
import { ascii, exactly, name_bytes, put_name, u64, words } from "./struct_fields.ts";

export const LUO_V5 = "luo-v5";
export const LUO_V5_SIZE = 32;

/** struct luo_ser. */
export interface LuoV5 {
  readonly liveupdate_number: bigint;
  /** Physical addresses; 0 for none. */
  readonly sessions_pa: bigint;
  readonly flbs_pa: bigint;
}

/** struct luo_flb_ser. */
export interface FlbEntry {
  readonly name: string;
  readonly data: bigint;
  readonly count: bigint;
}

/** Reads a luo_ser. @throws KhoError also for another format than luo-v5; a kernel panics then */
export function decode_luo_v5(bytes: Uint8Array, format: string = LUO_V5): LuoV5 {
  exactly(bytes, LUO_V5_SIZE, "LUO");
  const compatible = ascii(bytes, 0, 8, "LUO's format");
  if (compatible !== format) throw new KhoError("LUO", `its format is "${compatible}", not "${format}"`);
  return { liveupdate_number: u64(bytes, 8), sessions_pa: u64(bytes, 16), flbs_pa: u64(bytes, 24) };
}

/** Writes a luo_ser. `format` is the name that a made-up kernel gives it. */
export function encode_luo_v5(luo: LuoV5, format: string = LUO_V5): Uint8Array {
  const bytes = new Uint8Array(LUO_V5_SIZE);
  put_name(bytes, 0, 8, format, "LUO's format");
  bytes.set(words(luo.liveupdate_number, luo.sessions_pa, luo.flbs_pa), 8);
  return bytes;
}

/** Codec of a session's entry. */
export const SESSION: EntryCodec<SessionEntry> = {
  thing: "sessions",
  size: 80,
  decode: (bytes, thing) => ({
    name: name_bytes(bytes, 0, 64, `the name of ${thing}`),
    files_pa: u64(bytes, 64),
    count: u64(bytes, 72),
  }),
  encode(session) {
    const bytes = new Uint8Array(80);
    put_name(bytes, 0, 64, session.name, "the name of a session");
    bytes.set(words(session.files_pa, session.count), 64);
    return bytes;
  },
};

export interface SessionV5 extends SessionEntry {
  readonly files: readonly Block<FileEntry>[];
}

/** struct luo_flb_header_ser, and the entries after it. */
export interface FlbsV5 {
  readonly page_count: bigint;
  readonly entries: readonly FlbEntry[];
}

/** A luo_ser and all that it refers to, with the addresses. Encoding it gives the same bytes again. */
export interface LuoTreeV5 {
  readonly luo: LuoV5;
  readonly sessions: readonly Block<SessionV5>[];
  readonly flbs: FlbsV5 | undefined;
}

/** Reads all that a luo_ser refers to. @throws KhoError when a part is missing or impossible */
export function decode_luo_tree_v5(memory: Memory, luo: LuoV5): LuoTreeV5 {
  const sessions = decode_blocks(memory, luo.sessions_pa, SESSION).map(({ address, entries }) => ({
    address,
    entries: entries.map((session) => decode_files(memory, session)),
  }));
  return { luo, sessions, flbs: luo.flbs_pa === 0n ? undefined : decode_flbs(memory, luo.flbs_pa) };
}

function decode_files(memory: Memory, session: SessionEntry): SessionV5 {
  const name = new TextDecoder().decode(session.name);
  const thing = `files of session ${JSON.stringify(name)}`;
  const files = decode_blocks(memory, session.files_pa, { ...FILE, thing });
  const found = files.reduce((sum, { entries }) => sum + entries.length, 0);
  if (BigInt(found) !== session.count) throw new KhoError(thing, `${found}, not ${session.count}`);
  return { ...session, files };
}

/** Reads the FLBs at `address`. @throws KhoError */
export function decode_flbs(memory: Memory, address: bigint): FlbsV5 {
  const header = read(memory, address, 16, "the FLBs' header");
  const [page_count, count] = [u64(header, 0), u64(header, 8)];
  // luo_flb.c uses one page (LUO_FLB_PGCNT).
  if (page_count !== 1n || count > BigInt(per_block(64))) {
    throw new KhoError("the FLBs' header", `${count} FLBs in ${page_count} pages, not up to 63 in 1`);
  }
  const bytes = read(memory, address + 16n, Number(count) * 64, "the FLBs");
  const entries = Array.from({ length: Number(count) }, (_, index) => ({
    name: ascii(bytes, index * 64, 48, `the name of FLB ${index}`),
    data: u64(bytes, index * 64 + 48),
    count: u64(bytes, index * 64 + 56),
  }));
  return { page_count, entries };
}

/** Writes all that `tree.luo` refers to. The caller writes luo_ser itself, KHO's blob (`encode_luo_v5`). */
export function encode_luo_tree_v5(pages: WritableMemory, tree: LuoTreeV5): void {
  encode_blocks(pages, tree.sessions, SESSION);
  for (const { entries } of tree.sessions) {
    for (const { files } of entries) encode_blocks(pages, files, FILE);
  }
  if (tree.flbs !== undefined) encode_flbs(pages, tree.luo.flbs_pa, tree.flbs);
}

/** Writes the page of FLBs at `address`. */
export function encode_flbs(pages: WritableMemory, address: bigint, { page_count, entries }: FlbsV5): void {
  const bytes = new Uint8Array(PAGE_SIZE);
  bytes.set(words(page_count, BigInt(entries.length)));
  entries.forEach(({ name, data, count }, index) => {
    const at = 16 + index * 64;
    put_name(bytes, at, 48, name, "the name of an FLB");
    bytes.set(words(data, count), at + 48);
  });
  pages.write(address, bytes);
}
