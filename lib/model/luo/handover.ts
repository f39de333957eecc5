/**
 * The interface of LUO's handover formats: what a kernel writes for the next one, and reads from the previous one.
 * `handover_v5.ts` and `handover_v1.ts` implement it.
 */
import type { FileEntry, SessionEntry } from "../../kho/luo_entries.ts";
import type { Ret } from "../../system_calls.ts";
import type { HandedOverEntries } from "../kho/block_set.ts";
import type { SerializedFlb } from "./flb.ts";
import type { Kho } from "../kho/kho.ts";
import type { HandedOver } from "../kho/incoming_kho.ts";
import type { Ram } from "../memory/ram.ts";
import type { Release } from "../ground/releases.ts";
import type { OutgoingSession, Rooms } from "./session.ts";

/** Name of LUO's blob in KHO's tree. */
export const LUO = "LUO";

/** The LUO data that this kernel hands over. */
export interface OutgoingLuo {
  readonly rooms: Rooms;
  /** Writes the data in reboot(2), after every file is frozen. It cannot fail. */
  serialize(sessions: readonly OutgoingSession[], flbs: readonly SerializedFlb[]): void;
}

/** The LUO data that this kernel was handed. Sessions are read at boot, their files later. */
export interface IncomingLuo {
  /** The liveupdate number of this boot. */
  readonly number: bigint;
  readonly sessions: HandedOverEntries<SessionEntry>;
  readonly flbs: readonly SerializedFlb[];
  /** The files of a session. Undefined when the list is damaged or its length is wrong. */
  files(session: SessionEntry): HandedOverEntries<FileEntry> | undefined;
}

export interface LuoFormat {
  /** Called at boot. Undefined when memory is used up. */
  setup(kho: Kho, release: Release, number: bigint): OutgoingLuo | undefined;
  /** Called early at boot. Undefined when no blob of that name was handed over; an errno when it cannot be read. */
  receive(
    ram: Ram,
    handed: HandedOver,
    format: string,
    print: (line: string) => void,
  ): IncomingLuo | Ret | undefined;
}
