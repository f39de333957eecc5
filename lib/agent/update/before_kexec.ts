/** The part of an update before the kexec: prepare, freeze, the kexec, and the way back. */
import { ProcessKilled } from "../../system_calls.ts";
import type { UpdateParticipant, UpdateRecord } from "../../schema/types.ts";
import type { UpdateHost } from "./host.ts";
import type { OpenUpdate } from "./open_update.ts";
import { circle, reversed } from "./order.ts";
import { causeOf, StepFailed, stoppedBy } from "./step_failed.ts";

/** The decisions of the operator. */
export interface UpdateOptions {
  /** Loads the image as the first phase. Undefined: the one that is loaded is taken. */
  readonly load?: () => Promise<void>;
  readonly digest: boolean;
  /** The most seconds of all freeze events together. */
  readonly blackoutSeconds?: number | undefined;
  /** Go on although luo refuses the image or the sessions: data may be lost. */
  readonly force: boolean;
  /** Whether the update finishes by itself in the next kernel. */
  readonly finishes: boolean;
}

const BLACKOUT_SECONDS = 60;

/** The record of a new update, in which nothing has happened yet. */
export function newRecord(host: UpdateHost, options: UpdateOptions): UpdateRecord {
  return {
    version: 1,
    id: crypto.randomUUID(),
    state: "preparing",
    from: { release: host.release, bootId: host.bootId },
    finishes: options.finishes,
    loaded: false,
    digest: options.digest,
    blackoutSeconds: options.blackoutSeconds ?? BLACKOUT_SECONDS,
    participants: [],
    events: [],
  };
}

/** Check, load, prepare. @throws StepFailed, and what the agent refuses with; call `abandon` then */
export async function prepare(
  update: OpenUpdate,
  options: UpdateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { host, record } = update;
  update.enter("preparing");
  record.participants = await update.phase("check", () => participantsOf(host));
  const { load } = options;
  if (load !== undefined) {
    await update.phase("load", load);
    record.loaded = true;
  }
  const { loaded, release } = host.image();
  if (release !== undefined) record.to = { release };
  if (loaded || options.finishes) await readyToExec(update, options.force);
  stopIfAborted(signal);
  await makeSessions(update);
  const { participants } = record;
  await update.tell({ event: "prepare", participants, signal, allOrNothing: true });
  if (record.digest) await takeDigests(update, "sealed");
  stopIfAborted(signal);
  update.enter("prepared");
}

/** The participants of this host. @throws StepFailed they cannot be called, or not in this order */
function participantsOf(host: UpdateHost): UpdateParticipant[] {
  const { participants, problems } = host.findParticipants();
  const all = [
    ...participants.map((one) => ({ ...one, kind: "executable" as const, holdsSession: false })),
    ...host.subscribers.map((one) => ({ ...one, kind: "subscriber" as const })),
  ].map(({ name, kind, after, seconds, holdsSession = false }): UpdateParticipant => {
    const held = holdsSession ? { holdsSession } : {};
    return { name, kind, after: [...after], seconds, session: name, ...held, done: [] };
  });
  const twice = all.find(({ name }, at) => all.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined) impossible(`there are two participants of the name "${twice.name}"`);
  if (problems[0] !== undefined) impossible(problems[0]);
  const round = circle(all);
  if (round !== undefined) impossible(`participants wait for each other: ${round.join(", ")}`);
  namesAreFree(host, all);
  return all;
}

/** @throws StepFailed a session has the name of a participant's */
function namesAreFree(host: UpdateHost, participants: readonly UpdateParticipant[]): void {
  const taken = participants.find(({ session }) => host.session(session) !== undefined);
  if (taken === undefined) return;
  throw new StepFailed("check", "failed", `there is a session "${taken.session}" already`, taken.name);
}

/**
 * A session for each participant. A session that another program makes under such a name, while the image is loaded or later, is
 * not this update's: a cancelled update must not close it.
 *
 * @throws StepFailed, LuoError, VarlinkError
 */
async function makeSessions(update: OpenUpdate): Promise<void> {
  const { host, record: { participants } } = update;
  namesAreFree(host, participants);
  // Noted before they are made: an agent that starts after this one closes every session that it finds noted.
  for (const participant of participants) participant.sessionMade = true;
  update.save();
  for (const [at, { session }] of participants.entries()) {
    try {
      await host.createSession(session);
    } catch (error) {
      for (const participant of participants.slice(at)) delete participant.sessionMade;
      throw error;
    }
  }
}

