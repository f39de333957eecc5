/** The handover of 7.2 and 7.3, `luo-v5`: chained blocks of sessions and of files (layout in `lib/kho/luo_v5.ts`). */
import { Errno } from "../../../ffi/abi/errno.ts";
import { KhoError } from "../../kho/kho_error.ts";
import { FILE, type FileEntry, type SessionEntry } from "../../kho/luo_entries.ts";
import * as luo from "../../kho/luo_v5.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import { read } from "../../kho/kept_memory.ts";
import type { Ret } from "../../system_calls.ts";
import { BlockSet, type HandedOverEntries, read_blocks } from "../kho/block_set.ts";
import type { SerializedFlb } from "./flb.ts";
import { type Kho, restore_free } from "../kho/kho.ts";
import type { HandedOver } from "../kho/incoming_kho.ts";
import { type IncomingLuo, LUO, type LuoFormat, type OutgoingLuo } from "./handover.ts";
import { Physical } from "../memory/physical.ts";
import type { Ram } from "../memory/ram.ts";
import type { Release } from "../ground/releases.ts";
import type { OutgoingSession, Rooms } from "./session.ts";

class Outgoing implements OutgoingLuo {
  readonly rooms: Rooms;

  /** luo_state_setup(): allocates the struct and the page of FLBs, and names the struct in KHO's tree. */
  static setup(kho: Kho, release: Release, number: bigint): Outgoing | undefined {
    const address = kho.alloc_preserve(luo.LUO_V5_SIZE);
    const flbs = address === undefined ? undefined : kho.alloc_preserve(PAGE_SIZE);
    if (address === undefined || flbs === undefined) {
      if (address !== undefined) kho.unpreserve_free(address);
      return undefined;
    }
    kho.add_subtree(LUO, address, luo.LUO_V5_SIZE);
    return new Outgoing(kho, release, number, address, flbs);
  }

  readonly kho: Kho;
  readonly release: Release;
  readonly number: bigint;
  readonly address: number;
  readonly flbs: number;

  private constructor(kho: Kho, release: Release, number: bigint, address: number, flbs: number) {
    this.kho = kho;
    this.release = release;
    this.number = number;
    this.address = address;
    this.flbs = flbs;
    const { limits, full } = release;
    this.rooms = {
      sessions: new BlockSet(kho, luo.SESSION, { count: limits.sessions, full: -Errno[full] }),
      files: () => new BlockSet(kho, FILE, { count: limits.files, full: -Errno.ENOSPC }),
    };
    this.#write(0n);
    this.#write_flbs([]);
  }

  /** luo_session_serialize() and luo_flb_serialize(). Neither can fail. */
  serialize(sessions: readonly OutgoingSession[], flbs: readonly SerializedFlb[]): void {
    const entries = sessions.map(({ name, files }) => ({ name, ...files.serialize() }));
    this.#write(entries.length === 0 ? 0n : BigInt(this.rooms.sessions.write(entries)));
    this.#write_flbs(flbs);
  }

  #write(sessions_pa: bigint): void {
    const { kho, number, address } = this;
    const state = { liveupdate_number: number, sessions_pa, flbs_pa: BigInt(this.flbs) };
    new Physical(kho.ram).write(BigInt(address), luo.encode_luo_v5(state, this.release.formats.luo));
  }

  #write_flbs(flbs: readonly SerializedFlb[]): void {
    const entries = flbs.map(({ compatible, data, count }) => ({ name: compatible, data, count }));
    luo.encode_flbs(new Physical(this.kho.ram), BigInt(this.flbs), { page_count: 1n, entries });
  }
}

/** luo_early_startup(): reads what the previous kernel handed over. */
function receive(
  ram: Ram,
  { blobs }: HandedOver,
  format: string,
  print: (line: string) => void,
): IncomingLuo | Ret | undefined {
  const blob = blobs.find(({ name }) => name === LUO);
  if (blob === undefined) return undefined;
  if (blob.size < BigInt(luo.LUO_V5_SIZE)) {
    print(`luo: LUO state is too small (${blob.size} < ${luo.LUO_V5_SIZE})`);
    return -Errno.EINVAL;
  }
  const state = read_state(ram, blob.address, format);
  if (state === undefined) {
    print(`luo: LUO state is incompatible with '${format}'`);
    return -Errno.EINVAL;
  }
  print(`luo: Retrieved live update data, liveupdate number: ${state.liveupdate_number}`);
  const sessions = read_blocks(ram, Number(state.sessions_pa), luo.SESSION, print);
  restore_free(ram, Number(blob.address));
  if (sessions === undefined) return -Errno.EINVAL;
  return {
    number: state.liveupdate_number,
    sessions,
    flbs: read_flbs(ram, state.flbs_pa),
    files: (session) => read_files(ram, session, print),
  };
}

function read_state(ram: Ram, address: bigint, format: string): luo.LuoV5 | undefined {
  try {
    return luo.decode_luo_v5(read(new Physical(ram), address, luo.LUO_V5_SIZE, LUO), format);
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

/** An unreadable FLB list is treated as empty. Linux does not check the count. */
function read_flbs(ram: Ram, address: bigint): SerializedFlb[] {
  try {
    const { entries } = luo.decode_flbs(new Physical(ram), address);
    return entries.map(({ name, data, count }) => ({ compatible: name, data, count }));
  } catch (error) {
    if (error instanceof KhoError) return [];
    throw error;
  }
}

/** kho_block_set_restore() for the files of one session. */
function read_files(
  ram: Ram,
  session: SessionEntry,
  print: (line: string) => void,
): HandedOverEntries<FileEntry> | undefined {
  const files = read_blocks(ram, Number(session.files_pa), FILE, print);
  if (files === undefined || session.files_pa === 0n) return files;
  if (BigInt(files.entries.length) === session.count) return files;
  print(`luo: File count mismatch: expected ${session.count}, found ${files.entries.length}`);
  files.free();
  return undefined;
}

export const luo_v5: LuoFormat = { setup: Outgoing.setup, receive };
