/** Whether a client has all rights, the rights of an access rule, or none. */
import type { Credentials } from "../../ffi/abi/socket.ts";
import { readAccessFile } from "../access/access_file.ts";
import type { AccessRule } from "../access/access_rules.ts";
import { LuoError } from "../error.ts";
import { MANIFEST_SESSION, VALUES_SESSION } from "./manifest.ts";
import { SYSTEMD_SESSION } from "./session_lookup.ts";

/** The process at the other end of a connection, as it was when it connected. */
export interface Peer extends Credentials {
  /** Its supplementary groups. Known for clients of the shared socket only. */
  readonly groups?: readonly number[];
}

/** The rules that hold for a client, one at least. */
export type Rules = readonly AccessRule[];

/** The rights of clients. */
export class Access {
  #rules: Rules = [];

  /**
   * @param owner the user of the agent, who has all rights, as root has
   * @param file the file with the rules; undefined: nobody else has any right
   */
  constructor(readonly owner: number, readonly file?: string) {}

  /** Reads the file, for the first time or again. @throws LuoError `configure`: the rules are as they were */
  read(): void {
    if (this.file !== undefined) this.#rules = readAccessFile(this.file);
  }

  /** As `read`, for an agent that runs: rules that cannot be read do not end it, and do not change who may do what. */
  readAgain(log: (line: string) => void): void {
    try {
      this.read();
      log("Read the access rules again");
    } catch (error) {
      if (!(error instanceof LuoError)) throw error;
      log(`${error.summary}: the rules are as they were`);
    }
  }

  /** "all", or the rules for this client: an empty list is no right at all. */
  rightsOf({ uid, gid, groups = [] }: Peer): "all" | Rules {
    if (uid === 0 || uid === this.owner) return "all";
    return this.#rules.filter(({ who, id }) =>
      who === "uid" ? id === uid : id === gid || groups.includes(id)
    );
  }
}

/** The agent's own sessions, and that of PID 1. */
const NOBODYS: readonly string[] = [MANIFEST_SESSION, VALUES_SESSION, SYSTEMD_SESSION];

/** Whether the rules give the session. */
export function sees(rules: Rules, session: string): boolean {
  if (NOBODYS.includes(session)) return false;
  return rules.some(({ name, prefix }) => prefix ? session.startsWith(name) : session === name);
}

/** The rule that gives the session, with its limits: the one that allows most. */
export function ruleFor(rules: Rules, session: string, limit: "sessions" | "files"): AccessRule | undefined {
  return rules.filter((rule) => sees([rule], session)).toSorted((one, other) => other[limit] - one[limit])[0];
}
