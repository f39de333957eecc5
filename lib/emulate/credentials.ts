/** The user and the group that a program's call is made as, and the permissions that follow. */
import { read_text } from "../../ffi/proc.ts";
import { geteuid } from "../../ffi/process.ts";

import { hasId } from "./id_maps.ts";

/** `R_OK`, `W_OK`, `X_OK` of access(2), and the bits of a mode. */
export const [X_OK, W_OK, R_OK] = [1, 2, 4];

/** The owner and the mode of a file. */
export interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** linux/capability.h */
export const CAP_CHOWN = 0;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_BOOT = 22;
export const CAP_MKNOD = 27;
export const CAP_LEASE = 28;
export const CAP_SYSLOG = 34;
const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;

/** `real`, `effective` and `fs`, each a user and a group; and the capabilities. */
export class Credentials {
  readonly umask: number;
  /** The seccomp filters, luo's among them. */
  readonly filters: number;
  /** The process is in a pid namespace that a program of the machine made. */
  readonly inPidNamespace: boolean;
  readonly #uids: readonly number[];
  readonly #gids: readonly number[];
  readonly #groups: readonly number[];
  readonly #effective: bigint;
  readonly #permitted: bigint;
  /** The effective capabilities, in whatever user namespace the process is. */
  readonly #own: bigint;

  /** `owns`: the process is in the machine's own user namespace. In any other its capabilities are not for the machine. */
  constructor(readonly tid: number, readonly owns: boolean) {
    const status = read_text(`/proc/${tid}/status`) ?? "";
    const words = (name: string) =>
      new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1]?.trim().split(/\s+/) ?? [];
    const own = (name: string) => BigInt(`0x${words(name)[0] || "0"}`);
    const capabilities = (name: string) => owns ? own(name) : 0n;
    this.umask = parseInt(words("Umask")[0] ?? "0", 8);
    this.filters = Number(words("Seccomp_filters")[0] ?? "1");
    this.inPidNamespace = words("NSpid").length > 1;
    this.#uids = words("Uid").map(Number);
    this.#gids = words("Gid").map(Number);
    this.#groups = words("Groups").filter((word) => word !== "").map(Number);
    this.#effective = capabilities("CapEff");
    this.#permitted = capabilities("CapPrm");
    this.#own = own("CapEff");
  }

  /** The uid for files. */
  get uid(): number {
    return this.#uids[3] ?? -1;
  }

  /** The gid for files. */
  get gid(): number {
    return this.#gids[3] ?? -1;
  }

  inGroup(gid: number): boolean {
    return this.gid === gid || this.#groups.includes(gid);
  }

  /** Whether the process has the capability. A user who runs luo without root is the root of the machine. */
  has(capability: number): boolean {
    return isOwner(this.#uids[1] ?? -1) || ((this.#effective >> BigInt(capability)) & 1n) !== 0n;
  }

  /** Whether the process has the capability over a file: in its own user namespace, when that has both owners of the file. */
  hasOver(capability: number, { uid, gid }: Pick<Owned, "uid" | "gid">): boolean {
    if (this.has(capability)) return true;
    if (this.owns || ((this.#own >> BigInt(capability)) & 1n) === 0n) return false;
    return hasId(this.tid, "uid_map", uid) && hasId(this.tid, "gid_map", gid);
  }

  /** Whether the process has the capability in its own user namespace. */
  hasInNamespace(capability: number): boolean {
    return this.has(capability) || ((this.#own >> BigInt(capability)) & 1n) !== 0n;
  }

  /** Whether `wanted` (R_OK, W_OK, X_OK) is allowed; `real`: to the real user, as access(2) asks. */
  may({ mode, uid, gid }: Owned, wanted: number, real = false): boolean {
    const [user, group] = [this.#uids[real ? 0 : 3] ?? -1, this.#gids[real ? 0 : 3] ?? -1];
    if (isOwner(user)) return !(wanted & X_OK) || (mode & 0o111) !== 0;
    const shift = user === uid ? 6 : group === gid || this.#groups.includes(gid) ? 3 : 0;
    if (((mode >> shift) & wanted) === wanted) return true;
    // access(2) counts the capabilities of root that it has when it is the real user, and none of another user.
    const held = !real ? this.#effective : user === 0 ? this.#permitted : 0n;
    const holds = (capability: number) =>
      ((held >> BigInt(capability)) & 1n) !== 0n || (!real && this.hasOver(capability, { uid, gid }));
    if (holds(CAP_DAC_OVERRIDE)) return !(wanted & X_OK) || (mode & 0o111) !== 0;
    return wanted === R_OK && holds(CAP_DAC_READ_SEARCH);
  }
}

/** The user who runs luo without being root. */
function isOwner(uid: number): boolean {
  const owner = geteuid();
  return owner !== 0 && uid === owner;
}
