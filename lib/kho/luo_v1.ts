/**
 * `luo-v1`, the LUO of Linux 6.19 and of version 6 of the series of patches before it. KHO's blob "LUO" is a device
 * tree of one page; its u64 are in the CPU's byte order (include/linux/kho/abi/luo.h of 6.19,
 * include/linux/liveupdate/abi/luo.h of the series; both written from the sources, not tried on a running kernel).
 * Version 5 of the series called the property luo-session-head.
 *
 * | node | 6.19 | series v6 |
 * |---|---|---|
 * | / | compatible "luo-v1"; u64 liveupdate-number | the same |
 * | /luo-session | compatible "luo-session-v2"; u64 luo-session-header: an address | "luo-session-v1"; the same |
 * | /luo-flb | none | compatible "luo-flb-v1"; u64 luo-flb-header: an address, for `decode_flbs` of `luo_v5.ts` |
 *
 * | struct, packed | 6.19 | series v6 |
 * |---|---|---|
 * | header of the sessions | u64 count | u64 pgcnt: pages of the whole block; u64 count |
 * | a session, 80 bytes | char name[64]; u64 files; u64 count | char name[56]; u64 files; u64 pgcnt; u64 count |
 * | a file, 64 bytes | char compatible[48]; u64 data; u64 token | the same |
 *
 * The sessions follow their header in 16 pages. The `count` files of a session lie at the address `files`, in two
 * pages.
 */
import { KhoError } from "./kho_error.ts";
import { child, decode_fdt, type FdtNode } from "./fdt.ts";
import { encode_fdt } from "./fdt_encode.ts";
import { compatible_of, u64_of } from "./kho_tree.ts";
import { FILE, type FileEntry, type SessionEntry } from "./luo_entries.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { type Memory, read, type WritableMemory } from "./kept_memory.ts";
import { name_bytes, put_name, u64, words } from "./struct_fields.ts";

export const LUO_V1 = "luo-v1";
export const SESSION_PAGES = 16;
export const FILE_PAGES = 2;
const SESSION_SIZE = 80;
const [FLB_NODE, FLB_FORMAT, FLB_HEADER] = ["luo-flb", "luo-flb-v1", "luo-flb-header"] as const;

/** The differences between the two layouts. */
export interface Dialect {
  /** The `compatible` string of /luo-session. */
  readonly compatible: string;
  /** Name of the property with the address of the sessions. */
  readonly header: string;
  /** Bytes of a name, including its NUL. */
  readonly name: number;
  /** True when a number of pages stands before each count. */
  readonly pages: boolean;
}

export const LUO_6_19: Dialect = {
  compatible: "luo-session-v2",
  header: "luo-session-header",
  name: 64,
  pages: false,
};

export const LUO_SERIES_V6: Dialect = {
  compatible: "luo-session-v1",
  header: "luo-session-header",
  name: 56,
  pages: true,
};

export interface LuoV1 {
  readonly liveupdate_number: bigint;
  /** Physical address of the sessions' header. */
  readonly sessions_pa: bigint;
  /** Physical address of the FLBs' header; undefined when the tree has no such node. */
  readonly flbs_pa?: bigint;
}

/** Number of sessions that fit. */
export function session_room({ pages }: Dialect): number {
  return Math.floor((SESSION_PAGES * PAGE_SIZE - (pages ? 16 : 8)) / SESSION_SIZE);
}

/** The dialect of a tree. @throws KhoError when the bytes are no tree, or of neither dialect */
export function dialect_of(bytes: Uint8Array): Dialect {
  const compatible = compatible_of(session_node(decode_fdt(bytes, "LUO's tree").root), "LUO's sessions");
  const found = [LUO_6_19, LUO_SERIES_V6].find((dialect) => dialect.compatible === compatible);
  if (found === undefined) throw new KhoError("LUO's sessions", `their format is "${compatible}"`);
  return found;
}

function session_node(root: FdtNode): FdtNode {
  const node = child(root, "luo-session");
  if (node === undefined) throw new KhoError("LUO's tree", "no node luo-session");
  return node;
}

/**
 * Reads a tree. `format` is the name that a made-up kernel gives it. @throws KhoError also for another format or
 * dialect
 */
export function decode_luo_v1(bytes: Uint8Array, dialect: Dialect, format: string = LUO_V1): LuoV1 {
  const { root } = decode_fdt(bytes, "LUO's tree");
  const compatible = compatible_of(root, "LUO's tree");
  if (compatible !== format) throw new KhoError("LUO", `its format is "${compatible}", not "${format}"`);
  const node = session_node(root);
  const sessions = compatible_of(node, "LUO's sessions");
  if (sessions !== dialect.compatible) {
    throw new KhoError("LUO's sessions", `their format is "${sessions}", not "${dialect.compatible}"`);
  }
  return {
    liveupdate_number: u64_of(root, "liveupdate-number", "LUO's tree"),
    sessions_pa: u64_of(node, dialect.header, "LUO's sessions"),
    ...decode_flb_node(root),
  };
}

