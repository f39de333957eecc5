/** The record of a live update as it is kept: written, read, and found again by the next agent. */
import { read_bytes } from "../../ffi/proc.ts";
import { compiled } from "../schema/compiled.ts";
import { UpdateRecord as Schema } from "../schema/update.ts";
import type { IncomingSession } from "../session.ts";
import type { AgentState } from "./agent_state.ts";
import { readManifest, UPDATE_TOKEN } from "./manifest.ts";
import type { UpdateRecord } from "./protocol.ts";

export function encodeUpdate(record: UpdateRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`);
}

/** Undefined for bytes that are no record. */
export function decodeUpdate(bytes: Uint8Array): UpdateRecord | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is UpdateRecord {
  return compiled(Schema)(value);
}

/**
 * The record that an agent before this one left: in the file, when it was of this boot, else in the manifest. A record that was handed
 * over says from now on in which kernel it has arrived, so that an agent that comes after this one finds it in the file.
 */
export function findUpdate(
  state: AgentState,
  manifest: IncomingSession | undefined,
): UpdateRecord | undefined {
  const written = read_bytes(state.options.paths.updateRecord);
  const record = written && decodeUpdate(written);
  if (record !== undefined && bootOf(record) === state.bootId) return record;
  const payload = manifest && readManifest(manifest, UPDATE_TOKEN)?.payload;
  const handedOver = payload && decodeUpdate(payload);
  if (handedOver !== undefined) return arrived(state, handedOver);
  // Without the manifest only the sessions of participants tell that the kexec happened.
  const came = record?.participants.some(({ session }) => state.incoming.has(session));
  return record !== undefined && came ? arrived(state, record) : record;
}

function bootOf({ from, to }: UpdateRecord): string {
  return to?.bootId ?? from.bootId;
}

function arrived({ release, bootId }: AgentState, record: UpdateRecord): UpdateRecord {
  return record.state === "normal" ? record : { ...record, to: { release, bootId } };
}
