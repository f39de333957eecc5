/** What a kernel hands over of its LUO and reads again, whatever the format: `luo_v5.ts` and `luo_v1.ts` are the two there are. */
import type { FileEntry, SessionEntry } from "../../kho/luo_entries.ts";
import type { Ret } from "../../system_calls.ts";
import type { HandedOverEntries } from "../kho/block_set.ts";
import type { SerializedFlb } from "./flb.ts";
import type { Kho } from "../kho/kho.ts";
import type { HandedOver } from "../kho/incoming_kho.ts";
import type { Ram } from "../memory/ram.ts";
import type { Release } from "../ground/releases.ts";
import type { OutgoingSession, Rooms } from "./session.ts";

/** KHO's name of LUO's blob. */
export const LUO = "LUO";

/** What this kernel will hand over. */
export interface OutgoingLuo {
  readonly rooms: Rooms;
  /** In reboot(2), when all is frozen: nothing in it can fail. */
  serialize(sessions: readonly OutgoingSession[], flbs: readonly SerializedFlb[]): void;
}

/** What this kernel was handed, as far as it is read at boot: the sessions are, their files are not. */
export interface IncomingLuo {
  readonly number: bigint;
  readonly sessions: HandedOverEntries<SessionEntry>;
  readonly flbs: readonly SerializedFlb[];
  /** The files of a session: undefined for a list that cannot be, or not so many. */
  files(session: SessionEntry): HandedOverEntries<FileEntry> | undefined;
}

export interface LuoFormat {
  /** At boot. Undefined when memory is out. */
  setup(kho: Kho, release: Release, number: bigint): OutgoingLuo | undefined;
  /** Early at boot. Undefined when nothing of that name was handed over; an errno for what cannot be read. */
  receive(
    ram: Ram,
    handed: HandedOver,
    format: string,
    print: (line: string) => void,
  ): IncomingLuo | Ret | undefined;
}
