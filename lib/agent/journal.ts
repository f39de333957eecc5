/** The journal: how it is written and read, and what becomes of its sessions when another agent takes over. */
import { compiled } from "../schema/compiled.ts";
import { StoredChange, StoredJournal } from "../schema/journal.ts";
import type { JournalBytes } from "./journal_log.ts";
import type { FileInfo, Journal, Loss, SessionInfo } from "../schema/types.ts";

export type { Journal };

/** The word for a restored file in a journal. Agents of 0.1.0 know only this one. */
const STORED_RESTORED = "retrieved";

/** The time at which a file was preserved that no record has. Agents of 0.1.0 demand a text there. */
const STORED_UNKNOWN = "";

/** A journal as it stands in memory or in a file. */
type Stored = Omit<Journal, "sessions"> & { sessions: StoredSession[] };
type StoredSession = Omit<SessionInfo, "files"> & { files: StoredFile[] };
type StoredFile = Omit<FileInfo, "state" | "kind"> & {
  state: FileInfo["state"] | typeof STORED_RESTORED;
  kind?: string;
};

/** The journal as bytes. */
export function encodeJournal(journal: Journal): Uint8Array {
  const stored: Stored = { ...journal, sessions: journal.sessions.map(storedSession) };
  return new TextEncoder().encode(JSON.stringify(stored));
}

/** One change of the journal: a session as it is now, or one that is not in the journal any more. */
export type Change = { readonly session: SessionInfo } | {
  readonly gone: { readonly name: string; readonly outgoing: boolean };
};

/** The change as bytes. */
export function encodeChange(change: Change): Uint8Array {
  const stored = "session" in change ? { session: storedSession(change.session) } : change;
  return new TextEncoder().encode(JSON.stringify(stored));
}

/** Undefined for bytes that are no journal: memory and files can be damaged. One change that is none makes all of it unknown. */
export function decodeJournal({ payload, entries }: JournalBytes): Journal | undefined {
  try {
    const journal = parsed(payload);
    if (!isStored(journal)) return undefined;
    return fromStored(entries.length === 0 ? journal : withChanges(journal, entries.map(parsed)));
  } catch {
    return undefined;
  }
}

