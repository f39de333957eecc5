/** The access rules: which users and groups may use which sessions, as a configuration file has them. Pure. */

/** How many sessions and files the clients of one rule may have in this kernel, when the rule does not say. */
export const SESSIONS_DEFAULT = 64;
export const FILES_DEFAULT = 1024;
const LIMIT_MAX = 1_000_000;

/** The clients of one user or group may use the sessions of one name, or of all names that begin alike. */
export interface AccessRule {
  readonly who: "uid" | "gid";
  readonly id: number;
  /** A name, or with `prefix` the beginning of names. */
  readonly name: string;
  readonly prefix: boolean;
  /** The most outgoing sessions. */
  readonly sessions: number;
  /** The most files in them. */
  readonly files: number;
}

/** The numbers of users and groups by name. */
export interface Accounts {
  readonly users: ReadonlyMap<string, number>;
  readonly groups: ReadonlyMap<string, number>;
}

/** A line that is no rule. The agent does not start with it. */
export class BadAccessRule extends Error {
  override readonly name = "BadAccessRule";

  constructor(readonly line: number, readonly problem: string) {
    super(`line ${line}: ${problem}`);
  }
}

/** Every user that has no number in the agent's user namespace has this one (/proc/sys/kernel/overflowuid). */
const OVERFLOW_ID = 65534;
const ID_MAX = 0xffff_fffe;

/**
 * The rules of a file, a rule a line: `user qemu vm-*`, `gid 107 db sessions=4 files=16`. Text after `#` is no rule.
 *
 * @throws BadAccessRule
 */
export function parseAccessRules(text: string, accounts: Accounts): AccessRule[] {
  return text.split("\n").flatMap((line, at) => {
    const words = line.replace(/#.*/s, "").trim().split(/\s+/).filter((word) => word !== "");
    return words.length === 0 ? [] : [rule(words, accounts, at + 1)];
  });
}

function rule(
  [kind = "", who = "", sessions, ...limits]: readonly string[],
  accounts: Accounts,
  line: number,
) {
  if (!["user", "uid", "group", "gid"].includes(kind)) {
    throw new BadAccessRule(line, `a rule begins with user, uid, group or gid, not "${kind}"`);
  }
  if (sessions === undefined) {
    throw new BadAccessRule(line, `a rule has three words, as in: ${kind} ${who || "NAME"} vm-*`);
  }
  const id = kind === "user" || kind === "group"
    ? named(kind, who, accounts, line)
    : numbered(kind, who, line);
  if (id === OVERFLOW_ID) {
    throw new BadAccessRule(
      line,
      `${kind} ${who} is refused: every stranger of another user namespace has it`,
    );
  }
  return {
    who: kind === "user" || kind === "uid" ? "uid" : "gid",
    id,
    ...sessionNames(sessions, line),
    ...limitsOf(limits, line),
  } satisfies AccessRule;
}

function named(kind: "user" | "group", name: string, { users, groups }: Accounts, line: number): number {
  const id = (kind === "user" ? users : groups).get(name);
  if (id !== undefined) return id;
  const [file, number] = kind === "user" ? ["/etc/passwd", "uid"] : ["/etc/group", "gid"];
  throw new BadAccessRule(line, `${kind} "${name}" is not in ${file}: give its number with ${number}`);
}

function numbered(kind: string, text: string, line: number): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : ID_MAX + 1;
  if (id > ID_MAX) throw new BadAccessRule(line, `a ${kind} is a number from 0 to ${ID_MAX}, not "${text}"`);
  return id;
}

/** `vm-*`: names that begin with vm-. Without the star: that name alone. */
function sessionNames(text: string, line: number): Pick<AccessRule, "name" | "prefix"> {
  const star = text.indexOf("*");
  if (star >= 0 && star !== text.length - 1) {
    throw new BadAccessRule(line, `the * of "${text}" is not at its end`);
  }
  const name = star < 0 ? text : text.slice(0, -1);
  if (new TextEncoder().encode(name).length > 63) {
    throw new BadAccessRule(line, `"${text}" is longer than a session's name may be: 63 bytes`);
  }
  return { name, prefix: star >= 0 };
}

function limitsOf(words: readonly string[], line: number): Pick<AccessRule, "sessions" | "files"> {
  const limits = new Map([["sessions", SESSIONS_DEFAULT], ["files", FILES_DEFAULT]]);
  for (const word of words) {
    const [, key = "", digits = ""] = /^(sessions|files)=(\d{1,7})$/.exec(word) ?? [];
    if (key === "" || Number(digits) > LIMIT_MAX) {
      throw new BadAccessRule(line, `"${word}" is no limit: sessions=N or files=N, up to ${LIMIT_MAX}`);
    }
    limits.set(key, Number(digits));
  }
  return {
    sessions: limits.get("sessions") ?? SESSIONS_DEFAULT,
    files: limits.get("files") ?? FILES_DEFAULT,
  };
}

/** The numbers in /etc/passwd or /etc/group: both have the name first and the number third (passwd(5), group(5)). */
export function parseAccounts(text: string): Map<string, number> {
  const ids = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, , id] = line.split(":");
    if (name !== undefined && name !== "" && /^\d{1,10}$/.test(id ?? "")) ids.set(name, Number(id));
  }
  return ids;
}
