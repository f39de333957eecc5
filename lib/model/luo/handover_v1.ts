/**
 * The handover of 6.19 and of the series before it, `luo-v1`: two arrays of fixed size (layout in `lib/kho/luo_v1.ts`).
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import { KhoError } from "../../kho/kho_error.ts";
import * as luo from "../../kho/luo_v1.ts";
import type { FileEntry, SessionEntry } from "../../kho/luo_entries.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ret } from "../../system_calls.ts";
import type { HandedOverEntries, Room } from "../kho/block_set.ts";
import { type Kho, restore_free } from "../kho/kho.ts";
import type { HandedOver } from "../kho/incoming_kho.ts";
import { type IncomingLuo, LUO, type LuoFormat, type OutgoingLuo } from "./handover.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";
import type { Release } from "../ground/releases.ts";
import type { OutgoingSession, Rooms } from "./session.ts";

/** The memory of one session's files: two pages, allocated with the first file. */
class FileRoom implements Room<FileEntry> {
  #address: number | undefined;

  readonly kho: Kho;
  readonly most: number;

  constructor(kho: Kho, most: number) {
    this.kho = kho;
    this.most = most;
  }

  grow(count: number): Ret {
    if (count > this.most) return -Errno.ENOSPC;
    this.#address ??= this.kho.alloc_preserve(luo.FILE_PAGES * PAGE_SIZE);
    return this.#address === undefined ? -Errno.ENOMEM : 0;
  }

  shrink(count: number): void {
    if (count > 0 || this.#address === undefined) return;
    this.kho.unpreserve_free(this.#address);
    this.#address = undefined;
  }

  write(files: readonly FileEntry[]): number {
    if (this.#address === undefined) return 0;
    luo.encode_file_list(new Physical(this.kho.ram), BigInt(this.#address), files);
    return this.#address;
  }
}

class Outgoing implements OutgoingLuo {
  readonly rooms: Rooms;

  readonly kho: Kho;
  readonly address: number;
  readonly dialect: luo.Dialect;

  constructor(kho: Kho, release: Release, address: number, dialect: luo.Dialect) {
    this.kho = kho;
    this.address = address;
    this.dialect = dialect;
    const { limits, full } = release;
    this.rooms = {
      sessions: {
        grow: (count) => count > limits.sessions ? -Errno[full] : 0,
        shrink: () => {},
        write: (entries) => this.#write(entries),
      },
      files: () => new FileRoom(kho, limits.files),
    };
  }

  #write(sessions: readonly SessionEntry[]): number {
    luo.encode_sessions(new Physical(this.kho.ram), BigInt(this.address), this.dialect, sessions);
    return this.address;
  }

  /** Writes no FLBs: these releases have none. */
  serialize(sessions: readonly OutgoingSession[]): void {
    this.#write(sessions.map(({ name, files }) => ({ name, ...files.serialize() })));
  }
}

function setup(
  dialect: luo.Dialect,
  kho: Kho,
  release: Release,
  liveupdate_number: bigint,
): Outgoing | undefined {
  const tree = kho.alloc_preserve(PAGE_SIZE);
  const sessions = tree === undefined ? undefined : kho.alloc_preserve(luo.SESSION_PAGES * PAGE_SIZE);
  if (tree === undefined || sessions === undefined) {
    if (tree !== undefined) kho.unpreserve_free(tree);
    return undefined;
  }
  const state = { liveupdate_number, sessions_pa: BigInt(sessions) };
  new Physical(kho.ram).write(BigInt(tree), luo.encode_luo_v1(state, dialect, release.formats.luo));
  kho.add_subtree(LUO, tree, PAGE_SIZE);
  const outgoing = new Outgoing(kho, release, sessions, dialect);
  outgoing.serialize([]);
  return outgoing;
}

function receive(
  dialect: luo.Dialect,
  ram: Ram,
  { blobs }: HandedOver,
  format: string,
  print: (line: string) => void,
): IncomingLuo | Ret | undefined {
  const blob = blobs.find(({ name }) => name === LUO);
  if (blob === undefined) return undefined;
  const memory = new Physical(ram);
  try {
    const { liveupdate_number: number, sessions_pa } = luo.decode_luo_v1(
      memory.page(blob.address) ?? new Uint8Array(0),
      dialect,
      format,
    );
    print(`luo: Retrieved live update data, liveupdate number: ${number}`);
    const entries = luo.decode_sessions(memory, sessions_pa, dialect);
    restore_free(ram, Number(blob.address));
    const sessions = { entries, free: () => void restore_free(ram, Number(sessions_pa)) };
    return { number, sessions, flbs: [], files: (session) => read_files(ram, session) };
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    print(`luo: LUO state is incompatible with '${format}': ${error.message}`);
    return -Errno.EINVAL;
  }
}

function read_files(ram: Ram, session: SessionEntry): HandedOverEntries<FileEntry> | undefined {
  const free = () => {
    if (session.files_pa !== 0n) restore_free(ram, Number(session.files_pa));
  };
  try {
    return { entries: luo.decode_file_list(new Physical(ram), session, "the files of a session"), free };
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    free();
  }
  return undefined;
}

export function luo_v1(dialect: luo.Dialect): LuoFormat {
  return {
    setup: (kho, release, number) => setup(dialect, kho, release, number),
    receive: (ram, handed, format, print) => receive(dialect, ram, handed, format, print),
  };
}