function decode_flb_node(root: FdtNode): Pick<LuoV1, "flbs_pa"> {
  const node = child(root, FLB_NODE);
  if (node === undefined) return {};
  const compatible = compatible_of(node, "LUO's FLBs");
  if (compatible !== FLB_FORMAT) {
    throw new KhoError("LUO's FLBs", `their format is "${compatible}", not "${FLB_FORMAT}"`);
  }
  return { flbs_pa: u64_of(node, FLB_HEADER, "LUO's FLBs") };
}

/** Writes the tree as libfdt's sequential writing does, with the names of properties newest first in the strings. */
export function encode_luo_v1(luo: LuoV1, dialect: Dialect, format: string = LUO_V1): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(`${value}\0`);
  const node = (name: string, compatible: string, header: string, address: bigint): FdtNode => ({
    name,
    properties: [{ name: "compatible", value: text(compatible) }, { name: header, value: words(address) }],
    children: [],
  });
  const flbs = luo.flbs_pa === undefined ? [] : [node(FLB_NODE, FLB_FORMAT, FLB_HEADER, luo.flbs_pa)];
  return encode_fdt({
    strings: [...flbs.length === 0 ? [] : [FLB_HEADER], dialect.header, "liveupdate-number", "compatible"],
    root: {
      name: "",
      properties: [
        { name: "compatible", value: text(format) },
        { name: "liveupdate-number", value: words(luo.liveupdate_number) },
      ],
      children: [node("luo-session", dialect.compatible, dialect.header, luo.sessions_pa), ...flbs],
    },
  });
}

/**
 * Reads the sessions at `address`.
 *
 * @throws KhoError for too many sessions, a name without a NUL, or memory that is missing
 */
export function decode_sessions(memory: Memory, address: bigint, dialect: Dialect): SessionEntry[] {
  const start = dialect.pages ? 16 : 8;
  const header = read(memory, address, start, "the sessions' header");
  const count = u64(header, start - 8);
  if (count > BigInt(session_room(dialect))) {
    throw new KhoError("the sessions' header", `${count} sessions, not up to ${session_room(dialect)}`);
  }
  const bytes = read(memory, address, start + Number(count) * SESSION_SIZE, "the sessions");
  return Array.from({ length: Number(count) }, (_, index) => {
    const at = start + index * SESSION_SIZE;
    return {
      name: name_bytes(bytes, at, dialect.name, `the name of session ${index}`),
      files_pa: u64(bytes, at + dialect.name),
      count: u64(bytes, at + SESSION_SIZE - 8),
    };
  });
}

export function encode_sessions(
  memory: WritableMemory,
  address: bigint,
  dialect: Dialect,
  sessions: readonly SessionEntry[],
): void {
  const count = BigInt(sessions.length);
  const header = dialect.pages ? words(BigInt(SESSION_PAGES), count) : words(count);
  const bytes = new Uint8Array(header.length + sessions.length * SESSION_SIZE);
  bytes.set(header);
  sessions.forEach((session, index) => {
    const at = header.length + index * SESSION_SIZE;
    put_name(bytes, at, dialect.name, session.name, "the name of a session");
    const pages = session.files_pa === 0n ? 0n : BigInt(FILE_PAGES);
    const numbers = dialect.pages
      ? [session.files_pa, pages, session.count]
      : [session.files_pa, session.count];
    bytes.set(words(...numbers), at + dialect.name);
  });
  memory.write(address, bytes);
}

/** Reads the files of a session. @throws KhoError for more than fit two pages, or memory that is missing */
export function decode_file_list(
  memory: Memory,
  { files_pa, count }: SessionEntry,
  thing: string,
): FileEntry[] {
  if (files_pa === 0n && count === 0n) return [];
  const most = FILE_PAGES * PAGE_SIZE / FILE.size;
  if (count > BigInt(most)) throw new KhoError(thing, `${count}, not up to ${most}`);
  const bytes = read(memory, files_pa, Number(count) * FILE.size, thing);
  return Array.from(
    { length: Number(count) },
    (_, index) =>
      FILE.decode(bytes.subarray(index * FILE.size, (index + 1) * FILE.size), `entry ${index} of ${thing}`),
  );
}

export function encode_file_list(memory: WritableMemory, address: bigint, files: readonly FileEntry[]): void {
  files.forEach((file, index) => memory.write(address + BigInt(index * FILE.size), FILE.encode(file)));
}
