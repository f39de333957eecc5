/** The part of an update in the next kernel: updated, finish, and what a participant that does not come back means. */
import type { FileInfo, FileVerdict, UpdateParticipant } from "../../schema/types.ts";
import { moment } from "./moment.ts";
import type { OpenUpdate } from "./open_update.ts";
import { causeOf, sentenceOf, StepFailed } from "./step_failed.ts";

/** Why an update cannot be finished: a sentence, and the session that it is about. */
export interface Unfinished {
  readonly session: string;
  readonly reason: string;
}

/** Notes that the kexec has happened: the phases `kexec` and `start` end. */
export function arrive(update: OpenUpdate): void {
  const { host, record } = update;
  record.to = { release: host.release, bootId: host.bootId };
  const kexec = record.events.findLast(({ event, ended }) => event === "kexec" && ended === undefined);
  if (kexec !== undefined) Object.assign(kexec, { ended: host.started, outcome: "done" });
  // Another program made the kexec: its moment is not known.
  record.events.push({ event: "start", started: host.started, ended: moment("to"), outcome: "done" });
  update.enter("updating");
}

/**
 * Calls `updated`, the one that stopped last first. It is never too late for this: a participant that fails keeps its session, and is
 * called again by `finish`.
 *
 * @param waits for programs that still have to start in this kernel
 */
export async function tellUpdated(
  update: OpenUpdate,
  { waits }: { readonly waits: boolean },
): Promise<void> {
  const { host, record } = update;
  const left = notBack(update);
  if (left.length > 0) {
    update.enter("updating");
    await update.tell({
      event: "updated",
      participants: left,
      reverse: true,
      signal: new AbortController().signal,
      waits,
      before: (participant) => retrieve(update, participant),
    });
  }
  const [missing] = notBack(update);
  delete record.by;
  delete record.reason;
  if (missing !== undefined) {
    const event = record.events.findLast((one) =>
      one.event === "updated" && one.participant === missing.name
    );
    const failure = new StepFailed(
      "updated",
      event?.outcome ?? "skipped",
      event?.reason ?? "it was not called, because one that comes before it failed",
      missing.name,
    );
    Object.assign(record, causeOf(failure));
    host.log(`The update waits for ${failure.message}; its session is kept; go on with: luo update finish`);
  }
  update.enter("updated");
}

/** The participants that did not take their part back yet. */
export function notBack({ record }: OpenUpdate): UpdateParticipant[] {
  return record.participants.filter(({ done }) => !done.includes("updated"));
}

async function retrieve(update: OpenUpdate, { session }: UpdateParticipant): Promise<string | undefined> {
  const { host, record } = update;
  const note = (verdicts: readonly FileVerdict[]) => {
    record.verdicts = [...(record.verdicts ?? []).filter((one) => one.session !== session), ...verdicts];
    update.save();
  };
  const files = host.session(session)?.files ?? [];
  try {
    const isHere = await host.retrieveSession(session);
    if (record.digest && isHere) {
      note(await update.phase("verify", (progress) => host.verify(session, progress)));
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || error.name === "ProcessKilled") throw error;
    if (record.digest && host.session(session) === undefined) note(files.map(missing(session)));
    return sentenceOf(error);
  }
}

/** The kernel does not have the session, so it has none of its files. */
function missing(session: string): (file: FileInfo) => FileVerdict {
  return ({ token, label }) => ({
    session,
    token,
    ...(label === undefined ? {} : { label }),
    verdict: "missing",
    reason: "the session is gone",
  });
}

/** Why the update cannot be finished without a loss. Empty: it can. */
export function unfinished(update: OpenUpdate): Unfinished[] {
  const { host, record } = update;
  const missing = notBack(update).map(({ name, session }) => {
    const event = record.events.findLast((one) => one.event === "updated" && one.participant === name);
    return {
      session,
      reason: `participant "${name}" is not back${event?.reason ? `: ${event.reason}` : ""}`,
    };
  });
  const sessions = record.participants.flatMap(({ session, holdsSession, done }) => {
    const filesUnknown = holdsSession && done.includes("updated") ? "are restored" : "may be gone";
    return host.unfinished(session, filesUnknown).map((reason) => ({ session, reason }));
  });
  return [...missing, ...sessions];
}

/** Calls `finish`, finishes the sessions, and ends the update. @throws StepFailed a participant does not want that; LuoError */
export async function finish(update: OpenUpdate, force: boolean): Promise<void> {
  const { host, record } = update;
  update.enter("finishing");
  const losses = unfinished(update);
  const back = record.participants.filter(({ done }) => done.includes("updated") && !done.includes("finish"));
  try {
    const signal = new AbortController().signal;
    const failure = await update.tell({ event: "finish", participants: back, reverse: true, signal });
    if (failure !== undefined && !force) throw failure;
    for (const { session } of record.participants) await host.finishSession(session);
  } catch (error) {
    if (error instanceof Error && error.name !== "ProcessKilled") {
      Object.assign(record, causeOf(error));
      update.enter("updated");
    }
    throw error;
  }
  for (const { session, reason } of losses) host.log(`Session "${session}" was finished by force: ${reason}`);
  if (losses.length > 0) {
    record.losses = losses.map(({ session, reason }) => `session "${session}": ${reason}`);
  }
  delete record.by;
  delete record.reason;
  record.outcome = "done";
  update.tolerant = true;
  update.enter("normal");
}
