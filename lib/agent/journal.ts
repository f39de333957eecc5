import type { ImageInfo, LastUpdate, Loss, SessionInfo } from "./protocol.ts";
import { isObject, type Json } from "./varlink.ts";

/**
 * What an agent leaves for the next one, in two places: in the manifest, for the agent of the next kernel, and in the record
 * beside its socket, for the agent that comes after it in the same boot.
 */
export interface Journal {
  readonly version: 1;
  readonly bootId: string;
  readonly release: string;
  readonly pid: number;
  /** Live updates in a row. */
  readonly updates: number;
  readonly sessions: SessionInfo[];
  readonly image?: ImageInfo;
  readonly lastUpdate?: LastUpdate;
  readonly losses: Loss[];
  /** The agent ended by itself, and what it held is among the losses. */
  readonly ended: boolean;
}

export function encodeJournal(journal: Journal): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(journal));
}

/** Undefined for what is no journal: it comes out of memory or from a file that anything may have happened to. */
export function decodeJournal(bytes: Uint8Array): Journal | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isJournal(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isJournal(value: unknown): value is Journal {
  return isObject(value) && value.version === 1 && typeof value.bootId === "string" &&
    typeof value.release === "string" && typeof value.updates === "number" &&
    typeof value.ended === "boolean" &&
    typeof value.pid === "number" && Array.isArray(value.losses) && value.losses.every(isLoss) &&
    Array.isArray(value.sessions) && value.sessions.every(isSession) &&
    (value.image === undefined || isImage(value.image)) &&
    (value.lastUpdate === undefined || isUpdate(value.lastUpdate));
}

function isSession(value: unknown): value is SessionInfo {
  return isObject(value) && have(value, "string", "name", "createdAt") && isState(value.state) &&
    Array.isArray(value.files) && value.files.every(isFile) && mayHave(value, "boolean", "filesKnown");
}

function isFile(value: unknown): boolean {
  return isLostFile(value) && have(value, "number", "seals") && have(value, "string", "preservedAt") &&
    ["preserved", "waiting", "retrieved"].includes(String(value.state)) && mayHave(value, "string", "digest");
}

function isLostFile(value: unknown): value is Json {
  return isObject(value) && typeof value.token === "string" && /^\d{1,20}$/.test(value.token) &&
    have(value, "number", "size") && mayHave(value, "string", "label");
}

function isLoss(value: unknown): boolean {
  return isObject(value) && have(value, "string", "session", "reason", "at") && isState(value.state) &&
    Array.isArray(value.files) && value.files.every(isLostFile) && mayHave(value, "boolean", "filesKnown");
}

function isImage(value: unknown): boolean {
  return isObject(value) && have(value, "boolean", "loaded") &&
    mayHave(value, "number", "size", "initrdSize") &&
    mayHave(
      value,
      "string",
      "by",
      "kernel",
      "initrd",
      "release",
      "commandLine",
      "loadedAt",
      "digest",
      "initrdDigest",
    );
}

function isUpdate(value: unknown): boolean {
  return isObject(value) && have(value, "string", "fromRelease", "toRelease", "at") &&
    have(value, "number", "count", "sessions", "files", "bytes");
}

function isState(value: unknown): boolean {
  return value === "outgoing" || value === "incoming" || value === "retrieved";
}

type Kind = "string" | "number" | "boolean";

function have(value: Json, kind: Kind, ...keys: string[]): boolean {
  return keys.every((key) => kindOf(value[key]) === kind);
}

function mayHave(value: Json, kind: Kind, ...keys: string[]): boolean {
  return keys.every((key) => value[key] === undefined || kindOf(value[key]) === kind);
}

function kindOf(value: unknown): string {
  return typeof value;
}

/** What becomes of a journal's sessions: some wait, some are to be looked for, the rest is lost. */
export interface Inheritance {
  /** Handed over and not retrieved, as far as anybody knows. */
  readonly waiting: SessionInfo[];
  /** Retrieved by an agent that died: finished by that, unless it died in between. Or of another boot. Only asking the kernel tells. */
  readonly doubtful: SessionInfo[];
  readonly losses: Loss[];
}

/** After a kexec: outgoing sessions are the incoming ones now; all others were not handed on. */
export function afterKexec(journal: Journal, at: string): Inheritance {
  const waiting = journal.sessions.filter((session) => session.state === "outgoing").map((
    session,
  ): SessionInfo => ({
    ...session,
    state: "incoming",
    files: session.files.map((file) => ({ ...file, state: "waiting" })),
  }));
  const losses = journal.sessions.filter((session) => session.state !== "outgoing")
    .map((session) =>
      loss(
        session,
        "it was not finished before that kernel ended, and only outgoing sessions are handed on",
        at,
      )
    );
  return { waiting, doubtful: [], losses };
}

/** In the same boot, after the agent that wrote it ended. */
export function afterDeath(journal: Journal, at: string): Inheritance {
  const of = (state: SessionInfo["state"]) => journal.sessions.filter((session) => session.state === state);
  const why = `the agent (process ${journal.pid}) ended while it held the session`;
  return {
    waiting: of("incoming"),
    doubtful: journal.ended ? [] : of("retrieved"),
    losses: [
      ...journal.losses,
      ...(journal.ended ? [] : of("outgoing").map((session) => loss(session, why, at))),
    ],
  };
}

/**
 * The kernel that wrote it is gone and no manifest came over: the agent died before the kernel did, or the one before this one
 * died with the manifest in its hands. What was outgoing may still be there.
 */
export function afterPowerLoss(journal: Journal, at: string): Inheritance {
  const { waiting, losses } = afterKexec(journal, at);
  return { waiting: [], doubtful: waiting, losses };
}

/** Why a doubtful session that the kernel does not know is lost. */
export function whyGone({ state }: SessionInfo, { release }: Journal): string {
  return state === "retrieved"
    ? "the agent that had retrieved it ended, and that finished it"
    : `the kernel that held it (${release}) ended without handing it over`;
}

/** What the end of a session's only holder destroys: a file that was given out lives on with whoever has it. */
export function unrestored(session: SessionInfo): SessionInfo {
  return { ...session, files: session.files.filter(({ state }) => state !== "retrieved") };
}

export function loss(session: SessionInfo, reason: string, at: string): Loss {
  const files = session.files.map(({ token, label, size }) =>
    label === undefined ? { token, size } : { token, label, size }
  );
  const { name, state, filesKnown } = session;
  return { session: name, state, files, ...(filesKnown === undefined ? {} : { filesKnown }), reason, at };
}
