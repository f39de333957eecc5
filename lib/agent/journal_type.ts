/** The journal of the agent as a type of TypeScript. `deno task reference` writes this file from lib/schema/journal.ts. */
import type { ImageInfo, LastUpdate, Loss, SessionInfo } from "./protocol.ts";

/**
 * What an agent leaves for the next one, in two places: in the manifest, for the agent of the next
 * kernel, and in the record beside its socket, for the agent that comes after it in the same boot.
 */
export interface Journal {
  version: number;
  bootId: string;
  release: string;
  pid: number;
  /** Live updates in a row. */
  updates: number;
  sessions: SessionInfo[];
  image?: ImageInfo;
  lastUpdate?: LastUpdate;
  losses: Loss[];
  /** The agent ended by itself, and what it held is among the losses. */
  ended: boolean;
}
