/** Finds out what an earlier agent left: from the record beside the socket, from the manifest, and from the kernel. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Device, IncomingSession } from "../session.ts";
import { LuoError } from "../error.ts";
import type { AgentState } from "./agent_state.ts";
import { adopt, adoptKnown, adoptRest } from "./adopt.ts";
import { isTaken } from "./agent_device.ts";
import { wasHandedOver } from "./handed_over.ts";
import {
  afterDeath,
  afterKexec,
  afterPowerLoss,
  decodeJournal,
  type Inheritance,
  type Journal,
  loss,
  unrestored,
  whyGone,
} from "./journal.ts";
import { MANIFEST_SESSION, readManifest } from "./manifest.ts";
import type { SessionInfo } from "./protocol.ts";
import { readRecord, setAsideRecord } from "./record.ts";

/** The manifest that the previous kernel handed over, or another session of that form; undefined when there is none. */
export function incomingManifest(device: Device, name = MANIFEST_SESSION): IncomingSession | undefined {
  try {
    return device.retrieve(name);
  } catch (error) {
    if (error instanceof LuoError && (error.is("ENOENT") || error.is("EINVAL"))) return undefined;
    throw error;
  }
}

/** Fills the state with what was handed over to this kernel, or left by the agent before in this boot. */
export function inherit(state: AgentState, manifest: IncomingSession | undefined): void {
  const at = state.options.now();
  const { record, damaged } = usableRecord(state);
  if (record?.bootId === state.bootId) {
    state.journal.recordIsOfThisBoot = true;
    takeFacts(state, record);
    take(state, afterDeath(adoptKnown(state, record), at), record);
  } else {
    inheritHandover(state, manifest, record, damaged);
  }
  adoptRest(state, record?.bootId === state.bootId ? record.ending : undefined);
}

function inheritHandover(
  state: AgentState,
  manifest: IncomingSession | undefined,
  record: Journal | undefined,
  damaged: string | undefined,
): void {
  const at = state.options.now();
  const payload = manifest === undefined ? undefined : readManifest(manifest);
  if (payload === undefined) {
    if (wasHandedOver(state.sys)) state.unlisted = NO_LIST;
    if (damaged !== undefined) state.lose([unnamed(damaged, at, "outgoing")]);
    return record === undefined ? undefined : takeUnproven(state, record, at);
  }
  const journal = decodeJournal(payload);
  if (journal !== undefined) {
    take(state, afterKexec(journal, at), journal);
    return noteUpdate(state, journal, at);
  }
  state.options.log(
    "The manifest that was handed over is damaged: sessions can still be retrieved by their names",
  );
  state.unlisted = DAMAGED_LIST;
  state.lose([unnamed("the manifest is damaged: the other sessions can be retrieved by their names", at)]);
  if (record !== undefined) takeDamaged(state, record, at);
}

const NO_LIST = "the previous kernel handed over live update data without luo's list of sessions: " +
  "sessions may wait in the kernel that only the programs that made them know";
const DAMAGED_LIST =
  "luo's list of the sessions that were handed over is damaged: others may wait in the kernel";

/** The record, or why it cannot be used. A damaged one is kept aside, as soon as the agent may write another. */
function usableRecord(state: AgentState): { record?: Journal; damaged?: string } {
  const { paths, log } = state.options;
  const record = readRecord(paths);
  if (record !== "damaged") {
    if (record !== undefined) refuseStored(state, record);
    return { record };
  }
  const mayWrite = state.mayWrite();
  if (mayWrite) setAsideRecord(paths);
  const where = mayWrite ? paths.damaged : paths.state;
  log(`Cannot read the record "${paths.state}": it is damaged, and is kept as "${where}"`);
  return {
    damaged: `the agent's record cannot be read (see "${where}"): what the agent before held is unknown`,
  };
}

/**
 * An agent that systemd did not start cannot have the sessions that are in systemd's store. It would report them as lost, and the
 * next agent that has them would not know their files.
 *
 * @throws LuoError `start`: EBUSY
 */
function refuseStored({ store, bootId }: AgentState, record: Journal): void {
  if (store.usage !== undefined || !record.stored || record.bootId !== bootId) return;
  const held = record.sessions.filter(({ state }) => state !== "incoming").length;
  if (held === 0) return;
  const what = `Cannot start the agent: systemd's fd store has sessions of the agent before (${held})`;
  throw new LuoError("start", "the agent", Errno.EBUSY, what);
}

/** Takes over what the earlier agent of this boot recorded beside sessions: losses, updates, the image. */
function takeFacts(state: AgentState, record: Journal): void {
  state.lastUpdate = record.lastUpdate;
  state.updates = record.updates;
  state.unlisted = record.unlisted;
  // An image that this agent loaded before it had the device is the newer one.
  state.image ??= record.image;
}

