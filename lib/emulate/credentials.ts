/** The user and the group that a program's call is made as, and the permissions that follow. */
import { read_text } from "../../ffi/proc.ts";
import { geteuid } from "../../ffi/process.ts";

/** `R_OK`, `W_OK`, `X_OK` of access(2), and the bits of a mode. */
export const [X_OK, W_OK, R_OK] = [1, 2, 4];

/** The owner and the mode of a file. */
export interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** `real`, `effective` and `fs`, each a user and a group. */
export class Credentials {
  readonly umask: number;
  /** The seccomp filters, luo's among them. */
  readonly filters: number;
  readonly #uids: readonly number[];
  readonly #gids: readonly number[];
  readonly #groups: readonly number[];

  constructor(tid: number) {
    const status = read_text(`/proc/${tid}/status`) ?? "";
    const words = (name: string) =>
      new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1]?.trim().split(/\s+/) ?? [];
    this.umask = parseInt(words("Umask")[0] ?? "0", 8);
    this.filters = Number(words("Seccomp_filters")[0] ?? "1");
    this.#uids = words("Uid").map(Number);
    this.#gids = words("Gid").map(Number);
    this.#groups = words("Groups").map(Number);
  }

  /** The uid for files. */
  get uid(): number {
    return this.#uids[3] ?? -1;
  }

  /** Whether the call is made as root: the user who runs luo is the root of the machine, as root itself is. */
  get privileged(): boolean {
    return isRoot(this.uid);
  }

  /** Whether the program may load kernels and reboot. */
  get boots(): boolean {
    return isRoot(this.#uids[1] ?? -1);
  }

  /** Whether `wanted` (R_OK, W_OK, X_OK) is allowed; `real`: to the real user, as access(2) asks. */
  may({ mode, uid, gid }: Owned, wanted: number, real = false): boolean {
    const [user, group] = [this.#uids[real ? 0 : 3] ?? -1, this.#gids[real ? 0 : 3] ?? -1];
    if (isRoot(user)) return !(wanted & X_OK) || (mode & 0o111) !== 0;
    const shift = user === uid ? 6 : group === gid || this.#groups.includes(gid) ? 3 : 0;
    return ((mode >> shift) & wanted) === wanted;
  }
}

function isRoot(uid: number): boolean {
  return uid === 0 || uid === geteuid();
}