/** The next agent finds only the sessions that outlived the one before, in systemd's fd store. */
export function forgetEndedSessions({ host, record }: OpenUpdate): void {
  for (const participant of record.participants) {
    if (host.session(participant.session)?.state !== "outgoing") delete participant.sessionMade;
  }
}

function impossible(reason: string): never {
  throw new StepFailed("check", "failed", reason);
}

/** Freeze. Until its end the whole update may still be cancelled. @throws as `prepare` */
export async function freeze(
  update: OpenUpdate,
  force: boolean,
  signal: AbortSignal,
  kexecFollows: boolean,
): Promise<void> {
  const { host, record } = update;
  // Everything that takes long is done before the blackout begins.
  if (kexecFollows || host.image().loaded) await readyToExec(update, force);
  stopIfAborted(signal);
  update.enter("freezing");
  const latest_ms = performance.now() + record.blackoutSeconds * 1000;
  const { participants } = record;
  await update.tell({ event: "freeze", participants, signal, allOrNothing: true, latest_ms });
  if (record.digest) await takeDigests(update, "all");
  if (performance.now() > latest_ms) {
    const reason = `the blackout of ${record.blackoutSeconds} seconds was over before all digests were taken`;
    throw new StepFailed("digest", "late", reason);
  }
  stopIfAborted(signal);
  record.state = "frozen";
  // The kexec writes the record, and nothing else may come before it.
  if (kexecFollows) update.saveSoon();
  else update.save();
}

/** The checks and everything else that can be done before the reboot call. @throws VarlinkError, LuoError */
export async function readyToExec(update: OpenUpdate, force: boolean): Promise<void> {
  await update.phase("check", () => update.host.readyToExec(force));
}

async function takeDigests(update: OpenUpdate, which: "sealed" | "all"): Promise<void> {
  const { host, record } = update;
  const sessions = record.participants.map(({ session }) => session);
  await update.phase("digest", (progress) => host.takeDigests(sessions, which, progress));
}

/** The kexec. From here to the reboot call there is as little as possible: the workloads stand still. @throws as `prepare` */
export function execute(update: OpenUpdate, force: boolean, signal: AbortSignal): never {
  const { host, record } = update;
  stopIfAborted(signal);
  if (!force) host.checkAgain(record.participants.map(({ session }) => session));
  update.begin("kexec", undefined, "for the next kernel");
  return host.exec();
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw stoppedBy("check", signal);
}

/**
 * The way back: tells cancel to every participant that was told before, the last one first; closes the sessions, unloads the image. A
 * failure on this way is recorded and does not stop it.
 *
 * @param cause why; undefined: it was cancelled by hand
 */
export async function abandon(update: OpenUpdate, cause: unknown): Promise<void> {
  if (cause instanceof ProcessKilled) throw cause;
  const { host, record } = update;
  if (cause !== undefined) Object.assign(record, causeOf(cause));
  update.tolerant = true;
  update.enter("cancelling");
  const told = record.participants.filter(({ name }) =>
    record.events.some((event) => event.participant === name)
  );
  const never = new AbortController().signal;
  if (told.length > 0) await cancelAll(update, told, never);
  const made = record.participants.filter(({ sessionMade }) => sessionMade);
  for (const { session } of reversed(made)) trying(host, () => host.closeSession(session));
  if (record.loaded) trying(host, () => host.unloadImage());
  record.outcome = cause === undefined ? "cancelled" : "failed";
  record.loaded = false;
  update.enter("normal");
}

/** A participant that fails at cancel does not keep the others from theirs. */
async function cancelAll(
  update: OpenUpdate,
  participants: readonly UpdateParticipant[],
  signal: AbortSignal,
): Promise<void> {
  let left = participants;
  while (left.length > 0) {
    const before = new Set(update.record.events);
    await update.tell({ event: "cancel", participants: left, reverse: true, signal });
    const told = update.record.events.filter((event) =>
      event.event === "cancel" && event.outcome !== "skipped" && !before.has(event)
    );
    const names = new Set(told.map(({ participant }) => participant));
    left = left.filter(({ name }) => !names.has(name));
  }
}

/** A failure is logged: the way back is gone to its end. */
function trying(host: UpdateHost, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof ProcessKilled) throw error;
    host.log(`While the update was cancelled: ${error instanceof Error ? error.message : String(error)}`);
  }
}