/**
 * The record is of another boot and no manifest came over. Either the machine lost its power, and all is lost, or an earlier agent
 * of this boot ended before it could write the record. Only the kernel can tell, session by session.
 */
function takeUnproven(state: AgentState, record: Journal, at: string): void {
  take(state, afterPowerLoss(record, at), record);
  if (state.incoming.size > 0) noteUpdate(state, record, at);
}

/** A handover took place, so the sessions of the record wait in the kernel, as far as the record was written in time. */
function takeDamaged(state: AgentState, record: Journal, at: string): void {
  const { waiting, losses } = afterKexec(record, at);
  take(state, { waiting: waiting.map(incomplete), doubtful: [], losses }, record);
  noteUpdate(state, record, at);
}

function incomplete(info: SessionInfo): SessionInfo {
  return { ...info, filesKnown: false };
}

function take(state: AgentState, { waiting, doubtful, losses }: Inheritance, journal: Journal): void {
  state.valuesExpected = journal.values ?? false;
  for (const info of waiting) {
    if (!adopt(state, info)) state.incoming.set(info.name, { info: orphaned(state, info) });
  }
  state.lose(losses);
  for (const info of doubtful) if (!adopt(state, info)) askKernel(state, info, journal);
}

/** systemd carries the sessions of the store over a kexec. One that it did not bring waits in the kernel. */
function orphaned({ store }: AgentState, info: SessionInfo): SessionInfo {
  return store.usage === undefined ? info : { ...info, found: "orphaned" };
}

/**
 * Asks the kernel whether it has a session, in the only way there is: by retrieving it. No client asked for that, so the
 * session stays `incoming` until a client retrieves it.
 */
function askKernel(state: AgentState, info: SessionInfo, journal: Journal): void {
  try {
    const session = state.retrieve(info.name);
    // A record of another boot may be older than the last file that was preserved.
    const found = journal.bootId === state.bootId ? info : incomplete(info);
    const how = state.store.usage === undefined ? {} : { found: "retrieved" as const };
    state.incoming.set(info.name, { info: { ...found, ...how, state: "incoming" }, session });
  } catch (error) {
    if (!(error instanceof LuoError) || isTaken(error)) throw error;
    // The kernel has no such session. The old kernel never handed it over, so report it as outgoing.
    const was = info.state === "incoming" ? "outgoing" : info.state;
    state.lose([loss({ ...unrestored(info), state: was }, whyGone(info, journal), state.options.now())]);
  }
}

function noteUpdate(state: AgentState, journal: Journal, at: string): void {
  state.updates = journal.updates + 1;
  const files = [...state.incoming.values()].flatMap(({ info }) => info.files);
  state.lastUpdate = {
    fromRelease: journal.release,
    toRelease: state.release,
    at,
    count: state.updates,
    sessions: state.incoming.size,
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

/** The device gives EIO until the next kexec: nothing that was handed over can be reached, and all of it is lost. */
export function inheritUnreadable(state: AgentState): void {
  const at = state.options.now();
  const reason = "the kernel cannot read what the previous kernel handed over (EIO)";
  const { record, damaged } = usableRecord(state);
  if (damaged !== undefined) state.lose([unnamed(damaged, at, "outgoing")]);
  if (record === undefined) {
    return state.lose([unnamed(`${reason}, and the agent has no record of the sessions`, at)]);
  }
  const sameBoot = record.bootId === state.bootId;
  const { waiting, losses } = sameBoot ? afterDeath(record, at) : afterKexec(record, at);
  if (sameBoot) takeFacts(state, record);
  state.lose([...losses, ...waiting.map((info) => loss(info, reason, at))]);
}

/**
 * Without the device, the facts of an earlier agent of this boot are shown. The record stays as it is, because the
 * sessions in it may still wait in the kernel.
 */
export function previewRecord(state: AgentState): void {
  const at = state.options.now();
  const { record, damaged } = usableRecord(state);
  if (damaged !== undefined) state.lose([unnamed(damaged, at, "outgoing")]);
  if (record === undefined) return;
  if (record.bootId === state.bootId) {
    takeFacts(state, record);
    return state.lose(record.losses);
  }
  if (state.device.status().state !== "absent") return;
  const reason = "the kernel that runs has no live update, so nothing that was handed over can be reached";
  const { waiting, losses } = afterKexec(record, at);
  state.lose([...losses, ...waiting.map((info) => loss(info, reason, at))]);
}

/** A loss of sessions whose names are not known. */
function unnamed(reason: string, at: string, was: SessionInfo["state"] = "incoming") {
  const info: SessionInfo = {
    name: MANIFEST_SESSION,
    state: was,
    createdAt: at,
    files: [],
    filesKnown: false,
  };
  return loss(info, reason, at);
}