function parsed(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

/** @throws TypeError a change is none */
function withChanges(journal: Stored, changes: readonly unknown[]): Stored {
  const sessions = new Map(journal.sessions.map((session) => [keyOf(session), session]));
  const isChange = compiled(StoredChange);
  const ending = new Map((journal.ending ?? []).map((gone) => [key(gone), gone]));
  for (const change of changes) {
    if (!isOneChange(change) || !isChange(change)) throw new TypeError("an entry of the log is no change");
    if (change.session !== undefined) {
      sessions.set(keyOf(change.session), change.session);
      ending.delete(keyOf(change.session));
    } else {
      sessions.delete(key(change.gone));
      ending.set(key(change.gone), change.gone);
    }
  }
  const gone = ending.size === 0 ? {} : { ending: [...ending.values()] };
  return { ...journal, sessions: [...sessions.values()], ...gone };
}

type Changed = { session: StoredSession } | {
  session?: undefined;
  gone: { name: string; outgoing: boolean };
};

/** An entry of the log is of one kind. The rest of its form is in the schema. */
function isOneChange(value: unknown): value is Changed {
  return typeof value === "object" && value !== null && Object.keys(value).length === 1;
}

function keyOf({ name, state }: StoredSession): string {
  return key({ name, outgoing: state === "outgoing" });
}

/** An outgoing session and one that was handed over are two, whatever their names. */
function key({ name, outgoing }: { name: string; outgoing: boolean }): string {
  return `${outgoing ? "outgoing" : "incoming"} ${name}`;
}

function isStored(value: unknown): value is Stored {
  return compiled(StoredJournal)(value);
}

function storedSession(session: SessionInfo): StoredSession {
  if (!session.files.some(isStoredOtherwise)) return session as StoredSession;
  return {
    ...session,
    files: session.files.map((file) => ({
      ...file,
      preservedAt: file.preservedAt ?? STORED_UNKNOWN,
      state: storedState(file.state),
    })),
  };
}

/** Most files are stored as they are: a journal of many files is then not copied. */
function isStoredOtherwise({ preservedAt, state }: FileInfo): boolean {
  return preservedAt === undefined || storedState(state) !== state;
}

/** A file that the agent holds counts as preserved: after the kexec the kernel says that it does not have the file. */
function storedState(state: FileInfo["state"]): StoredFile["state"] {
  if (state === "held") return "preserved";
  return state === "restored" ? STORED_RESTORED : state;
}

/** Keeps the fields that another version wrote, so that this agent writes them again. */
function fromStored(stored: Stored): Journal {
  const sessions = stored.sessions.map(sessionFromStored);
  const { image } = stored;
  // With a word that this version does not know, the image counts as not checked by luo.
  const by = image?.by === undefined || image.by === "luo" ? image?.by : "other";
  return { ...stored, sessions, ...image === undefined ? {} : { image: { ...image, by } } };
}

function sessionFromStored(session: StoredSession): SessionInfo {
  const otherwise = session.files.some(({ preservedAt, state, kind }) =>
    preservedAt === undefined || preservedAt === STORED_UNKNOWN || state === STORED_RESTORED ||
    kind !== undefined && knownKind(kind) === undefined
  );
  return otherwise ? { ...session, files: session.files.map(fileFromStored) } : session as SessionInfo;
}

function fileFromStored(file: StoredFile): FileInfo {
  const { preservedAt, kind: stored, ...rest } = file;
  const kind = knownKind(stored);
  return {
    ...rest,
    ...(kind === undefined ? {} : { kind }),
    ...(preservedAt === undefined || preservedAt === STORED_UNKNOWN ? {} : { preservedAt }),
    state: file.state === STORED_RESTORED ? "restored" : file.state,
  };
}

/** A kind that only a later version knows is not known to this one. */
function knownKind(kind: string | undefined): FileInfo["kind"] {
  return kind === "memfd" || kind === "hugetlb" ? kind : undefined;
}

/** The part of a journal that a new agent takes over: sessions that wait, sessions to look for, losses. */
export interface Inheritance {
  /** Handed over, and not retrieved as far as the journal says. */
  readonly waiting: SessionInfo[];
  /** The kernel must be asked: a dead agent retrieved them or was about to, or the journal is of another boot. */
  readonly doubtful: SessionInfo[];
  /** Sessions that are gone. */
  readonly losses: Loss[];
}

/**
 * After a kexec: outgoing sessions are incoming now. All others were not handed over, so they are lost. Losses of earlier kernels stay
 * until they are cleared: a script may look for losses only after the next update.
 */
export function afterKexec(journal: Journal, at: string): Inheritance {
  const waiting = journal.sessions.filter((session) => session.state === "outgoing").map((
    { keepProblem: _, found: _found, opened: _opened, ...session },
  ): SessionInfo => ({
    ...session,
    state: "incoming",
    files: session.files.map(({ verdict: _, ...file }) => ({ ...file, state: "waiting" })),
  }));
  const losses = journal.sessions.filter((session) => session.state !== "outgoing")
    .filter((session) => !isBeingRenewed(session, journal))
    .map((session) =>
      loss(
        session,
        "it was not finished before that kernel ended, and only outgoing sessions are handed on",
        at,
      )
    );
  return { waiting, doubtful: [], losses: [...journal.losses, ...losses] };
}

/** What a new agent takes over in the same boot, after the agent that wrote the journal ended. */
export function afterDeath(journal: Journal, at: string): Inheritance {
  const of = (state: SessionInfo["state"]) => journal.sessions.filter((session) => session.state === state);
  const why = ({ opened }: SessionInfo) => {
    const elsewhere = opened ? "; a program that was given its descriptor may hold it still" : "";
    return `the agent (process ${journal.pid}) ended while it held the session${elsewhere}`;
  };
  return {
    waiting: of("incoming").filter((session) => !wasHeld(session)),
    doubtful: journal.ended
      ? []
      : [...of("retrieved"), ...of("incoming").filter(wasHeld)].filter((session) =>
        !isBeingRenewed(session, journal)
      ),
    losses: [
      ...journal.losses,
      ...(journal.ended ? [] : of("outgoing").map((session) => loss(session, why(session), at))),
    ],
  };
}

/** Whether the agent had the fd of an incoming session from the fd store or for it: then it does not wait in the kernel. */
function wasHeld({ found }: SessionInfo): boolean {
  return found !== undefined && found !== "orphaned";
}

/**
 * Whether the agent was preserving the session again: the outgoing session of the same name has the same files then, as far as they
 * are not lost. No other two sessions have one name.
 */
function isBeingRenewed({ name, state }: SessionInfo, { sessions }: Journal): boolean {
  return state === "retrieved" && sessions.some((other) => other.state === "outgoing" && other.name === name);
}

/**
 * The journal is of another boot and no manifest was handed over. Either its agent died before its kernel ended, or an
 * agent of this boot died after it had retrieved the manifest. The outgoing sessions may still be in the kernel.
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

/** The session with the files that its end destroys. A restored file lives on in the process that has it. */
export function unrestored(session: SessionInfo): SessionInfo {
  return { ...session, files: session.files.filter(({ state }) => state !== "restored") };
}

/** The session as a loss. */
export function loss(session: SessionInfo, reason: string, at: string): Loss {
  const files = session.files.map(({ token, label, size }) =>
    label === undefined ? { token, size } : { token, label, size }
  );
  const { name, state, filesKnown } = session;
  return { session: name, state, files, ...(filesKnown === undefined ? {} : { filesKnown }), reason, at };
}
